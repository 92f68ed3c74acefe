/**
 * What tells a process from all others, so that another one can see that it has ended. Its number would not do:
 * containers count their processes apart, and computers may share a home.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { codeOf } from './system-error.js'

export function processMark(pid = process.pid): string {
  return `${whereProcessesAreCounted()} ${pid}`
}

/** Undefined if that cannot be known. */
export function isRunning(mark: string): boolean | undefined {
  const [, where, pid] = /^(.*) (\d+)$/.exec(mark) ?? []
  if (where !== whereProcessesAreCounted()) return undefined
  try {
    return process.kill(Number(pid), 0) // it sends nothing
  } catch (error) {
    return codeOf(error) === 'ESRCH' ? false : undefined
  }
}

let counted: string | undefined

/** On Linux this start of the system, and the PID namespace. */
function whereProcessesAreCounted(): string {
  counted ??= hereOnLinux() ?? hostname()
  return counted
}

function hereOnLinux(): string | undefined {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return undefined
  }
}

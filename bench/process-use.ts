/** How much memory and processor time a process uses, from /proc (proc(5)). */
import { readFileSync } from 'node:fs'

/** Linux reports times in hundredths of a second, whatever it counts in itself. */
const TICKS_PER_SECOND = 100

export interface ProcessUse {
  readonly residentBytes: number
  readonly mostResidentBytes: number
}

export function processUse(pid: number): ProcessUse {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1]) * 1024
  return { residentBytes: bytes('VmRSS'), mostResidentBytes: bytes('VmHWM') }
}

/** The user and system time of the process since its start. */
export function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // the name in brackets may contain blanks
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`
}

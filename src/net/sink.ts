/**
 * Where output goes without waiting. Whether a write waits is a property of an open file, which this process shares with
 * the programs that it starts. So a pipe or a terminal is opened anew (Linux). If that is refused, as it is for a socket,
 * a program of its own writes in our place, and it alone waits.
 */
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { isProgram } from './child-process.js'

export interface Sink {
  /** Returns how many of the bytes it took: 0 if it is full. @throws Error from node:fs or node:net */
  take(bytes: Uint8Array): number
  /** No more is coming. */
  finish(): void
  /** Whether something that it took is still on its way. */
  readonly isBusy: boolean
  /** Gives up what is on its way. */
  close(): void
}

export function sinkFor(descriptor: number): Sink {
  if (!mayWait(descriptor) || process.platform === 'win32') return new FileSink(descriptor)
  const opened = process.platform === 'linux' ? openedAnew(descriptor) : undefined
  if (opened !== undefined) return new FileSink(opened, () => closeSync(opened))
  return [SHELL, WRITER].every(isProgram) ? new ProgramSink(descriptor) : new FileSink(descriptor)
}

function mayWait(descriptor: number): boolean {
  const status = fstatSync(descriptor)
  return status.isFIFO() || status.isSocket() || isatty(descriptor)
}

function openedAnew(descriptor: number): number | undefined {
  try {
    const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY
    return openSync(`/proc/self/fd/${descriptor}`, flags)
  } catch {
    return undefined // a socket, another user's, or no /proc
  }
}

/** These end by themselves: somebody reads again, or makes room on the disk. */
const FULL: readonly unknown[] = ['EAGAIN', 'EWOULDBLOCK', 'ENOSPC', 'EDQUOT']

export class FileSink implements Sink {
  readonly isBusy = false
  readonly #descriptor: number
  readonly close: () => void

  constructor(descriptor: number, close = (): void => {}) {
    this.#descriptor = descriptor
    this.close = close
  }

  take(bytes: Uint8Array): number {
    try {
      return writeSync(this.#descriptor, bytes)
    } catch (error) {
      if (error instanceof Error && 'code' in error && FULL.includes(error.code)) return 0
      throw error
    }
  }

  finish(): void {}
}

const SHELL = '/bin/sh'
const WRITER = '/bin/cat'
/** A service manager sends its signals to every process of a service. The last lines come after them. */
const SCRIPT = `trap '' HUP INT QUIT TERM; exec ${WRITER}`

export class ProgramSink implements Sink {
  readonly #child
  #isBusy = true
  #error: Error | undefined

  constructor(descriptor: number) {
    const { spawn } = process.getBuiltinModule('node:child_process')
    // Of its own process group, because a terminal sends its signals to every process of ours.
    const child = spawn(SHELL, ['-c', SCRIPT], { stdio: ['pipe', descriptor, 'ignore'], detached: true, env: {} })
    const fail = (error: Error): void => {
      this.#error ??= error
      this.#isBusy = false
    }
    child.on('error', fail)
    child.on('exit', () => {
      this.#isBusy = false
    })
    child.stdin?.on('error', fail)
    child.unref()
    this.#child = child
  }

  get isBusy(): boolean {
    return this.#isBusy
  }

  take(bytes: Uint8Array): number {
    if (this.#error !== undefined) throw this.#error
    const { stdin } = this.#child
    if (stdin === null || stdin.writableNeedDrain || stdin.writableEnded) return 0
    stdin.write(bytes)
    return bytes.length
  }

  finish(): void {
    this.#child.stdin?.end()
  }

  close(): void {
    this.#child.stdin?.destroy()
    // If the program could not be started, it has no process ID, and Node 20 would signal some other process.
    if (this.#child.pid !== undefined) this.#child.kill('SIGKILL')
  }
}

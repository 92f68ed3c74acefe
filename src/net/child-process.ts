/**
 * Other programs: the command that runs while ports are open, hooks, and the service manager's messenger. No shell,
 * except for a hook, which is written for one. What is given beside the environment of this process is added to it.
 * node:child_process costs 3 ms to load, so it is loaded at the first start.
 */
import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { constants } from 'node:os'
import { isatty } from 'node:tty'
import { TransportError } from '../domain/errors.js'
import { type Clock, systemClock } from './clock.js'
import { reasonOf } from './system-error.js'

/** One of the two is there. */
export interface CommandEnd {
  readonly code: number | undefined
  /** The name of the signal that it died of. */
  readonly signal: string | undefined
}

/** As a shell has it: 128 and the number of the signal for a command that died of one. */
export function exitStatusOf({ code, signal }: CommandEnd): number {
  return code ?? 128 + (constants.signals[signal as NodeJS.Signals] ?? 0)
}

export interface RunningCommand {
  /** Undefined where it could not be started. */
  readonly pid: number | undefined
  /** Rejects with a TransportError where it could not be started; never unhandled. */
  readonly exited: Promise<CommandEnd>
  /** Does nothing where it is over, or the system has no such signal. */
  kill(signal: string): void
  /** A signal that this process got: sent, unless it came from the keyboard of a terminal, which tells both. */
  passOn(signal: string): void
}

export interface TimeLimit {
  readonly timeoutMs: number
  /** Its time is over then, whatever is left of it. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
}

export interface LimitedEnd extends CommandEnd {
  /** It was ended, because its time was over. */
  readonly timedOut: boolean
}

/** What a terminal sends to every program in its foreground, and Windows to every one of a console. */
const KEYBOARD_SIGNALS: readonly string[] = ['SIGINT', 'SIGQUIT', 'SIGBREAK']
/** When a console of Windows is closed, every program of it hears that. */
const CONSOLE_SIGNALS: readonly string[] = [...KEYBOARD_SIGNALS, 'SIGHUP']

/** From the polite signal to the other one. */
const KILL_AFTER_MS = 1000

/** In the foreground, with the streams of this process. */
export function startCommand(argv: readonly string[], env: Readonly<Record<string, string>>): RunningCommand {
  const [program = '', ...rest] = argv
  return start(program, rest, { env: { ...process.env, ...env }, stdio: 'inherit' })
}

/**
 * `sh -c`, or cmd.exe. What it prints goes to our standard error, and it has no input. It runs in a process group of its
 * own, so that its whole pipeline ends with it when its time is over. @throws TransportError where there is no shell
 */
export function runInShell(
  command: string,
  env: Readonly<Record<string, string>>,
  limit: TimeLimit,
): Promise<LimitedEnd> {
  const isGroup = process.platform !== 'win32' // there a process group means a window of its own
  const options: SpawnOptions = { shell: true, detached: isGroup, stdio: ['ignore', 2, 2] }
  return withLimit(start(command, [], { ...options, env: { ...process.env, ...env } }), isGroup, limit)
}

/** Without any stream, and with this environment only. @throws TransportError where it cannot be started */
export function runSilently(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  limit: TimeLimit,
): Promise<LimitedEnd> {
  const [program = '', ...rest] = argv
  return withLimit(start(program, rest, { env, stdio: 'ignore' }), false, limit)
}

function start(program: string, args: readonly string[], options: SpawnOptions): RunningCommand {
  let child: ChildProcess
  try {
    child = process.getBuiltinModule('node:child_process').spawn(program, args, options)
  } catch (cause) {
    return { pid: undefined, exited: handled(Promise.reject(notStarted(program, cause))), kill() {}, passOn() {} }
  }
  const exited = new Promise<CommandEnd>((resolve, reject) => {
    child.once('exit', (code, signal) => resolve({ code: code ?? undefined, signal: signal ?? undefined }))
    // Also where a signal could not be sent, when it changes nothing: by then it has been started.
    child.on('error', (cause) => (child.pid === undefined ? reject(notStarted(program, cause)) : undefined))
  })
  const kill = (signal: string): void => {
    // Where it could not be started, Node 20 would send the signal to some other process: its number is not set then.
    if (child.pid === undefined) return
    try {
      child.kill(signal as NodeJS.Signals)
    } catch {} // a signal that this system cannot send: Windows has SIGHUP, and only for those who hear it
  }
  const passOn = (signal: string): void => {
    const isWindows = process.platform === 'win32'
    const isToldAlready = isWindows
      ? CONSOLE_SIGNALS.includes(signal)
      : KEYBOARD_SIGNALS.includes(signal) && hasTerminal()
    if (!isToldAlready) kill(signal)
  }
  return { pid: child.pid, exited: handled(exited), kill, passOn }
}

function hasTerminal(): boolean {
  return [0, 1, 2].some((descriptor) => isatty(descriptor))
}

/** Whoever waits for it hears of the failure; nobody has to wait. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

function notStarted(program: string, cause: unknown): TransportError {
  return new TransportError(`'${program}' could not be started: ${reasonOf(cause, 'start')}`, { cause })
}

async function withLimit(command: RunningCommand, isGroup: boolean, limit: TimeLimit): Promise<LimitedEnd> {
  const { timeoutMs, signal, clock = systemClock } = limit
  let timedOut = false
  const expire = (): void => {
    if (timedOut) return
    timedOut = true
    cancel()
    end(command, isGroup, 'SIGTERM')
    cancel = clock.schedule(KILL_AFTER_MS, () => end(command, isGroup, 'SIGKILL'))
  }
  let cancel = clock.schedule(timeoutMs, expire)
  if (signal?.aborted === true) expire()
  else signal?.addEventListener('abort', expire, { once: true })
  try {
    return { ...(await command.exited), timedOut }
  } finally {
    signal?.removeEventListener('abort', expire)
    // The others of a group that was told to end may still be at it when its first process is not any more.
    if (!timedOut || !isGroup) cancel()
  }
}

/** A group has the number of its first process. */
function end(command: RunningCommand, isGroup: boolean, signal: NodeJS.Signals): void {
  if (!isGroup || command.pid === undefined) {
    command.kill(signal)
    return
  }
  try {
    process.kill(-command.pid, signal)
  } catch {} // it is over
}

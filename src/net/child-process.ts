/**
 * Runs other programs: the command that runs while ports are open, hooks, and systemd-notify. Only a hook gets a shell,
 * because it is written for one. node:child_process takes 3 ms to load, so it is loaded when the first program starts.
 */
import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { accessSync, constants as modes } from 'node:fs'
import { constants } from 'node:os'
import { isatty } from 'node:tty'
import { TransportError } from '../domain/errors.js'
import { type Clock, systemClock } from './clock.js'
import { reasonOf } from './system-error.js'

/** How a program ended: one of the two is set. */
export interface CommandEnd {
  readonly code: number | undefined
  /** The name of the signal that killed it. */
  readonly signal: string | undefined
}

/** The exit status that a shell reports: 128 plus the signal's number if a signal killed the program. */
export function exitStatusOf({ code, signal }: CommandEnd): number {
  return code ?? 128 + (constants.signals[signal as NodeJS.Signals] ?? 0)
}

/** Environment variables. */
type Variables = Readonly<Record<string, string>>

export interface RunningCommand {
  /** Undefined if the program could not be started. */
  readonly pid: number | undefined
  /** Rejects with a TransportError if the program could not be started. Nobody has to handle that. */
  readonly exited: Promise<CommandEnd>
  /** Does nothing if the program has ended, or if the system has no such signal. */
  kill(signal: string): void
  /** Passes on a signal that this process got. A signal from a terminal's keyboard is not: the program got it too. */
  passOn(signal: string): void
}

export interface TimeLimit {
  readonly timeoutMs: number
  /** Ends the program early, however much time is left. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
}

export interface LimitedEnd extends CommandEnd {
  /** True if the program was ended because its time was over, or because the signal aborted. */
  readonly timedOut: boolean
}

/** A terminal sends these to every program in its foreground, and Windows to every program of a console. */
const KEYBOARD_SIGNALS: readonly string[] = ['SIGINT', 'SIGQUIT', 'SIGBREAK']
/** When a console of Windows is closed, all its programs get SIGHUP. */
const CONSOLE_SIGNALS: readonly string[] = [...KEYBOARD_SIGNALS, 'SIGHUP']

/** From SIGTERM to SIGKILL. */
const KILL_AFTER_MS = 1000

/** Starts a program in the foreground, with this process's streams and environment, plus the variables in `env`. */
export function startCommand(argv: readonly string[], env: Variables): RunningCommand {
  return start(argv, { env: { ...process.env, ...env }, stdio: 'inherit' })
}

/**
 * Runs a line with `sh -c` or cmd.exe, with `env` added to the environment, without input, and with its output on our
 * standard error, or nowhere if it is silent. Its own process group ends with its whole pipeline. @throws TransportError if there is no shell
 */
export function runInShell(
  command: string,
  env: Variables,
  { isSilent = false, ...limit }: TimeLimit & { readonly isSilent?: boolean },
): Promise<LimitedEnd> {
  const output = isSilent ? 'ignore' : 2
  const isGroup = process.platform !== 'win32' // on Windows a process group opens a window
  const options: SpawnOptions = { shell: true, detached: isGroup, stdio: ['ignore', output, output] }
  return withLimit(start([command], { ...options, env: { ...process.env, ...env } }), isGroup, limit)
}

/** Runs a program without any stream, and with this environment only. @throws TransportError if it cannot be started */
export function runSilently(argv: readonly string[], env: Variables, limit: TimeLimit): Promise<LimitedEnd> {
  return withLimit(start(argv, { env, stdio: 'ignore' }), false, limit)
}

function start([program = '', ...args]: readonly string[], options: SpawnOptions): RunningCommand {
  let child: ChildProcess
  try {
    child = process.getBuiltinModule('node:child_process').spawn(program, args, options)
  } catch (cause) {
    return { pid: undefined, exited: handled(Promise.reject(notStarted(program, cause))), kill() {}, passOn() {} }
  }
  const exited = new Promise<CommandEnd>((resolve, reject) => {
    child.once('exit', (code, signal) => resolve({ code: code ?? undefined, signal: signal ?? undefined }))
    // Node also reports a signal that could not be sent. That changes nothing: the program has been started by then.
    child.on('error', (cause) => (child.pid === undefined ? reject(notStarted(program, cause)) : undefined))
  })
  const kill = (signal: string): void => {
    // If the program could not be started, it has no process ID, and Node 20 would signal some other process.
    if (child.pid === undefined) return
    try {
      child.kill(signal as NodeJS.Signals)
    } catch {} // this system cannot send that signal: on Windows a program can hear SIGHUP, but not send it
  }
  const passOn = (signal: string): void => {
    const isWindows = process.platform === 'win32'
    const isToldAlready = isWindows
      ? CONSOLE_SIGNALS.includes(signal)
      : KEYBOARD_SIGNALS.includes(signal) && [0, 1, 2].some((descriptor) => isatty(descriptor))
    if (!isToldAlready) kill(signal)
  }
  return { pid: child.pid, exited: handled(exited), kill, passOn }
}

/** Whoever waits for the promise still gets its rejection, but nobody has to wait. */
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
    // After SIGTERM the first process of a group may end before the others do: SIGKILL stays scheduled for those.
    if (!timedOut || !isGroup) cancel()
  }
}

/** The ID of a process group is that of its first process. */
function end(command: RunningCommand, isGroup: boolean, signal: NodeJS.Signals): void {
  if (!isGroup || command.pid === undefined) {
    command.kill(signal)
    return
  }
  try {
    process.kill(-command.pid, signal)
  } catch {} // it has ended
}

/** Absolute paths, because a directory in PATH may be anyone's. */
const NOTIFIERS: readonly string[] = ['/usr/bin/systemd-notify', '/bin/systemd-notify']
/** The program waits until systemd has read the message. */
const NOTIFY_TIMEOUT_MS = 2000

/**
 * Tells systemd the state of the service: `READY=1` or `STOPPING=1`, for example (sd_notify(3)). Node has no Unix
 * datagram sockets, so the program systemd-notify sends the message. It is not the service's own process, so the unit
 * needs `NotifyAccess=all`. Nothing happens if NOTIFY_SOCKET is not set, or if there is no such program.
 * @throws TransportError if the program fails
 */
export async function notifyServiceManager(
  message: string,
  env: Readonly<Record<string, string | undefined>>,
  {
    programs = NOTIFIERS,
    timeoutMs = NOTIFY_TIMEOUT_MS,
    ...clock
  }: Partial<TimeLimit> & { programs?: readonly string[] } = {},
): Promise<void> {
  const { NOTIFY_SOCKET = '' } = env
  const program = NOTIFY_SOCKET === '' ? undefined : programs.find(isProgram)
  if (program === undefined) return
  const end = await runSilently([program, message], { NOTIFY_SOCKET }, { timeoutMs, ...clock })
  if (end.code !== 0) throw new TransportError(`'${program}' could not send ${message}`)
}

export function isProgram(path: string): boolean {
  try {
    accessSync(path, modes.X_OK)
    return true
  } catch {
    return false
  }
}

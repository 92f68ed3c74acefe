/**
 * Tells systemd the state of the service (sd_notify). Node has no Unix datagram sockets, so the program systemd-notify
 * sends the message. It is not the service's own process, so the unit needs `NotifyAccess=all`. Nothing happens if
 * NOTIFY_SOCKET is not set, or if the program is missing or fails: the unit says what becomes of a service that never
 * reports that it is ready.
 */
import { accessSync, constants } from 'node:fs'
import { PortMappingError } from '../domain/errors.js'
import { runSilently, type TimeLimit } from './child-process.js'

/** Absolute paths, because a directory in PATH may be anyone's. */
const PROGRAMS = ['/usr/bin/systemd-notify', '/bin/systemd-notify'] as const
/** The program waits until systemd has read the message. */
const TIMEOUT_MS = 2000

export interface NotifyOptions extends Partial<TimeLimit> {
  readonly programs?: readonly string[]
}

/** Sends a message such as `READY=1` or `STOPPING=1` (sd_notify(3)). It never rejects. */
export async function notifyServiceManager(
  message: string,
  env: Readonly<Record<string, string | undefined>>,
  { programs = PROGRAMS, timeoutMs = TIMEOUT_MS, ...clock }: NotifyOptions = {},
): Promise<void> {
  const { NOTIFY_SOCKET = '' } = env
  const program = NOTIFY_SOCKET === '' ? undefined : programs.find(isProgram)
  if (program === undefined) return
  try {
    await runSilently([program, message], { NOTIFY_SOCKET }, { timeoutMs, ...clock })
  } catch (error) {
    if (!(error instanceof PortMappingError)) throw error
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

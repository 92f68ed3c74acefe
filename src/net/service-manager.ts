/**
 * Tells systemd how the service is (sd_notify). Node has no datagram sockets of the Unix kind, so systemd-notify carries
 * the message; it is another process than the service's own, so the unit needs `NotifyAccess=all`. Where NOTIFY_SOCKET
 * is not set, or there is no such program, or it fails, nothing happens: a service that does not say that it is ready is
 * its unit's matter.
 */
import { accessSync, constants } from 'node:fs'
import { PortMappingError } from '../domain/errors.js'
import { runSilently, type TimeLimit } from './child-process.js'

/** Never looked for in PATH, which may be anyone's. */
const PROGRAMS = ['/usr/bin/systemd-notify', '/bin/systemd-notify'] as const
/** It waits until systemd has read the message. */
const TIMEOUT_MS = 2000

export interface NotifyOptions extends Partial<TimeLimit> {
  readonly programs?: readonly string[]
}

/** `READY=1`, `STOPPING=1`; see sd_notify(3). It never rejects. */
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

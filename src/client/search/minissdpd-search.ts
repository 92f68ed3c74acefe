/**
 * Asks MiniSSDPd, where it runs on this computer, for the gateways that it has heard of: no packet is sent and there is
 * no wait. As upnpc does: one connection for each search target, until one has brought more than root devices.
 * The daemon is a shortcut; whatever goes wrong with it is as if it were not there, and the network is searched.
 */
import { PortMappingError } from '../../domain/errors.js'
import type { Clock } from '../../net/clock.js'
import type { UnixStreams } from '../../net/unix-stream.js'
import {
  decodeMiniSsdpdReply,
  encodeMiniSsdpdRequest,
  MAX_MINISSDPD_REPLY_BYTES,
  type MiniSsdpdDevice,
} from '../../wire/minissdpd.js'

/** Where the daemon listens unless it is told otherwise. */
export const MINISSDPD_PATH = '/var/run/minissdpd.sock'

/** In upnpc's order. The daemon looks past the version of a device type; older ones have to be asked for 2 as well. */
export const MINISSDPD_TARGETS = [
  'urn:schemas-upnp-org:device:InternetGatewayDevice:1',
  'urn:schemas-upnp-org:device:InternetGatewayDevice:2',
  'urn:schemas-upnp-org:service:WANIPConnection:1',
  'urn:schemas-upnp-org:service:WANPPPConnection:1',
  'upnp:rootdevice',
] as const

/** For all targets together. */
export const MINISSDPD_SEARCH_MS = 500

export interface MiniSsdpdSearchOptions {
  readonly clock: Clock
  readonly unixStreams: UnixStreams
  /** '' for no daemon at all. */
  readonly path?: string | undefined
  /** Ends the search, with what it has found. */
  readonly signal?: AbortSignal | undefined
}

/** What the daemon knows, in its order; who announced it is not known. None where there is no daemon. */
export async function searchMiniSsdpd(options: MiniSsdpdSearchOptions): Promise<MiniSsdpdDevice[]> {
  const { clock, path = MINISSDPD_PATH } = options
  const endMs = clock.monotonicMs() + MINISSDPD_SEARCH_MS
  const found: MiniSsdpdDevice[] = []
  for (const target of path === '' ? [] : MINISSDPD_TARGETS) {
    const devices = await ask(target, path, endMs - clock.monotonicMs(), options)
    found.push(...(devices ?? []))
    if (devices === undefined || devices.some((device) => !device.ST.includes('rootdevice'))) break
  }
  return found
}

/** Undefined where there is no use in asking on. */
async function ask(
  ST: string,
  path: string,
  timeoutMs: number,
  { unixStreams, signal }: MiniSsdpdSearchOptions,
): Promise<readonly MiniSsdpdDevice[] | undefined> {
  if (timeoutMs <= 0 || signal?.aborted) return undefined
  try {
    const answer = await unixStreams.exchange(path, encodeMiniSsdpdRequest({ kind: 'type', ST }), {
      timeoutMs,
      maxBytes: MAX_MINISSDPD_REPLY_BYTES,
      isComplete: (bytes) => decodeMiniSsdpdReply(bytes).ended,
      signal,
    })
    return decodeMiniSsdpdReply(answer).devices
  } catch (error) {
    if (error instanceof PortMappingError || signal?.aborted) return undefined
    throw error
  }
}

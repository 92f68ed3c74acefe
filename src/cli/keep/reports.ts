/** What the keeper tells -> Reports; what it tells again and again -> one. */
import type { TransportProtocol } from '../../domain/port-mapping.js'
import type { KeeperEvent } from '../../keeper/kept.js'
import { reportedError } from '../failure.js'
import type { OpenPort, Report } from '../report.js'
import { type HeldEither, type KeptEither, openPortOf } from './facts.js'

/** Of failures in a row that say the same the first is told; an end of the row is a success, or the loss of the port. */
export class Repetitions {
  readonly #failures = new Map<KeptEither, string>()

  isOne(event: KeeperEvent<HeldEither>): boolean {
    if (!('kept' in event)) return false
    if (event.type !== 'failed') {
      this.#failures.delete(event.kept)
      return false
    }
    const failure = `${event.error.code} ${event.error.message}`
    if (this.#failures.get(event.kept) === failure) return true
    this.#failures.set(event.kept, failure)
    return false
  }
}

/** `portOf`: what it was last, as far as is known. */
export function reportsOf(
  event: KeeperEvent<HeldEither>,
  timeMs: number,
  portOf: (kept: KeptEither) => OpenPort | undefined,
): Report[] {
  if (event.type === 'found') return []
  if (event.type === 'searching' || event.type === 'gateway-lost')
    return [{ type: event.type, timeMs, error: reportedError(event.error) }]
  if (event.type === 'external-address') {
    const { address, previous } = event
    return previous === undefined ? [] : [{ type: 'external-address-changed', timeMs, address, previous }]
  }
  const { kept } = event
  const about = { timeMs, name: kept.name, port: portOf(kept) }
  switch (event.type) {
    case 'mapped':
    case 'renewed':
    case 'restored': {
      const { type, held } = event
      const leaseSeconds = Number.isFinite(held.leaseMs) ? Math.round(held.leaseMs / 1000) : 0
      const common = { ...about, port: openPortOf(held, timeMs), leaseSeconds }
      if (type === 'renewed') return [{ type, ...common }]
      if (type === 'restored') return [{ type, ...common, afterMs: event.afterMs }]
      return firstReports(held, leaseSeconds, timeMs)
    }
    case 'lost':
      return [{ type: 'lost', ...about, reason: event.reason }]
    case 'failed':
      return [{ type: 'keep-failed', ...about, error: reportedError(event.error), againInMs: event.againInMs }]
    case 'removed':
      return [{ type: 'removed', ...about }]
    case 'not-removed':
      return [{ type: 'not-removed', ...about, error: reportedError(event.error) }]
  }
}

/** As the same command without --keep says it. */
function firstReports(held: HeldEither, leaseSeconds: number, timeMs: number): Report[] {
  if ('pinhole' in held) {
    const asked = { ...held.pinhole, remoteHostTyped: held.pinhole.remoteHost }
    return [{ type: 'pinhole-added', timeMs, asked, ok: true, id: held.id }]
  }
  const { mapping, externalAddress: address = '' } = held
  const { externalPort = 0, internalPort = 0, internalClient, remoteHost, description } = mapping
  const protocol: TransportProtocol = mapping.protocol === 'UDP' ? 'UDP' : 'TCP'
  const lease = leaseSeconds === 0 ? ('unlimited' as const) : { seconds: leaseSeconds }
  const asked = { externalPort, internalPort, internalClient, remoteHost, description, protocol, lease }
  return [
    { type: 'external-address', during: 'map', ok: true, address },
    { type: 'mapped', timeMs, asked, mapping, externalAddress: address },
  ]
}

/** What the keeper tells -> Reports. Pure. */
import type { TransportProtocol } from '../domain/port-mapping.js'
import type { KeeperEvent } from '../keeper/kept.js'
import { reportedError } from './failure.js'
import { type HeldEither, openPortOf } from './keep-facts.js'
import type { Report } from './report.js'

export function reportsOf(event: KeeperEvent<HeldEither>, timeMs: number): Report[] {
  switch (event.type) {
    case 'found':
      return []
    case 'searching':
    case 'gateway-lost':
      return [{ type: event.type, timeMs, error: reportedError(event.error) }]
    case 'mapped':
    case 'renewed':
    case 'restored': {
      const { type, kept, held } = event
      const leaseSeconds = Number.isFinite(held.leaseMs) ? Math.round(held.leaseMs / 1000) : 0
      const common = { timeMs, name: kept.name, port: openPortOf(held, timeMs), leaseSeconds }
      if (type === 'renewed') return [{ type, ...common }]
      if (type === 'restored') return [{ type, ...common, afterMs: event.afterMs }]
      return firstReports(held, leaseSeconds, timeMs)
    }
    case 'lost':
      return [{ type: 'lost', timeMs, name: event.kept.name, reason: event.reason }]
    case 'failed':
      return [
        {
          type: 'keep-failed',
          timeMs,
          name: event.kept.name,
          error: reportedError(event.error),
          againInMs: event.againInMs,
        },
      ]
    case 'external-address': {
      const { address, previous } = event
      return previous === undefined ? [] : [{ type: 'external-address-changed', timeMs, address, previous }]
    }
    case 'removed':
      return [{ type: 'removed', timeMs, name: event.kept.name }]
    case 'not-removed':
      return [{ type: 'not-removed', timeMs, name: event.kept.name, error: reportedError(event.error) }]
  }
}

/** As the same command without --keep says it. */
function firstReports(held: HeldEither, leaseSeconds: number, timeMs: number): Report[] {
  if ('pinhole' in held) {
    const asked = { ...held.pinhole, remoteHostTyped: held.pinhole.remoteHost }
    return [{ type: 'pinhole-added', asked, ok: true, id: held.id }]
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

/** Report -> one JSON object on one line. Pure. The fields are documented in the README; what is not known is null. */
import { leaseToSeconds } from '../../domain/port-mapping.js'
import type { Report } from '../report.js'
import { cleanedJson } from './clean.js'

export function renderJson(report: Report): string {
  const json = JSON.stringify(plainObject(report), (_key, value: unknown) => (value === undefined ? null : value))
  return `${cleanedJson(json)}\n`
}

/** What is one thing to a person is flat here; a lease is a number of seconds, 0 for unlimited; a time is ISO 8601. */
function plainObject(report: Report): object {
  if (report.type === 'mapping') return { type: report.type, index: report.index, ...report.mapping }
  if (report.type === 'pinhole-added' || report.type === 'outbound-timeout') {
    const { remoteHostTyped: _, ...asked } = report.asked
    return 'timeMs' in report ? withTime({ ...report, asked }) : { ...report, asked }
  }
  if (report.type !== 'mapped' && 'timeMs' in report) return withTime(report)
  if (report.type === 'mapped' || report.type === 'map-failed') {
    const { lease, ...asked } = report.asked
    return {
      ...(report.type === 'mapped' && report.timeMs !== undefined ? withTime(report) : report),
      asked: { ...asked, leaseSeconds: leaseToSeconds(lease) },
    }
  }
  if (report.type === 'status' && report.ok) {
    const { connectedSinceMs, ...status } = report
    return { ...status, connectedSince: connectedSinceMs === undefined ? null : isoSeconds(connectedSinceMs) }
  }
  if (report.type === 'port-control-status') {
    const { sinceMs, ...status } = report
    return { ...status, since: isoSeconds(sinceMs) }
  }
  if (report.type === 'error') {
    const { withUsage: _, ...rest } = report
    return rest
  }
  return report
}

/** Behind the type: when. */
function withTime<R extends { readonly type: string; readonly timeMs?: number }>({
  type,
  timeMs = 0,
  ...rest
}: R): object {
  const { port, name, afterMs, againInMs, ...others } = rest as Partial<
    Record<'port' | 'name' | 'afterMs' | 'againInMs', unknown>
  >
  const named = name === undefined ? {} : { name }
  const flat = typeof port === 'object' && port !== null ? flatPort(port) : {}
  const seconds = (ms: unknown) => (typeof ms === 'number' ? Math.round(ms) / 1000 : undefined)
  const spans = {
    ...(afterMs === undefined ? {} : { afterSeconds: seconds(afterMs) }),
    ...(againInMs === undefined ? {} : { againInSeconds: seconds(againInMs) }),
  }
  return { type, time: new Date(timeMs).toISOString(), ...named, ...flat, ...others, ...spans }
}

function flatPort(port: object): object {
  const { endsWallMs: _, ...rest } = port as Record<string, unknown>
  return rest
}

function isoSeconds(wallMs: number): string {
  return new Date(Math.floor(wallMs / 1000) * 1000).toISOString().replace('.000Z', 'Z')
}

/** -d, -f and -N: what they ask a gateway, as Reports in upnpc's order, and their exit codes. */
import type { PortMappingError } from '../../domain/errors.js'
import type { Gateway, PortRange } from '../../domain/gateway.js'
import type { MappingKey } from '../../domain/port-mapping.js'
import type { Chosen, ChosenGateway, RunContext } from '../context.js'
import { attemptWrite, type Reporting, reportedError } from '../failure.js'
import type { GatewayCommand } from '../parse/command-table.js'
import type { ExitCode, Report } from '../report.js'

/** -d and -f. If a deletion fails, the next one is still done. */
export async function* unmap(
  { keys, exitCodeOfFailure }: Extract<GatewayCommand, { name: 'unmap' }>,
  { gateway }: ChosenGateway,
  context: RunContext,
): Reporting<ExitCode> {
  let exitCode: ExitCode = 0
  for (const key of keys) {
    const isKnown = gateway.protocol === 'igd' || (await gateway.remembers(key))
    const done = await attemptWrite(() => gateway.unmap(key))
    if (!done.ok) exitCode = exitCodeOfFailure
    yield done.ok ? { type: 'unmapped', via: gateway.protocol, key } : unmapFailed(gateway, key, done.error)
    if (!done.ok) context.signal.throwIfAborted()
    // PCP and NAT-PMP also say yes if there is nothing to delete (RFC 6886 3.4, RFC 6887 15).
    if (done.ok && !isKnown) yield { type: 'notice', kind: 'deleted-unknown', via: gateway.protocol, key }
  }
  return exitCode
}

export function unmapFailed({ protocol: via }: Gateway, key: MappingKey, error: PortMappingError): Report {
  return { type: 'unmap-failed', via, key, error: reportedError(error) }
}

/** -N */
export async function* unmapRanges(
  ranges: readonly PortRange[],
  chosen: Chosen,
  context: RunContext,
): Reporting<ExitCode> {
  let exitCode: ExitCode = 0
  for (const range of ranges) {
    const done = await attemptWrite(() => chosen.gateway.unmapRange(range))
    if (!done.ok) exitCode = 2
    yield done.ok
      ? { type: 'range-unmapped', range }
      : { type: 'range-unmap-failed', range, error: reportedError(done.error) }
    if (!done.ok) context.signal.throwIfAborted()
  }
  return exitCode
}

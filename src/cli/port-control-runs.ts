/** The commands that PCP and NAT-PMP have, beside those that are the same for every gateway: -s. */
import { PortMappingError } from '../domain/errors.js'
import { attempt, reportedError } from './failure.js'
import type { ExitCode, Report } from './report.js'
import type { ChosenPortControl, RunContext } from './run.js'

/** -s: how long the gateway has been up, or has had its mappings; and its external address. */
export async function* reportPortControlStatus(
  { gateway, externalAddress }: ChosenPortControl,
  context: RunContext,
): AsyncGenerator<Report, ExitCode> {
  const { epochSeconds, protocol: via } = gateway
  const sinceMs = context.clock.wallMs() - epochSeconds * 1000
  yield { type: 'port-control-status', via, epochSeconds, sinceMs }
  const address = await attempt(context.signal, async () => externalAddress ?? (await gateway.externalAddress()))
  yield {
    type: 'external-address',
    during: 'status',
    ...(address.ok ? { ok: true, address: address.value } : { ok: false, error: reportedError(address.error) }),
  }
  return address.ok ? 0 : 2
}

/** Told at the end, and once: what went wrong without stopping the command. */
export function* troublesOf({ troubles }: ChosenPortControl): Generator<Report> {
  for (const error of troubles) {
    if (!(error instanceof PortMappingError)) continue
    const consequence = 'another run of upnp-ts will not be able to close what this one opened; it runs out by itself'
    yield {
      type: 'notice',
      message: `the key of this computer for PCP cannot be kept (${error.message}): ${consequence}`,
    }
  }
}

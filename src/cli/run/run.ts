/**
 * A GatewayInvocation -> Reports, in the order in which upnpc prints, and the exit code. It finds a gateway, reports
 * which one, and hands over to the command. It knows nothing about SOAP, PCP or any other message.
 */
import type { RunContext } from '../context.js'
import type { GatewayInvocation } from '../parse/invocation.js'
import type { ExitCode, Report } from '../report.js'
import { runCommand, runOverPortControl } from './dispatch.js'
import { find } from './find.js'

export async function* run(
  invocation: GatewayInvocation,
  context: RunContext,
): AsyncGenerator<Report, ExitCode, undefined> {
  if (wantsIPv6(invocation)) yield { type: 'pinhole-advice' }
  const chosen = yield* find(invocation, context)
  if (chosen === undefined) return 1
  yield { type: 'local-address', address: chosen.gateway.localAddress }
  if (chosen.protocol === 'igd') return yield* runCommand(invocation, chosen, context)
  return yield* runOverPortControl(invocation, chosen, context)
}

/** Whether the user should ask the router over IPv6: for pinholes, without -6. PCP always uses IPv6 for them. */
export function wantsIPv6({ facts, search: { family }, portControl: { via } }: GatewayInvocation): boolean {
  return family === 4 && via !== 'pcp' && facts.family === 6
}

/**
 * A GatewayInvocation -> Reports, in the order in which upnpc prints, and the exit code. It finds the gateway, says
 * which, and hands over to the command. It knows gateways and discovery, and nothing of what is under them.
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

/** The commands about single pinholes want the router to be asked over IPv6. PCP is, always. */
export function wantsIPv6({ facts, search: { family }, portControl: { via } }: GatewayInvocation): boolean {
  return family === 4 && via !== 'pcp' && facts.family === 6
}

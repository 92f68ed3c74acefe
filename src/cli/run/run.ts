/**
 * A GatewayInvocation -> Reports, in the order in which upnpc prints, and the exit code. It finds the gateway, says
 * which, and hands over to the command. It knows gateways and discovery, and nothing of what is under them.
 */
import type { RunContext } from '../context.js'
import type { GatewayInvocation } from '../parse/invocation.js'
import type { ExitCode, Report } from '../report.js'
import { runCommand, runOverPortControl } from './dispatch.js'
import { describeGiven, search } from './find.js'

export async function* run(
  invocation: GatewayInvocation,
  context: RunContext,
): AsyncGenerator<Report, ExitCode, undefined> {
  const { url } = invocation
  if (wantsIPv6(invocation)) yield { type: 'pinhole-advice' }
  const chosen = yield* url === undefined ? search(invocation, context) : describeGiven(url, invocation, context)
  if (chosen === undefined) return 1
  yield { type: 'local-address', address: chosen.gateway.localAddress }
  if ('troubles' in chosen) return yield* runOverPortControl(invocation, chosen, context)
  return yield* runCommand(invocation, chosen, context)
}

/** The commands about single pinholes want the router to be asked over IPv6. PCP is, always. */
export function wantsIPv6({ facts, search: { family }, portControl: { via } }: GatewayInvocation): boolean {
  return family === 4 && via !== 'pcp' && facts.family === 6
}

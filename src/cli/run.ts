/**
 * A GatewayInvocation -> Reports, in the order in which upnpc prints, and the exit code. It finds the gateway, says
 * which, and hands over to the command. It knows gateways and discovery, and nothing of what is under them.
 */
import type { Candidate } from '../client/candidate.js'
import type { SearchRoute } from '../client/search-routes.js'
import type { PortMappingError } from '../domain/errors.js'
import type { Gateway, IgdGateway, PortControlGateway } from '../domain/gateway.js'
import type { Endpoint } from '../net/datagrams.js'
import type { ClientNet } from '../net/network.js'
import type { PrivateFiles } from '../net/state-directory.js'
import { describeGiven, search } from './find.js'
import type { GatewayInvocation } from './invocation.js'
import type { ExitCode, Report } from './report.js'

/** What a command is run with; tests bring their own. */
export interface RunContext extends ClientNet {
  readonly signal: AbortSignal
  /** The user's own: the key of PCP's nonces, and what was mapped. */
  readonly files: PrivateFiles
  /** Search there and nowhere else, and ask that one for PCP and NAT-PMP: the emulated gateway. */
  readonly onlyRoute?: SearchRoute | undefined
  readonly onlyEndpoint?: Endpoint | undefined
  /** Called when the searches are on their way: the moment for what need not come before them. */
  readonly whileWaiting: () => void
}

/** What is known about the chosen gateway, beside the gateway itself. */
export interface ChosenGateway<G extends Gateway = Gateway> {
  readonly gateway: G
  readonly externalAddress: string | undefined
}

export interface Chosen extends ChosenGateway<IgdGateway>, Pick<Candidate, 'status'> {}

export interface ChosenPortControl extends ChosenGateway<PortControlGateway> {
  /** What went wrong beside the command; filled while it runs. */
  readonly troubles: readonly PortMappingError[]
}

export async function* run(
  invocation: GatewayInvocation,
  context: RunContext,
): AsyncGenerator<Report, ExitCode, undefined> {
  const { url } = invocation
  if (wantsIPv6(invocation)) yield { type: 'pinhole-advice' }
  const chosen = yield* url === undefined ? search(invocation, context) : describeGiven(url, invocation, context)
  if (chosen === undefined) return 1
  yield { type: 'local-address', address: chosen.gateway.localAddress }
  // Not needed before the search is on its way.
  const { runCommand, runOverPortControl } = await import('./run-command.js')
  if ('troubles' in chosen) return yield* runOverPortControl(invocation, chosen, context)
  return yield* runCommand(invocation, chosen, context)
}

/** The commands about single pinholes want the router to be asked over IPv6. PCP is, always. */
export function wantsIPv6({ command: { name }, search: { family }, portControl: { via } }: GatewayInvocation): boolean {
  return family === 4 && via !== 'pcp' && (/pinhole/.test(name) || name === 'outbound-timeout')
}

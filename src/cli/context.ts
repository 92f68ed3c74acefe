/** What a command is run with, and what it knows about the gateway that was chosen. */
import type { SearchRoute } from '../client/search/routes.js'
import type { FoundGateway, FoundIgd, FoundPortControl } from '../library/search-gateway.js'
import type { Endpoint } from '../net/datagrams.js'
import type { PrivateFiles } from '../net/files/private-files.js'
import type { ClientNet } from '../net/network.js'

/** What a command is run with; tests bring their own. */
export interface RunContext extends ClientNet {
  readonly signal: AbortSignal
  /** The user's own: the key of PCP's nonces, and what was mapped. */
  readonly files: PrivateFiles
  /** Search there and nowhere else, and ask that one for PCP and NAT-PMP: the emulated gateway. */
  readonly onlyRoute?: SearchRoute | undefined
  readonly onlyEndpoint?: Endpoint | undefined
  /** Called once, when all requests that can be sent are on their way: the moment for what need not come before them. */
  readonly onIdle?: () => void
}

/** What is known about the chosen gateway, beside the gateway itself. */
export type ChosenGateway = Pick<FoundGateway, 'gateway' | 'externalAddress'>
export type Chosen = Omit<FoundIgd, 'protocol'>
export type ChosenPortControl = Omit<FoundPortControl, 'protocol'>

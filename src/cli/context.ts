/** What a command gets: the network, the user's files, a signal to stop, and the chosen gateway. */
import type { SearchRoute } from '../client/search/routes.js'
import type { FoundGateway, FoundIgd, FoundPortControl } from '../library/search-gateway.js'
import type { Endpoint } from '../net/datagrams.js'
import type { PrivateFiles } from '../net/files/private-files.js'
import type { ClientNet } from '../net/network.js'
import type { Listeners } from '../net/tables/listeners.js'

/** Everything outside itself that a command uses. Tests bring their own. */
export interface RunContext extends ClientNet {
  readonly signal: AbortSignal
  /** How long each whole answer of an IGD may take. If undefined, 30 s. */
  readonly answerMs?: number | undefined
  /** The user's private files: the key of PCP's nonces, and what was mapped. */
  readonly files: PrivateFiles
  /** For the emulated gateway: the only route to search on, and the only endpoint to ask for PCP and NAT-PMP. */
  readonly onlyRoute?: SearchRoute | undefined
  readonly onlyEndpoint?: Endpoint | undefined
  /** Who listens on this computer. Without it, that is not known. */
  readonly listeners?: (() => Promise<Listeners>) | undefined
  /** Whether the person at the terminal agrees to what was asked. Without it, nobody can be asked. */
  readonly agrees?: ((signal: AbortSignal) => Promise<boolean>) | undefined
  /** Called once, when every request that can be sent is on its way: the moment for work that can wait until then. */
  readonly onIdle?: () => void
}

/** The chosen gateway, and what the search learned about it. */
export interface ChosenGateway extends Pick<FoundGateway, 'gateway' | 'externalAddress' | 'router'> {
  /** It may not be the one that the internet comes in by. */
  readonly isDoubtful?: boolean
}
export type Chosen = Omit<FoundIgd, 'protocol'> & ChosenGateway
export type ChosenPortControl = Omit<FoundPortControl, 'protocol'> & ChosenGateway

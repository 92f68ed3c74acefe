/** What a quirk can change about the emulated gateway. A quirk leaves out the hooks that it does not need. */
import type { IgdActionName } from '../../wire/igd-actions.js'
import type { IgdOffer } from '../igd/offer.js'
import type { NatPmpOperation } from '../port-control/natpmp-responder.js'
import type { PcpOperation } from '../port-control/pcp-responder.js'

/** What a quirk can refuse. */
export type Operation = IgdActionName | PcpOperation | NatPmpOperation

export interface Hooks {
  /** Changes what the gateway offers over UPnP. */
  readonly offer?: (offer: IgdOffer) => IgdOffer
  /** How long the gateway waits before it answers a search. */
  readonly searchDelayMs?: number
  /** Called once before each operation. Returns the code to refuse it with, or undefined to carry it out. */
  readonly refusalOf?: (operation: Operation) => number | undefined
}

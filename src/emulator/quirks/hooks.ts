/** What a quirk can change about the emulated gateway. What it leaves out stays as it is. */
import type { IgdActionName } from '../../wire/igd-actions.js'
import type { IgdOffer } from '../igd/offer.js'
import type { NatPmpOperation } from '../port-control/natpmp-responder.js'
import type { PcpOperation } from '../port-control/pcp-responder.js'

/** What can be refused by its name. */
export type Operation = IgdActionName | PcpOperation | NatPmpOperation

export interface Hooks {
  /** Changes what the gateway offers over UPnP. */
  readonly offer?: (offer: IgdOffer) => IgdOffer
  /** How long the gateway waits before it answers a search. */
  readonly searchDelayMs?: number
  /** Asked once before each operation: the code with which it is refused, or undefined to carry it out. */
  readonly refusalOf?: (operation: Operation) => number | undefined
}

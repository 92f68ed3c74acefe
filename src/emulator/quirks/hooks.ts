/** What a quirk can change about the emulated gateway. Whatever a quirk does not name stays as the standards want it. */
import type { IgdActionName } from '../../wire/igd-actions.js'
import type { IgdOffer } from '../igd/offer.js'
import type { NatPmpOperation } from '../port-control/natpmp-responder.js'
import type { PcpOperation } from '../port-control/pcp-responder.js'

/** What can be refused by its name. */
export type Operation = IgdActionName | PcpOperation | NatPmpOperation

export interface Hooks {
  /** What it offers over UPnP, made of what it would offer. */
  readonly offer?: (offer: IgdOffer) => IgdOffer
  /** How long after a search the answers to it leave. */
  readonly searchDelayMs?: number
  /** Asked once before each operation: the code with which it is refused, or undefined to carry it out. */
  readonly refusalOf?: (operation: Operation) => number | undefined
}

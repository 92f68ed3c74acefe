/** What an action of IGD is carried out with, and the shape of the functions that carry them out. */
import type { IgdActionName, InArguments, OutArguments } from '../../wire/igd-actions.js'
import type { GatewayState } from '../gateway-state.js'

export interface ActionContext extends GatewayState {
  readonly nowMs: number
  /** The address of the control point. */
  readonly askingAddress: string
}

export type ActionHandler<A extends IgdActionName> = (args: InArguments<A>, context: ActionContext) => OutArguments<A>

/** One handler for each action of these names. */
export type ActionHandlers<Names extends IgdActionName = IgdActionName> = { readonly [A in Names]: ActionHandler<A> }

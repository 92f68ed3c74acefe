/** The types of the functions that carry out IGD actions, and what each of them gets besides the arguments. */
import type { IgdActionName, InArguments, OutArguments } from '../../wire/igd-actions.js'
import type { GatewayState } from '../gateway-state.js'

export interface ActionContext extends GatewayState {
  readonly nowMs: number
  /** The address of the control point, which is the UPnP word for the client. */
  readonly askingAddress: string
}

export type ActionHandler<A extends IgdActionName> = (args: InArguments<A>, context: ActionContext) => OutArguments<A>

/** A handler for each of these actions. */
export type ActionHandlers<Names extends IgdActionName = IgdActionName> = { readonly [A in Names]: ActionHandler<A> }

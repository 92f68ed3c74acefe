/** What the responders of the emulated gateway have to go by, and the shape of what carries out an action of IGD. */

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

/** Counters are 32 bits and wrap (WANCommonInterfaceConfig:1 2.2.7). */
export function ui4(value: number): string {
  return String(Math.trunc(value) % 2 ** 32)
}

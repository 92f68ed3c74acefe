/** What is in the way of a mapping that a gateway refused, and what to know about one that it made: as facts. */
import type { PortMapping } from './port-mapping.js'

/** A mapping to an earlier address of this computer. */
export interface LeftBehind {
  readonly internalClient: string
  readonly internalPort: number
  /** When its lease ends; Infinity for never. */
  readonly endsWallMs: number
}

export type RefusalCause =
  /** The external port leads to another computer, which may be this one with an earlier address. */
  | { readonly kind: 'port-taken'; readonly mapping: PortMapping }
  /** The external port leads to the computer that was asked for or to this one, but not as it was asked for. */
  | { readonly kind: 'port-differs'; readonly mapping: PortMapping; readonly isForThisComputer: boolean }
  /** The same computer and internal port are open at another external port. Some gateways allow only one. */
  | { readonly kind: 'open-elsewhere'; readonly mapping: PortMapping; readonly isForThisComputer: boolean }
  /** This user has opened it from an address that this computer does not have any more. `mapping`: as it is shown. */
  | ({ readonly kind: 'left-behind'; readonly mapping?: PortMapping } & LeftBehind)
  /** The gateway shows neither. */
  | { readonly kind: 'nobody-shown'; readonly isForThisComputer: boolean }
  | MappingDoubt

export type MappingDoubt =
  /** The internal client is not a computer at home: it is the gateway itself, or an address of the internet. */
  | { readonly kind: 'client-is-router' | 'client-is-public'; readonly address: string }
  /** The gateway is on none of this computer's networks. */
  | { readonly kind: 'another-nat'; readonly gatewayAddress: string; readonly localAddress: string }

export type MappingNote =
  /** The gateway refused the description that was given, and took this one. */
  | { readonly kind: 'description-changed'; readonly description: string }
  /** The external port led to an earlier address of this computer, and that mapping has been closed. */
  | { readonly kind: 'left-behind-closed'; readonly address: string }
  /** The gateway had the mapping already, and did not begin its lease anew. */
  | { readonly kind: 'lease-not-renewed'; readonly leaseSeconds: number }
  | MappingDoubt

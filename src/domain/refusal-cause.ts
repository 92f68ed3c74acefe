/** What is in the way of a mapping that a gateway refused, and what to know about one that it made: as facts. */
import type { PortMapping } from './port-mapping.js'

export type RefusalCause =
  /** The external port leads to another computer, which may be this one with an earlier address. */
  | { readonly kind: 'port-taken'; readonly mapping: PortMapping }
  /** The external port leads to the computer that was asked for or to this one, but not as it was asked for. */
  | { readonly kind: 'port-differs'; readonly mapping: PortMapping; readonly isForThisComputer: boolean }
  /** The same computer and internal port are open at another external port. Some gateways allow only one. */
  | { readonly kind: 'open-elsewhere'; readonly mapping: PortMapping; readonly isForThisComputer: boolean }
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
  /** The gateway had the mapping already, and did not begin its lease anew. */
  | { readonly kind: 'lease-not-renewed'; readonly leaseSeconds: number }
  | MappingDoubt

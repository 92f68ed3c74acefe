/** The facts of a failure, as data: of one request, and of a search that found nothing. */
import type { GatewayProtocol, Via } from './port-mapping.js'

/** What went wrong, by its cause. */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'NO_GATEWAY'
  | 'NO_REPLY'
  | 'TRANSPORT'
  | 'MALFORMED_MESSAGE'
  | 'REFUSED'
  | 'NOT_CONFIRMED'

/** One failure. USAGE and INTERNAL are the command line's own. */
export interface ErrorFacts {
  readonly code: ErrorCode | 'USAGE' | 'INTERNAL'
  readonly message: string
  /** The standard's name for the request, such as AddPortMapping. */
  readonly action?: string
  /** If the gateway refused: the protocol, the number of the error, and the standard's name for it. */
  readonly via?: GatewayProtocol
  readonly number?: number
  readonly name?: string
  /** What the gateway itself wrote about the error. */
  readonly description?: string
  /** The gateway said yes, but reading back what it made failed. */
  readonly isUnconfirmed?: true
}

/** What a search without a result has asked, and what came. */
export interface SearchSummary {
  readonly via: Via
  readonly searchedMs: number
  /** The interfaces of the search. A name is undefined if it is unknown. */
  readonly interfaces: readonly { readonly name: string | undefined; readonly address: string }[]
  readonly defaultGateways: readonly string[]
  /** The search was over IPv4, and this computer has only IPv6. */
  readonly lacksIPv4: boolean
  /** The host `from` told of an IGD on another host, which is used only with --any-host. */
  readonly referral?: { readonly from: string; readonly location: string }
  /** The gateways that were asked for PCP and NAT-PMP, and how each of them failed. */
  readonly portControl: readonly {
    readonly via: 'pcp' | 'nat-pmp'
    readonly gateway: string
    readonly port: number
    readonly error: ErrorFacts
  }[]
  /** A gateway that speaks PCP or NAT-PMP, which does not help: only an IGD can do the command. */
  readonly answered: { readonly via: 'pcp' | 'nat-pmp'; readonly gateway: string } | undefined
}

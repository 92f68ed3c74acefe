/**
 * Everything that the tool can say, as data. `run` yields Reports; print/text.ts makes upnpc's text of them and
 * print/json.ts one JSON object each. Texts in them may come from the network: they are cleaned when rendered.
 */
import type { CandidateKind } from '../client/search/candidate.js'
import type { Via } from '../client/search/open-gateway.js'
import type { ErrorCode } from '../domain/errors.js'
import type { ConnectionStatus, LinkRates, ListingEnd, PortRange, TrafficCounters } from '../domain/gateway.js'
import type { FirewallStatus, PinholeId, PinholeRequest } from '../domain/pinhole.js'
import type { GatewayProtocol, MappingKey, MappingRequest, PortMapping } from '../domain/port-mapping.js'
import type { LossReason } from '../keeper/kept.js'
import type { Endpoint } from '../net/datagrams.js'

/** Of the Reports, those of one type. */
export type ReportOf<T extends Report['type']> = Extract<Report, { readonly type: T }>

export interface ReportedError {
  readonly code: ErrorCode | 'USAGE' | 'INTERNAL'
  readonly message: string
  /** The standard's name of what was asked, e.g. AddPortMapping. */
  readonly action?: string
  /** Where the gateway refused: over which protocol, the number of the error and its name in the standard. */
  readonly via?: GatewayProtocol
  readonly number?: number
  readonly name?: string
  /** What the gateway itself wrote about it. */
  readonly description?: string
  /** The gateway had said yes: what failed is to read back what it made. */
  readonly isUnconfirmed?: true
}

/** What a question was answered with, or why it was not. */
export type Answer<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly error: ReportedError }

export type Report =
  | { readonly type: 'device'; readonly location: string; readonly searchTarget: string; readonly server: string }
  | {
      readonly type: 'gateway'
      readonly via: 'igd'
      readonly state: CandidateKind
      readonly controlUrl: string
      /** Where it was learnt on the way. */
      readonly externalAddress: string | undefined
      /** Whether the command goes on with it. */
      readonly used: boolean
      /** Goes on only because -i was given. */
      readonly forced: boolean
    }
  | {
      readonly type: 'gateway'
      readonly via: 'pcp' | 'nat-pmp'
      readonly address: string
      readonly port: number
      /** Seconds since it began or lost its state. */
      readonly epochSeconds: number
    }
  | { readonly type: 'local-address'; readonly address: string }
  | ({ readonly type: 'connection-type' } & Answer<{ readonly connectionType: string }>)
  | ({ readonly type: 'status' } & Answer<ConnectionStatus & { readonly connectedSinceMs: number | undefined }>)
  | ({ readonly type: 'link-rates' } & Answer<LinkRates>)
  /** `during` tells which command asked: the sentence for a failure is not the same. */
  | ({ readonly type: 'external-address'; readonly during: 'status' | 'map' } & Answer<{ readonly address: string }>)
  | ({ readonly type: 'traffic' } & TrafficCounters)
  | {
      readonly type: 'port-control-status'
      readonly via: 'pcp' | 'nat-pmp'
      readonly epochSeconds: number
      readonly sinceMs: number
    }
  | { readonly type: 'listing' }
  | { readonly type: 'mapping'; readonly index: number; readonly mapping: PortMapping }
  | { readonly type: 'listing-end'; readonly count: number; readonly endedBy: ListingEnd }
  | { readonly type: 'listing-failed'; readonly count: number; readonly error: ReportedError }
  | {
      readonly type: 'mapped'
      /** When, with --keep. */
      readonly timeMs?: number
      readonly asked: MappingRequest
      /** As the gateway shows it. */
      readonly mapping: PortMapping
      readonly externalAddress: string
    }
  | {
      readonly type: 'map-failed'
      readonly via: GatewayProtocol
      readonly asked: MappingRequest
      readonly error: ReportedError
    }
  /** The other protocol of TCP+UDP could not be had. */
  | { readonly type: 'taken-back'; readonly key: MappingKey }
  | { readonly type: 'unmapped'; readonly via: GatewayProtocol; readonly key: MappingKey }
  | {
      readonly type: 'unmap-failed'
      readonly via: GatewayProtocol
      readonly key: MappingKey
      readonly error: ReportedError
    }
  | { readonly type: 'list-at-once-failed'; readonly error: ReportedError }
  | { readonly type: 'range-unmapped'; readonly range: PortRange }
  | { readonly type: 'range-unmap-failed'; readonly range: PortRange; readonly error: ReportedError }
  | { readonly type: 'presentation-url'; readonly url: string }
  | PinholeReport
  | KeeperReport
  | {
      readonly type: 'emulator'
      readonly descriptionUrl: string
      readonly address: string
      /** Why it does not answer searches there. */
      readonly searchError: ReportedError | undefined
      /** Where it speaks PCP and NAT-PMP. */
      readonly portControl: Endpoint | undefined
      readonly portControlError: ReportedError | undefined
    }
  | ({ readonly type: 'notice' } & Notice)
  /** The command ends here. */
  | {
      readonly type: 'error'
      readonly error: ReportedError | Obstacle
      readonly searched?: SearchSummary
      readonly withUsage?: true
    }

/** Something worth knowing beside the command's own output, as facts: print makes the sentence. */
export type Notice =
  /** TCP+UDP is both or none, but no time is left to close the UDP half. */
  | { readonly kind: 'still-open'; readonly key: MappingKey }
  | { readonly kind: 'pinhole-still-open'; readonly id: PinholeId }
  /** TCP+UDP is both or none: the UDP half was to be closed again. */
  | { readonly kind: 'pinhole-taken-back'; readonly id: PinholeId; readonly closed: boolean }
  /** The mapping works only from inside the network in front of the router. */
  | { readonly kind: 'address-not-public'; readonly address: string }
  /** -n: the router was asked for one port after the other, because it does not choose one. */
  | { readonly kind: 'port-not-chosen'; readonly error: ReportedError }
  /** Deleted over PCP or NAT-PMP, which say yes too if there is nothing (RFC 6886 3.4, RFC 6887 15). */
  | { readonly kind: 'deleted-unknown'; readonly via: 'pcp' | 'nat-pmp'; readonly key: MappingKey }
  /** -L: the router is asked for one entry after the other. */
  | { readonly kind: 'not-listed-at-once' }
  /** -L: the router gave as many entries as it was asked for. */
  | { readonly kind: 'listing-full'; readonly count: number }
  | { readonly kind: 'no-presentation-url' }
  | { readonly kind: 'nonce-key-not-kept'; readonly error: ReportedError }
  /** The program starts, although not every port is open. */
  | { readonly kind: 'started-without-ports'; readonly someOpen: boolean; readonly afterMs: number }
  | ({ readonly kind: 'hook-failed' } & HookFailure)
  | { readonly kind: 'state-not-written'; readonly error: ReportedError }

/** What became of the command of --on-change. */
export type HookFailure =
  | { readonly reason: 'not-started'; readonly error: ReportedError }
  | { readonly reason: 'timeout' }
  | { readonly reason: 'signal'; readonly signal: string }
  | { readonly reason: 'exit'; readonly exitStatus: number }

/** What keeps a command from being done at all, as facts: print makes the message. */
export type Obstacle =
  /** Ports are mapped over IPv4, and the gateway is asked over IPv6. */
  | { readonly kind: 'no-ipv4-address' }
  /** --require */
  | { readonly kind: 'program-not-started'; readonly someOpen: boolean; readonly afterMs: number }

/** Pinholes in the router's IPv6 firewall. `pinhole-advice` comes before the search where -6 was not given. */
export type PinholeReport =
  | { readonly type: 'pinhole-advice' }
  | ({ readonly type: 'firewall-status' } & Answer<FirewallStatus>)
  | ({
      readonly type: 'pinhole-added'
      /** When, with --keep. */
      readonly timeMs?: number
      readonly via: GatewayProtocol
      readonly asked: ReportedTimedPinhole
    } & Answer<{ readonly id: PinholeId }>)
  | ({
      readonly type: 'pinhole-working'
      readonly during: 'check' | 'update'
      readonly id: PinholeId
    } & Answer<{ readonly working: boolean }>)
  | ({ readonly type: 'pinhole-updated'; readonly id: PinholeId; readonly leaseSeconds: number } & Answer<unknown>)
  | ({ readonly type: 'pinhole-packets'; readonly id: PinholeId } & Answer<{ readonly packets: number }>)
  | ({ readonly type: 'pinhole-deleted'; readonly id: PinholeId } & Answer<unknown>)
  | ({ readonly type: 'outbound-timeout'; readonly asked: ReportedPinhole } & Answer<{ readonly seconds: number }>)

export interface ReportedPinhole extends PinholeRequest {
  /** As it was typed. */
  readonly remoteHostTyped: string
}

export interface ReportedTimedPinhole extends ReportedPinhole {
  readonly leaseSeconds: number
}

/** What happens while ports are kept open, and when. */
export type KeeperReport = { readonly timeMs: number } & (
  | { readonly type: 'searching'; readonly error: ReportedError }
  | { readonly type: 'gateway-lost'; readonly error: ReportedError }
  | ({ readonly type: 'renewed' } & KeptPort)
  | ({ readonly type: 'restored'; readonly afterMs: number } & KeptPort)
  | ({ readonly type: 'lost'; readonly reason: LossReason } & LostPort)
  /** It is tried again; the same failure is not told again. */
  | ({
      readonly type: 'keep-failed'
      readonly isPinhole: boolean
      readonly error: ReportedError
      readonly againInMs: number
    } & LostPort)
  | { readonly type: 'external-address-changed'; readonly address: string; readonly previous: string }
  | ({ readonly type: 'removed' } & LostPort)
  /** At the end: it was there before. */
  | ({ readonly type: 'left-open' } & LostPort)
  | ({ readonly type: 'not-removed'; readonly error: ReportedError } & LostPort)
)

/** One port that is open. */
export interface OpenPort {
  readonly protocol: string
  readonly externalPort: number
  readonly internalPort: number
  readonly internalClient: string
  /** When its lease is over; undefined where it does not end. */
  readonly endsWallMs: number | undefined
}

export interface LostPort {
  /** For people. */
  readonly name: string
  /** As it was last; undefined where it has never been open. */
  readonly port?: OpenPort | undefined
}

interface KeptPort extends LostPort {
  readonly port: OpenPort
  /** 0 where it does not end. */
  readonly leaseSeconds: number
}

/** For the message that nothing was found: what was tried. */
export interface SearchSummary {
  readonly via: Via
  readonly searchedMs: number
  /** On which it was searched; without a name if it is not known. */
  readonly interfaces: readonly { readonly name: string | undefined; readonly address: string }[]
  readonly defaultGateways: readonly string[]
  /** Who was asked for PCP and NAT-PMP, and what came of it. */
  readonly portControl: readonly {
    readonly via: 'pcp' | 'nat-pmp'
    readonly gateway: string
    readonly port: number
    readonly error: ReportedError
  }[]
  /** Who speaks one of them, where that does not help: the command is one for an IGD. */
  readonly answered: { readonly via: 'pcp' | 'nat-pmp'; readonly gateway: string } | undefined
}

/** 0 done; 1 usage, no gateway, no valid gateway; 2 something that was asked failed, 3 where it was -f. */
export type ExitCode = 0 | 1 | 2 | 3

/**
 * Everything that the tool can say, as data. `run` yields Reports. print/text.ts turns them into upnpc's text, and
 * print/json.ts turns each into one JSON object. Text in them may come from the network: it is cleaned when rendered.
 */
import type { CandidateKind } from '../client/search/candidate.js'
import type { Via } from '../client/search/open-gateway.js'
import type { ErrorCode } from '../domain/errors.js'
import type { ConnectionStatus, LinkRates, ListingEnd, PortRange, TrafficCounters } from '../domain/gateway.js'
import type { FirewallStatus, PinholeId, PinholeRequest } from '../domain/pinhole.js'
import type { GatewayProtocol, MappingKey, MappingRequest, PortMapping } from '../domain/port-mapping.js'
import type { LossReason } from '../keeper/kept.js'
import type { Endpoint } from '../net/datagrams.js'

/** The Reports of one type. */
export type ReportOf<T extends Report['type']> = Extract<Report, { readonly type: T }>

export interface ReportedError {
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

/** The answer to a question, or why there is none. */
export type Answer<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly error: ReportedError }

export type Report =
  | { readonly type: 'device'; readonly location: string; readonly searchTarget: string; readonly server: string }
  | {
      readonly type: 'gateway'
      readonly via: 'igd'
      readonly state: CandidateKind
      readonly controlUrl: string
      /** The external address, if the search learned it. */
      readonly externalAddress: string | undefined
      /** Whether the command uses this gateway. */
      readonly used: boolean
      /** Whether the command uses it only because -i was given. */
      readonly forced: boolean
    }
  | {
      readonly type: 'gateway'
      readonly via: 'pcp' | 'nat-pmp'
      readonly address: string
      readonly port: number
      /** Seconds since the gateway started or lost its state. */
      readonly epochSeconds: number
    }
  | { readonly type: 'local-address'; readonly address: string }
  | ({ readonly type: 'connection-type' } & Answer<{ readonly connectionType: string }>)
  | ({ readonly type: 'status' } & Answer<ConnectionStatus & { readonly connectedSinceMs: number | undefined }>)
  | ({ readonly type: 'link-rates' } & Answer<LinkRates>)
  /** `during` says which command asked, because the sentence about a failure depends on it. */
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
      /** With --keep: when it happened. */
      readonly timeMs?: number
      readonly asked: MappingRequest
      /** The mapping as the gateway shows it. */
      readonly mapping: PortMapping
      readonly externalAddress: string
    }
  | {
      readonly type: 'map-failed'
      readonly via: GatewayProtocol
      readonly asked: MappingRequest
      readonly error: ReportedError
    }
  /** The UDP half of TCP+UDP was closed again, because the TCP half failed. */
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
      /** Why it does not answer searches at that address; undefined if it does. */
      readonly searchError: ReportedError | undefined
      /** Where it speaks PCP and NAT-PMP; undefined if it does not. */
      readonly portControl: Endpoint | undefined
      readonly portControlError: ReportedError | undefined
    }
  | ({ readonly type: 'notice' } & Notice)
  /** The last Report of a command that cannot go on. */
  | {
      readonly type: 'error'
      readonly error: ReportedError | Obstacle
      readonly searched?: SearchSummary
      readonly withUsage?: true
    }

/** Something worth knowing that is not the command's own output, as facts: print makes the sentence. */
export type Notice =
  /** TCP+UDP means both or neither, but no time is left to close the UDP half. */
  | { readonly kind: 'still-open'; readonly key: MappingKey }
  | { readonly kind: 'pinhole-still-open'; readonly id: PinholeId }
  /** TCP+UDP means both or neither: upnp-ts tried to close the UDP half again. `closed` says whether it could. */
  | { readonly kind: 'pinhole-taken-back'; readonly id: PinholeId; readonly closed: boolean }
  /** The mapping works only from inside the network in front of the router. */
  | { readonly kind: 'address-not-public'; readonly address: string }
  /** -n: the router does not choose a port, so it was asked for one port after another. */
  | { readonly kind: 'port-not-chosen'; readonly error: ReportedError }
  /** Deleted over PCP or NAT-PMP, which also say yes if there is nothing to delete (RFC 6886 3.4, RFC 6887 15). */
  | { readonly kind: 'deleted-unknown'; readonly via: 'pcp' | 'nat-pmp'; readonly key: MappingKey }
  /** -L: the router cannot list at once, so it is asked for one entry after another. */
  | { readonly kind: 'not-listed-at-once' }
  /** -L: the router gave as many entries as it was asked for, so it may have more. */
  | { readonly kind: 'listing-full'; readonly count: number }
  | { readonly kind: 'no-presentation-url' }
  | { readonly kind: 'nonce-key-not-kept'; readonly error: ReportedError }
  /** The user's program starts although not every port is open. */
  | { readonly kind: 'started-without-ports'; readonly someOpen: boolean; readonly afterMs: number }
  | ({ readonly kind: 'hook-failed' } & HookFailure)
  | { readonly kind: 'state-not-written'; readonly error: ReportedError }

/** How the command of --on-change failed. */
export type HookFailure =
  | { readonly reason: 'not-started'; readonly error: ReportedError }
  | { readonly reason: 'timeout' }
  | { readonly reason: 'signal'; readonly signal: string }
  | { readonly reason: 'exit'; readonly exitStatus: number }

/** What prevents a command altogether, as facts: print makes the message. */
export type Obstacle =
  /** Ports are mapped over IPv4, but the gateway is asked over IPv6. */
  | { readonly kind: 'no-ipv4-address' }
  /** --require: not every port was open in time. */
  | { readonly kind: 'program-not-started'; readonly someOpen: boolean; readonly afterMs: number }

/** Pinholes in the router's IPv6 firewall. `pinhole-advice` comes before the search if -6 was not given. */
export type PinholeReport =
  | { readonly type: 'pinhole-advice' }
  | ({ readonly type: 'firewall-status' } & Answer<FirewallStatus>)
  | ({
      readonly type: 'pinhole-added'
      /** With --keep: when it happened. */
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
  /** The remote host as the user typed it. */
  readonly remoteHostTyped: string
}

export interface ReportedTimedPinhole extends ReportedPinhole {
  readonly leaseSeconds: number
}

/** What happens while ports are kept open, and the time. */
export type KeeperReport = { readonly timeMs: number } & (
  | { readonly type: 'searching'; readonly error: ReportedError }
  | { readonly type: 'gateway-lost'; readonly error: ReportedError }
  | ({ readonly type: 'renewed' } & KeptPort)
  | ({ readonly type: 'restored'; readonly afterMs: number } & KeptPort)
  | ({ readonly type: 'lost'; readonly reason: LossReason } & LostPort)
  /** The keeper will try again. The same failure is not reported twice in a row. */
  | ({
      readonly type: 'keep-failed'
      readonly isPinhole: boolean
      readonly error: ReportedError
      readonly againInMs: number
    } & LostPort)
  | { readonly type: 'external-address-changed'; readonly address: string; readonly previous: string }
  | ({ readonly type: 'removed' } & LostPort)
  /** At the end: the port stays open because it was open before. */
  | ({ readonly type: 'left-open' } & LostPort)
  | ({ readonly type: 'not-removed'; readonly error: ReportedError } & LostPort)
)

/** One port that is open. */
export interface OpenPort {
  readonly protocol: string
  readonly externalPort: number
  readonly internalPort: number
  readonly internalClient: string
  /** When its lease ends; undefined if it has no end. */
  readonly endsWallMs: number | undefined
}

export interface LostPort {
  /** The name of the port in text for people. */
  readonly name: string
  /** The port as it last was; undefined if it has never been open. */
  readonly port?: OpenPort | undefined
}

interface KeptPort extends LostPort {
  readonly port: OpenPort
  /** 0 if the lease has no end. */
  readonly leaseSeconds: number
}

/** What a search that found nothing has tried. */
export interface SearchSummary {
  readonly via: Via
  readonly searchedMs: number
  /** The interfaces of the search. A name is undefined if it is unknown. */
  readonly interfaces: readonly { readonly name: string | undefined; readonly address: string }[]
  readonly defaultGateways: readonly string[]
  /** The gateways that were asked for PCP and NAT-PMP, and how each of them failed. */
  readonly portControl: readonly {
    readonly via: 'pcp' | 'nat-pmp'
    readonly gateway: string
    readonly port: number
    readonly error: ReportedError
  }[]
  /** A gateway that speaks PCP or NAT-PMP, which does not help: only an IGD can do the command. */
  readonly answered: { readonly via: 'pcp' | 'nat-pmp'; readonly gateway: string } | undefined
}

/** 0: done. 1: wrong usage, or no usable gateway. 2: something that was asked failed. 3: the same for -f. */
export type ExitCode = 0 | 1 | 2 | 3

/**
 * Everything that the tool can say, as data. `run` yields Reports. print/text.ts turns them into upnpc's text, and
 * print/json.ts turns each into one JSON object. Text in them may come from the network: it is cleaned when rendered.
 */
import type { CandidateKind } from '../client/search/candidate.js'
import type { ErrorFacts as ReportedError, SearchSummary } from '../domain/error-facts.js'
import type { ConnectionStatus, LinkRates, ListingEnd, PortRange, TrafficCounters } from '../domain/gateway.js'
import type { FirewallStatus, PinholeId, PinholeRequest, TimedPinholeRequest } from '../domain/pinhole.js'
import type {
  GatewayProtocol,
  MappingKey,
  MappingRequest,
  PortMapping,
  TransportProtocol,
} from '../domain/port-mapping.js'
import type { LeftBehind, MappingDoubt, MappingNote, RefusalCause } from '../domain/refusal-cause.js'
import type { LossReason } from '../keeper/kept.js'
import type { PortState } from '../library/keeping/kept-ports.js'
import type { Endpoint } from '../net/datagrams.js'

export type { LeftBehind, MappingDoubt, RefusalCause, ReportedError, SearchSummary }

/** A table of facts -> its object types, which have the name of their row as `Tag`. */
type Tagged<Tag extends string, Rows> = {
  readonly [Name in keyof Rows]: { readonly [T in Tag]: Name } & Readonly<Rows[Name]>
}
type Timed<Rows> = { readonly [Name in keyof Rows]: { readonly timeMs: number } & Rows[Name] }

type Reports = Tagged<'type', Facts & PinholeFacts & Timed<KeeperFacts & WatchFacts>>
type Notices = Tagged<'kind', NoticeFacts & { readonly [Note in MappingNote as Note['kind']]: Omit<Note, 'kind'> }>

export type ReportOf<Type extends keyof Reports> = Reports[Type]
export type Report = ReportOf<keyof Reports>
export type PinholeReport = ReportOf<keyof PinholeFacts>
export type KeeperReport = ReportOf<keyof KeeperFacts>
export type NoticeOf<Kind extends keyof Notices> = Notices[Kind]
export type Notice = NoticeOf<keyof Notices>

/** A table: a function for each type of Report. */
export type ByType<Type extends Report['type'], Result> = { readonly [T in Type]: (report: ReportOf<T>) => Result }

/** Calls the function in the table for a type of Report. */
export function byType<Type extends Report['type'], T extends Type, Result>(
  table: ByType<Type, Result>,
  type: T,
  report: ReportOf<T>,
): Result {
  return table[type](report)
}

/** The facts of each type of Report. */
interface Facts {
  device: { location: string; searchTarget: string; server: string }
  gateway: FoundIgd | { via: 'pcp' | 'nat-pmp'; address: string; port: number; epochSeconds: number }
  'local-address': { address: string }
  /** status: all that it speaks, the protocol that is used first. */
  router: { address: string | undefined; protocols: readonly GatewayProtocol[] }
  'connection-type': Answer<{ connectionType: string }>
  status: Answer<ConnectionStatus & { connectedSinceMs: number | undefined }>
  'link-rates': Answer<LinkRates>
  /** `during` says which command asked, because the sentence about a failure depends on it. */
  'external-address': { during: 'status' | 'map' } & Answer<{ address: string }>
  traffic: TrafficCounters
  'port-control-status': { via: 'pcp' | 'nat-pmp'; epochSeconds: number; sinceMs: number }
  listing: unknown
  mapping: { index: number; mapping: PortMapping }
  /** `memory`: the protocol cannot list, so these are the ones that this user is remembered to have opened. */
  'listing-end': { count: number; endedBy: ListingEnd | 'memory' }
  'listing-failed': { count: number; error: ReportedError }
  /**
   * The mapping as the gateway shows it. With --keep: also when it happened. `reachable`: whether the internet can come
   * in, as far as upnp-ts can tell without trying; undefined if it cannot.
   */
  mapped: {
    timeMs?: number
    asked: MappingRequest
    mapping: PortMapping
    externalAddress: string
    reachable?: boolean | undefined
    /** It is not what was asked for: the failure follows. */
    isOtherwise?: true
  }
  /** `cause`: what is in the way, if a look at the gateway could tell. `isTaken`: another external port may be free. */
  'map-failed': {
    via: GatewayProtocol
    asked: MappingRequest
    error: ReportedError
    cause?: RefusalCause | undefined
    isTaken?: boolean
  }
  /** The UDP half of TCP+UDP was closed again, because the TCP half failed. */
  'taken-back': { key: MappingKey }
  unmapped: { via: GatewayProtocol; key: MappingKey }
  'unmap-failed': { via: GatewayProtocol; key: MappingKey; error: ReportedError }
  /** close --mine: what it closes, once that is agreed to. A pinhole stands there as a mapping. */
  'to-close': { mapping: PortMapping }
  'left-alone': {
    mapping: PortMapping
    reason: 'another-computer' | 'kept' | 'in-use' | 'use-unknown' | 'another-router'
  }
  /** `left`: how many are open all the same. */
  'nothing-to-close': { left: number }
  /** Somebody has to agree to so many. */
  asked: { count: number }
  declined: unknown
  'list-at-once-failed': { error: ReportedError }
  'range-unmapped': { range: PortRange }
  'range-unmap-failed': { range: PortRange; error: ReportedError }
  'presentation-url': { url: string }
  emulator: {
    descriptionUrl: string
    address: string
    /** Why it does not answer searches at that address; undefined if it does. */
    searchError: ReportedError | undefined
    /** Where it speaks PCP and NAT-PMP; undefined if it does not. */
    portControl: Endpoint | undefined
    portControlError: ReportedError | undefined
  }
  notice: Notice
  /** The last Report of a command that cannot go on. `isNamed`: -u says which device to ask. */
  error: { error: ReportedError | Obstacle; searched?: SearchSummary; usageOf?: string; isNamed?: boolean }
}

interface FoundIgd {
  via: 'igd'
  state: CandidateKind
  controlUrl: string
  /** The external address, if the search learned it. */
  externalAddress: string | undefined
  /** Whether the command uses this gateway. */
  used: boolean
  /** Whether the command uses it only because -i was given. */
  forced: boolean
}

/** Pinholes in the router's IPv6 firewall. `pinhole-advice` comes before the search if -6 was not given. */
interface PinholeFacts {
  'pinhole-advice': unknown
  'firewall-status': Answer<FirewallStatus>
  /** With --keep: also when it happened. `leaseSeconds`: as granted, 0 if it does not end. */
  'pinhole-added': {
    timeMs?: number
    via: GatewayProtocol
    asked: ReportedPinhole & TimedPinholeRequest
  } & Answer<{ id: PinholeId; leaseSeconds: number }>
  'pinhole-working': { during: 'check' | 'update'; id: PinholeId } & Answer<{ working: boolean }>
  'pinhole-updated': { id: PinholeId; leaseSeconds: number } & Answer<unknown>
  'pinhole-packets': { id: PinholeId } & Answer<{ packets: number }>
  'pinhole-deleted': { id: PinholeId } & Answer<unknown>
  'outbound-timeout': { asked: ReportedPinhole } & Answer<{ seconds: number }>
}

/** What happens while ports are kept open. Each of these Reports also has the time. */
interface KeeperFacts {
  /** `searched`: what was tried, if nothing was found. */
  searching: { error: ReportedError; searched?: SearchSummary | undefined }
  'gateway-lost': { error: ReportedError }
  /** The router answers, and is used from now on in place of another device. */
  moved: { gateway: string; previous: string; externalAddress: string | undefined }
  /** `changesNothing`: the port and its lease are as they were told before. */
  renewed: KeptPort & { changesNothing?: boolean }
  restored: KeptPort & { afterMs: number }
  lost: LostPort & { reason: LossReason }
  /** The keeper will try again. The same failure is not reported twice in a row. */
  'keep-failed': LostPort & {
    isPinhole: boolean
    error: ReportedError
    leftBehind?: LeftBehind | undefined
    againInMs: number
  }
  'external-address-changed': { address: string; previous: string }
  /** `protocol`: `TCP+UDP` if both are on that port now. */
  'external-port-changed': { protocol: string; externalPort: number; previous: number }
  /** The command of --on-change has succeeded after it had failed. */
  'hook-succeeded': { failures: number }
  /** Nobody read the output for a while. */
  'lines-dropped': { count: number }
  removed: LostPort
  /** At the end the port stays open: it was open before, or another keeper of this user has it too. */
  'left-open': LostPort & { reason: 'was-open' | 'kept-by-another' }
  /** At the end: nobody can close it, so it stays open until its lease ends. */
  'ends-with-lease': LostPort & { endsWallMs: number }
  'not-removed': LostPort & { error: ReportedError }
}

/** What is seen while the router is watched. Each of these Reports also has the time. */
interface WatchFacts {
  /** `wasThere`: it was there when the watching began. */
  'port-appeared': { wasThere: boolean; mapping: PortMapping }
  'port-gone': { mapping: PortMapping }
  /** Its lease has begun anew. */
  'port-renewed': { mapping: PortMapping }
  /** It has lost its state, so what was opened over PCP or NAT-PMP is closed until somebody opens it again. */
  'gateway-restarted': unknown
  'gateway-back': { address: string; afterMs: number }
}

/** Something worth knowing that is not the command's own output, as facts: print makes the sentence. */
interface NoticeFacts {
  /** TCP+UDP means both or neither, but no time is left to close the UDP half. */
  'still-open': { key: MappingKey }
  /** TCP+UDP means both or neither, but the UDP half was open before. */
  'left-open': { key: MappingKey }
  'pinhole-still-open': { id: PinholeId }
  /** TCP+UDP means both or neither: upnp-ts tried to close the UDP half again. `closed` says whether it could. */
  'pinhole-taken-back': { id: PinholeId; closed: boolean }
  /** It was tried over IPv6 too, because this computer has such an address. `late`: the router has not answered in time. */
  'not-over-ipv6': { error: ReportedError; searched?: SearchSummary | undefined; late: boolean }
  /** The mapping works only from inside the network in front of the router. */
  'address-not-public': { address: string }
  /** The port is open, but nobody knows at which address. */
  'address-unknown': { error?: ReportedError }
  /** -6 was given, and ports are mapped over IPv4 only. */
  'ports-over-ipv4': unknown
  /** -n: the router does not choose a port, so it was asked for one port after another. */
  'port-not-chosen': { error: ReportedError }
  /** The port is open, and no program on this computer waits on it. `protocol`: `TCP+UDP` if on neither. */
  'nobody-listens': { protocol: string; port: number }
  /** The same: the program that has the port takes only what comes from this computer. */
  'listens-on-loopback-only': { protocol: string; port: number }
  /** The same: it takes only what comes to another address of this computer, and the port leads to `localAddress`. */
  'listens-elsewhere': { protocol: string; port: number; address: string; localAddress: string }
  /** A VPN is up: programs here send through that interface, and not through the router. */
  'through-tunnel': { interface: string }
  /** Nothing of the router has answered, so the IGD at `address` is used. */
  'not-the-router': { address: string; router: string }
  /** This computer has no default gateway: the best IGD that answered is used. */
  'no-router': { address: string }
  /** The router did not answer over UPnP, so another protocol is used. */
  'no-upnp': { via: 'pcp' | 'nat-pmp'; waitedMs: number }
  /** -e: PCP and NAT-PMP have no descriptions. */
  'description-lost': { via: 'pcp' | 'nat-pmp' }
  /** Nobody can be asked whether the port is open for the remote host only. */
  'remote-host-unchecked': { via: GatewayProtocol; key: MappingKey }
  /** Closed, but another program or user of this computer seems to have made it. */
  'made-by-another': { key: MappingKey; address: string; description: string }
  /** Not closed: nothing is open there. */
  'nothing-open': { externalPort: number; protocols: readonly TransportProtocol[] }
  /** Not closed: it leads to another computer, and this user has not made it. */
  'another-computers': { key: MappingKey; address: string; description: string }
  /** Not closed, as it seems: the router said yes, but does not give that port to anybody else. */
  'still-taken': { via: 'pcp' | 'nat-pmp'; key: MappingKey }
  /** Not closed: NAT-PMP closes by the inside, and upnp-ts has no record of that port. */
  'not-remembered': { key: MappingKey }
  /** Not closed: upnp-ts has no record of that port, and the IGD does not show whose it is. */
  'not-shown': { key: MappingKey }
  /** Not closed: the router does not speak the protocol any more in which the port was opened. Its lease ends then. */
  'protocol-gone': { via: GatewayProtocol; key: MappingKey; endsWallMs: number }
  /** Not closed: it was opened for internal port 0. */
  'ends-with-lease': { key: MappingKey; endsWallMs: number }
  /** Not closed: a running --keep of this user would open it again. */
  kept: { key: MappingKey }
  /** Deleted over PCP or NAT-PMP, which also say yes if there is nothing to delete (RFC 6886 3.4, RFC 6887 15). */
  'deleted-unknown': { via: 'pcp' | 'nat-pmp'; key: MappingKey }
  /** -L: the router has more entries than it is asked for at once, so it is asked for one after another. */
  'too-many-for-list-at-once': { count: number }
  /** -L: the router cannot list at once, so it is asked for one entry after another. */
  'not-listed-at-once': unknown
  /** -L: the router gave as many entries as it was asked for, so it may have more. */
  'listing-full': { count: number }
  'no-presentation-url': unknown
  'nonce-key-not-kept': { error: ReportedError }
  /** The nonce is on the command line, where other users of this computer can read it. */
  'nonce-in-sight': unknown
  /** The user's program starts although not every port is open. */
  'started-without-ports': { someOpen: boolean; afterMs: number }
  /** --keep: the protocol allows no renewal before the lease is over. */
  'lease-too-short': { leaseSeconds: number; renewedEverySeconds: number }
  /** Only the first of several failures in a row is reported. `willTryAgain` is false at the end. */
  'hook-failed': HookFailure & { willTryAgain: boolean }
  /** The same. */
  'state-not-written': { error: ReportedError; willTryAgain: boolean }
}

/** The answer to a question, or why there is none. */
export type Answer<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly error: ReportedError }

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
  /** close --mine: nobody can be asked, and --yes was not given. */
  | { readonly kind: 'not-agreed'; readonly count: number }
  /** --require: not every port was open in time. */
  | { readonly kind: 'program-not-started'; readonly someOpen: boolean; readonly afterMs: number }

export interface ReportedPinhole extends PinholeRequest {
  /** The remote host as the user typed it. */
  readonly remoteHostTyped: string
}

export interface LostPort {
  /** The name of the port in text for people. */
  readonly name: string
  /** The port as it last was; undefined if it has never been open. */
  readonly port?: PortState | undefined
}

interface KeptPort extends LostPort {
  readonly port: PortState
  /** 0 if the lease has no end. */
  readonly leaseSeconds: number
}

/** 0: done. 1: wrong usage, or no usable gateway. 2: something that was asked failed. 3: the same for -f. */
export type ExitCode = 0 | 1 | 2 | 3

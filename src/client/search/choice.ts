/**
 * Which of those who have answered is used, and whether to go on waiting. A router speaks up to three languages, and its
 * answers come in any order and at any time, but the same router must get the same one every time. So the choice goes
 * by what the router speaks, and not by what came first. Pure.
 */
import { isInternetAddress } from '../../domain/address.js'
import type { GatewayProtocol } from '../../domain/port-mapping.js'
import type { PortControlAnswer } from '../port-control/probe.js'
import type { Candidate } from './candidate.js'
import type { Examined, Place } from './discovery.js'

/** What the command needs: only an IGD can do it, or an IGD can do more of it. Undefined: any protocol will do. */
export type IgdNeed = 'only' | 'wanted' | undefined

/** What is known at one moment of a search. */
export interface Standing {
  /** Undefined until the routing table has been read, and what is remembered. */
  readonly isRouterKnown: boolean | undefined
  readonly examined: readonly Examined[]
  /** Whether an IGD at one of those places has begun to answer. */
  readonly isExamining: (...places: readonly Place[]) => boolean
  /** The router has answered as an IGD, whether it could be examined or not. */
  readonly hasHeardRouter: boolean
  /** The best answer of the router over PCP or NAT-PMP, with the external address if that is known. */
  readonly answered: PortControlAnswer | undefined
  /** An answer may still come. */
  readonly isAnswerAwaited: boolean
  /** The best answer has been asked for its external address. */
  readonly isAddressAwaited: boolean
  /** The protocol in which the mapping was made that the command is about. */
  readonly madeIn: GatewayProtocol | undefined
  /** It is remembered that the router has no UPnP. */
  readonly hasNoUpnp: boolean
  readonly need: IgdNeed
  readonly ignoreState: boolean
  /** An IGD that leads elsewhere may be asked, but nothing may be changed there. */
  readonly changes: boolean
  readonly time: Times
}

/** Which of the limits of a search are over. */
export interface Times {
  /** PCP and NAT-PMP answer at once, or not at all. */
  readonly answer: boolean
  /** The router's IGD answers before this. */
  readonly igd: boolean
  /** Of several connected IGDs, if there is no router, the best one has answered before this. */
  readonly rivals: boolean
  readonly search: boolean
  /** For a device that answered at the last moment. */
  readonly lastLook: boolean
}

export type Choice = { readonly igd: Examined } | { readonly answer: PortControlAnswer } | 'nobody'

/** Undefined: wait. */
export function choose(standing: Standing): Choice | undefined {
  if (standing.isRouterKnown === undefined) return undefined
  return standing.isRouterKnown ? chooseOfRouter(standing) : chooseOfAll(standing)
}

function chooseOfRouter(standing: Standing): Choice | undefined {
  const { examined, answered, isAnswerAwaited, isAddressAwaited, madeIn, need, time } = standing
  if (answered !== undefined && answered.protocol === madeIn) return { answer: answered }
  const igd = bestOf(standing, ['router'])
  const mayBeAnswered = isAnswerAwaited && !time.answer
  const isWaitingForMaker = madeIn !== undefined && madeIn !== 'igd' && mayBeAnswered
  if (igd !== undefined && hasInternetAddress(igd) && !isWaitingForMaker) return { igd }
  if (standing.isExamining('router')) return undefined
  if (igd?.kind === 'disconnected') return { igd } // its state was to be ignored
  if (igd !== undefined) {
    // Another NAT is in front of it. PCP or NAT-PMP may reach beyond that.
    if (need === undefined && isInternetAddress(answered?.externalAddress ?? ''))
      return answered && { answer: answered }
    return (mayBeAnswered || isAddressAwaited) && need === undefined ? undefined : { igd }
  }
  const hasUselessIgd = examined.some(({ place, gateway }) => place === 'router' && gateway !== undefined)
  if (answered !== undefined && need === undefined && (time.igd || standing.hasNoUpnp || hasUselessIgd)) {
    if (answered.protocol === 'pcp' || !mayBeAnswered) return { answer: answered }
  }
  if (!time.search) return undefined
  if (answered !== undefined) return need === 'only' ? 'nobody' : { answer: answered }
  return hasUselessIgd || standing.hasHeardRouter ? 'nobody' : chooseOfOthers(standing)
}

/** Nothing of the router has answered: somebody else's IGD. */
function chooseOfOthers(standing: Standing): Choice | undefined {
  const places: readonly Place[] = standing.changes ? ['beside'] : ['beside', 'elsewhere']
  const igd = bestOf(standing, places)
  if (igd !== undefined) return { igd }
  return standing.isExamining(...places) && !standing.time.lastLook ? undefined : 'nobody'
}

/** No router is known: the best of all who answer. */
function chooseOfAll(standing: Standing): Choice | undefined {
  const { answered, time } = standing
  const igd = bestOf(standing, ['beside'])
  const isBestPossible = igd !== undefined && hasInternetAddress(igd)
  if (igd !== undefined && ((isBestPossible ? time.rivals : time.igd) || time.search)) return { igd }
  if (!time.search || (standing.isExamining('beside') && !time.lastLook)) return undefined
  return answered !== undefined && standing.need !== 'only' ? { answer: answered } : 'nobody'
}

/** The best usable IGD at those places. */
function bestOf({ examined, ignoreState }: Standing, places: readonly Place[]): Examined | undefined {
  const usable = examined.filter((each) => places.includes(each.place) && isUsable(each, ignoreState))
  return ranked(usable)[0]
}

/** Whether it can map ports. With `ignoreState` an IGD that says that it is not connected will do. */
export function isUsable({ kind }: Pick<Candidate, 'kind'>, ignoreState = false): boolean {
  return kind === 'connected' || kind === 'reserved' || (ignoreState && kind === 'disconnected')
}

/** upnpc takes the addresses of documentation for reserved ones, but a lab has them on its internet. */
function hasInternetAddress({ kind, externalAddress = '' }: Examined): boolean {
  return kind === 'connected' || isInternetAddress(externalAddress)
}

const PLACES: readonly Place[] = ['router', 'beside', 'elsewhere']
const KINDS: readonly Examined['kind'][] = ['connected', 'reserved', 'disconnected', 'not-an-igd']

/** Best first: what is usable goes by its place, and then by its kind, as in upnpc. */
export function ranked(examined: readonly Examined[]): readonly Examined[] {
  const rank = (each: Examined): number => {
    const kind = hasInternetAddress(each) ? 0 : KINDS.indexOf(each.kind)
    return isUsable(each) ? PLACES.indexOf(each.place) * KINDS.length + kind : PLACES.length * KINDS.length + kind
  }
  return examined.toSorted((a, b) => rank(a) - rank(b))
}

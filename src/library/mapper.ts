/**
 * Maps ports on one gateway, for one command. After a refusal it finds out what is in the way, what is refused for its
 * description is asked for with a plain one, and a success that may lead nowhere is doubted.
 */
import { isPortTaken, PortMappingError, upnpErrorOf } from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'
import type { MappingRequest, PortMapping } from '../domain/port-mapping.js'
import type { LeftBehind, MappingNote, RefusalCause } from '../domain/refusal-cause.js'
import { UPNP_ERRORS } from '../domain/upnp-errors.js'
import { leftBehindAt } from './keeping/left-behind.js'
import { isKept } from './keeping/running-keepers.js'
import { doubtOf, type Finding, isVague, RefusalLook, type RefusalNet, type Subject } from './refusal.js'
import { addressOf } from './router.js'

interface Common {
  /** What the gateway was asked for: its description may be a plainer one than was wanted. */
  readonly asked: MappingRequest
  /** Why the gateway was asked for one port after another, if it was. */
  readonly fallback: PortMappingError | undefined
}

interface Made extends Common {
  readonly ok: true
  readonly mapping: PortMapping
  /** The gateway had it already. */
  readonly wasThere: boolean
  readonly notes: readonly MappingNote[]
}

interface NotMade extends Common {
  readonly ok: false
  readonly error: PortMappingError
  /** What is in the way, if that can be told. */
  readonly cause: RefusalCause | undefined
}

export type Outcome = Made | NotMade

export class Mapper {
  readonly #gateway: Gateway
  readonly #net: RefusalNet
  readonly #look: RefusalLook | undefined
  readonly #told = new Set<MappingNote['kind']>()
  /** The router has refused another description, and taken a plain one. */
  #plainOnly = false

  constructor(gateway: Gateway, net: RefusalNet) {
    this.#gateway = gateway
    this.#net = net
    this.#look = gateway.protocol === 'igd' ? new RefusalLook(gateway, net) : undefined
  }

  /** `any`: another external port will do. @throws nothing that a gateway or a network can cause */
  async map(wanted: Subject, any: boolean): Promise<Outcome> {
    const subject = this.#plainOnly ? withPlainDescription(wanted) : wanted
    const first = await this.#attemptTwice(subject, any)
    if (!mayBeTheDescription(first) || this.#net.signal?.aborted) return first
    const second = await this.#attempt(withPlainDescription(subject), any)
    if (!second.ok) return isRefusal(second.error) ? first : second // the description was not the matter
    this.#plainOnly = true
    const { description } = second.asked
    return { ...second, notes: [{ kind: 'description-changed', description }, ...second.notes] }
  }

  /** Again if what was in the way is this user's own, and has been closed. */
  async #attemptTwice(subject: Subject, any: boolean): Promise<Outcome> {
    const first = await this.#attempt(subject, any)
    if (first.ok || this.#net.signal?.aborted || !(await this.#hasClosed(first.cause))) return first
    const second = await this.#attempt(subject, any)
    if (!second.ok || first.cause?.kind !== 'left-behind') return second
    return { ...second, notes: [{ kind: 'left-behind-closed', address: first.cause.internalClient }, ...second.notes] }
  }

  /** PCP and NAT-PMP close a mapping only from its own address, and a router in secure mode does, too. */
  async #hasClosed(cause: RefusalCause | undefined): Promise<boolean> {
    if (cause?.kind !== 'left-behind' || cause.mapping === undefined) return false
    const { externalPort = 0, remoteHost, protocol } = cause.mapping
    try {
      await this.#gateway.unmap({
        externalPort,
        remoteHost,
        protocol: protocol.toUpperCase() === 'UDP' ? 'UDP' : 'TCP',
      })
      return true
    } catch (error) {
      if (error instanceof PortMappingError) return false
      throw error
    }
  }

  async #attempt(subject: Subject, any: boolean): Promise<Outcome> {
    const { request: asked } = subject
    let fallback: PortMappingError | undefined
    let finding: Promise<Finding> | undefined
    const find = (error: PortMappingError): Promise<Finding> => {
      finding ??= this.#find(error, subject, any)
      return finding
    }
    const onFallback = (error: PortMappingError): void => {
      fallback = error
    }
    try {
      const mapped = any
        ? this.#gateway.mapAny(asked, { onFallback, mayHelp: untilHopeless(find) })
        : this.#gateway.map(asked)
      const mapping = await mapped
      const doubt = await doubtOf(this.#gateway, this.#net, subject)
      return { ok: true, asked, fallback, mapping, wasThere: false, notes: this.#untold(doubt) }
    } catch (error) {
      if (!(error instanceof PortMappingError)) throw error
      const found = await find(error)
      if (found?.kind !== 'as-asked') {
        const left = await this.#leftBehind(asked, error, found)
        return { ok: false, asked, fallback, error, cause: left ?? found }
      }
      const { mapping } = found
      const { leaseSeconds = 0 } = mapping
      const notes = leaseSeconds > 0 ? [{ kind: 'lease-not-renewed', leaseSeconds } as const] : []
      return { ok: true, asked, fallback, mapping, wasThere: true, notes }
    }
  }

  async #find(error: PortMappingError, subject: Subject, any: boolean): Promise<Finding> {
    const number = upnpErrorOf(error)
    if (this.#look === undefined || number === undefined || error.isUnconfirmed) return undefined
    if (!any || number !== UPNP_ERRORS.SamePortValuesRequired) return this.#look.find(number, subject)
    // The same port outside and inside was tried too, and is taken.
    const request = { ...subject.request, externalPort: subject.request.internalPort }
    return this.#look.find(UPNP_ERRORS.ConflictInMappingEntry, { ...subject, request })
  }

  /** Whether what has the port was opened from an earlier address of this computer. An IGD has to show that. */
  async #leftBehind(asked: MappingRequest, error: PortMappingError, found: RefusalCause | undefined) {
    const mapping = found?.kind === 'port-taken' ? found.mapping : undefined
    if (!(this.#gateway.protocol === 'igd' ? mapping !== undefined : isPortTaken(error))) return undefined
    const left = await leftBehindAt(this.#gateway, asked, this.#net)
    if (left === undefined || (mapping !== undefined && !isOf(left, asked, mapping))) return undefined
    const { internalClient, internalPort, endsWallMs } = left
    const { files, clock } = this.#net
    if (await isKept(files, clock, addressOf(this.#gateway), asked)) return undefined
    return { kind: 'left-behind', internalClient, internalPort, endsWallMs, ...(mapping && { mapping }) } as const
  }

  #untold(note: MappingNote | undefined): MappingNote[] {
    if (note === undefined || this.#told.has(note.kind)) return []
    this.#told.add(note.kind)
    return [note]
  }
}

/** Some gateways do not show the internal port, or show 0, and some cut off long descriptions. */
function isOf(left: LeftBehind, asked: MappingRequest, shown: PortMapping): boolean {
  const { internalClient, internalPort = 0, description } = shown
  const leadsThere = internalClient === left.internalClient && [0, left.internalPort].includes(internalPort)
  return leadsThere && asked.description.startsWith(description)
}

const ABOUT_THE_PORT: ReadonlySet<string> = new Set<RefusalCause['kind']>([
  'left-behind',
  'port-taken',
  'port-differs',
  'nobody-shown',
])
const ABOUT_THE_CLIENT: ReadonlySet<string> = new Set<RefusalCause['kind']>(['client-is-router', 'client-is-public'])

/** Whether the router would refuse any other external port too. */
export function isHopeless(cause: RefusalCause | undefined): boolean {
  return cause !== undefined && !ABOUT_THE_PORT.has(cause.kind)
}

/** Looks after the first refusal. If no port will do, as it seems, one more is tried to be sure. */
function untilHopeless(find: (error: PortMappingError) => Promise<Finding>) {
  let refusals = 0
  return async (error: PortMappingError): Promise<boolean> => {
    const found = await find(error)
    refusals++
    return found?.kind !== 'as-asked' && (refusals < 2 || !isHopeless(found))
  }
}

/** The router's number may mean anything, the description is not plain, and nothing else is clearly the matter. */
function mayBeTheDescription(outcome: Outcome): boolean {
  if (outcome.ok || !isRefusal(outcome.error)) return false
  const { error, cause, asked } = outcome
  const isExplained = cause !== undefined && (ABOUT_THE_PORT.has(cause.kind) || ABOUT_THE_CLIENT.has(cause.kind))
  return !isExplained && isVague(upnpErrorOf(error) ?? 0) && plainDescription(asked.description) !== asked.description
}

function isRefusal(error: PortMappingError): boolean {
  return upnpErrorOf(error) !== undefined && !error.isUnconfirmed
}

/** A FRITZ!Box takes letters, digits, blanks and a few marks; others refuse an empty text, or a long one. */
const MAX_PLAIN_LENGTH = 32
const NOT_PLAIN = /[^A-Za-z0-9 ._-]/g

function plainDescription(description: string): string {
  const plain = description.normalize('NFKD').replace(NOT_PLAIN, '').trim().slice(0, MAX_PLAIN_LENGTH).trim()
  return plain === '' ? 'upnp-ts' : plain
}

function withPlainDescription({ request, ...rest }: Subject): Subject {
  return { ...rest, request: { ...request, description: plainDescription(request.description) } }
}

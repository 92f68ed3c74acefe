/**
 * Everything that can go wrong, by its root: one base class, few kinds, a stable `code` each.
 * A message says what was attempted, with whom, and (where there is something to do) what to do next.
 */
import type { GatewayProtocol, PortMapping } from './port-mapping.js'
import { UPNP_ERRORS } from './upnp-errors.js'

export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'NO_GATEWAY'
  | 'NO_REPLY'
  | 'TRANSPORT'
  | 'MALFORMED_MESSAGE'
  | 'REFUSED'
  | 'NOT_CONFIRMED'

/** The base of every error that this library throws on purpose. */
export abstract class PortMappingError extends Error {
  abstract readonly code: ErrorCode
  /** The action or request during which it happened, by its name in the standard, where there was one. */
  readonly action: string | undefined
  /** The gateway had said yes: what failed is to read back what it made. */
  isUnconfirmed = false

  constructor(message: string, options: { action?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.action = options.action
  }
}

/** The caller asked for something that no gateway could do: a port out of range, a bad address. Nothing was sent. */
export class InvalidArgumentError extends PortMappingError {
  readonly code = 'INVALID_ARGUMENT'
}

/** The search ended and there is no gateway that can be used. */
export class NoGatewayError extends PortMappingError {
  readonly code = 'NO_GATEWAY'
}

/** The other side said nothing in time. */
export class NoReplyError extends PortMappingError {
  readonly code = 'NO_REPLY'
}

/** The network or the HTTP layer failed; `cause` has the system's error. */
export class TransportError extends PortMappingError {
  readonly code = 'TRANSPORT'
}

/** A message that cannot be what it should be. The only error that a decoder throws. */
export class MalformedMessageError extends PortMappingError {
  readonly code = 'MALFORMED_MESSAGE'
  /** The beginning of what was received, as text; not cleaned for a terminal. */
  readonly received: string
  readonly expected: string

  constructor(expected: string, received: string, options: { action?: string | undefined; cause?: unknown } = {}) {
    super(`expected ${expected}`, options)
    this.expected = expected
    this.received = received.slice(0, 200)
  }
}

/**
 * What `decode` makes of a message, or undefined if that is malformed. Anybody can send a malformed message, so whoever
 * listens keeps listening.
 */
export function unlessMalformed<T>(decode: () => T): T | undefined {
  try {
    return decode()
  } catch (error) {
    if (error instanceof MalformedMessageError) return undefined
    throw error
  }
}

/** The gateway understood and said no. */
export class RefusedError extends PortMappingError {
  readonly code = 'REFUSED'
  readonly protocol: GatewayProtocol
  /** The number of the error in that protocol, e.g. 718 of an IGD, 12 of PCP. */
  readonly number: number
  /** The name of that number in the standard, e.g. ConflictInMappingEntry, ADDRESS_MISMATCH. */
  readonly standardName: string
  /** What the gateway itself wrote about it; from the network, not cleaned for a terminal. Only an IGD writes something. */
  readonly description: string

  constructor(facts: {
    protocol?: GatewayProtocol
    action: string
    number: number
    standardName: string
    description?: string
  }) {
    super(`${facts.action} was refused with ${facts.number} (${facts.standardName})`, { action: facts.action })
    this.protocol = facts.protocol ?? 'igd'
    this.number = facts.number
    this.standardName = facts.standardName
    this.description = facts.description ?? ''
  }
}

/** The UPnP error number of an IGD's no. */
export function upnpErrorOf(error: unknown): number | undefined {
  return error instanceof RefusedError && error.protocol === 'igd' ? error.number : undefined
}

/** The gateway said yes, but the mapping that it shows afterwards leads to another computer than was asked for. */
export class NotConfirmedError extends PortMappingError {
  readonly code = 'NOT_CONFIRMED'
  /** What the gateway shows. */
  readonly mapping: PortMapping
  /** The port is another computer's: another port may be free. Otherwise the gateway has made an entry, but not as asked. */
  readonly belongsToAnother: boolean

  constructor(mapping: PortMapping, message: string, options: { action: string; belongsToAnother?: boolean }) {
    super(message, options)
    this.mapping = mapping
    this.belongsToAnother = options.belongsToAnother === true
  }
}

/** NAT-PMP gives another port without a word. */
const PORT_IS_TAKEN: Readonly<Record<GatewayProtocol, readonly number[]>> = {
  igd: [UPNP_ERRORS.ConflictInMappingEntry, UPNP_ERRORS.ConflictWithOtherMechanisms],
  pcp: [11], // CANNOT_PROVIDE_EXTERNAL (RFC 6887 7.4)
  'nat-pmp': [],
}

/** Whether a port could not be had because it is another one's: then another port may be free. */
export function isPortTaken(error: unknown): boolean {
  if (error instanceof NotConfirmedError) return error.belongsToAnother
  return error instanceof RefusedError && PORT_IS_TAKEN[error.protocol].includes(error.number)
}

/** Everything that can go wrong, by its cause. A message says what was attempted, with whom, and what to do next. */
import type { GatewayProtocol, PortMapping } from './port-mapping.js'
import type { LeftBehind } from './refusal-cause.js'
import { UPNP_ERRORS } from './upnp-errors.js'

export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'NO_GATEWAY'
  | 'NO_REPLY'
  | 'TRANSPORT'
  | 'MALFORMED_MESSAGE'
  | 'REFUSED'
  | 'NOT_CONFIRMED'

/** The base of every error that this library throws on purpose; `code` tells the kind. */
export abstract class PortMappingError extends Error {
  abstract readonly code: ErrorCode
  /** The action or request that failed, by its name in the standard, such as `AddPortMapping`; undefined if none. */
  readonly action: string | undefined
  /** True if the gateway said yes, and only reading back what it made has failed. */
  isUnconfirmed = false
  /** What has the port, if this user opened it from an earlier address of this computer. */
  leftBehind: LeftBehind | undefined

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

/** The search ended without a gateway that can be used. */
export class NoGatewayError extends PortMappingError {
  readonly code = 'NO_GATEWAY'
}

/** The other side did not answer in time. */
export class NoReplyError extends PortMappingError {
  readonly code = 'NO_REPLY'
}

/** The network or the HTTP layer failed; `cause` has the system's error. */
export class TransportError extends PortMappingError {
  readonly code = 'TRANSPORT'
}

/** A message is not what it should be. Decoders throw only this error. */
export class MalformedMessageError extends PortMappingError {
  readonly code = 'MALFORMED_MESSAGE'
  /** The first 200 characters of what was received; not cleaned for a terminal. */
  readonly received: string
  /** What the message should have been, in words. */
  readonly expected: string

  constructor(expected: string, received: string, options: { action?: string | undefined; cause?: unknown } = {}) {
    super(`expected ${expected}`, options)
    this.expected = expected
    this.received = received.slice(0, 200)
  }
}

/** Undefined if the message is malformed: anybody can send such a message, so a listener keeps listening. */
export function unlessMalformed<T>(decode: () => T): T | undefined {
  try {
    return decode()
  } catch (error) {
    if (error instanceof MalformedMessageError) return undefined
    throw error
  }
}

/** The gateway understood the request and said no. */
export class RefusedError extends PortMappingError {
  readonly code = 'REFUSED'
  readonly protocol: GatewayProtocol
  /** The error number in that protocol, e.g. 718 for an IGD, or 12 for PCP (RFC 6887 7.4). */
  readonly number: number
  /** The name of that number in the standard, e.g. ConflictInMappingEntry or ADDRESS_MISMATCH. */
  readonly standardName: string
  /** The gateway's own words, not cleaned for a terminal. Empty for PCP and NAT-PMP, which send no text. */
  readonly description: string
  /** PCP: how long the answer will stay the same, in seconds (RFC 6887 7.4); 0 if that is not known. */
  readonly lastsSeconds: number
  /** PCP and NAT-PMP: whether the answer told the gateway's epoch. */
  readonly hasEpoch: boolean

  constructor(
    facts: { action: string } & Pick<RefusedError, 'number' | 'standardName'> &
      Partial<Pick<RefusedError, 'protocol' | 'description' | 'lastsSeconds' | 'hasEpoch'>>,
  ) {
    super(`${facts.action} was refused with ${facts.number} (${facts.standardName})`, { action: facts.action })
    this.protocol = facts.protocol ?? 'igd'
    this.number = facts.number
    this.standardName = facts.standardName
    this.description = facts.description ?? ''
    this.lastsSeconds = facts.lastsSeconds ?? 0
    this.hasEpoch = facts.hasEpoch === true
  }
}

/** The UPnP error number if an IGD refused; undefined for any other error. */
export function upnpErrorOf(error: unknown): number | undefined {
  return error instanceof RefusedError && error.protocol === 'igd' ? error.number : undefined
}

/** The gateway said yes, but the mapping that it shows afterwards is not the one that was asked for. */
export class NotConfirmedError extends PortMappingError {
  readonly code = 'NOT_CONFIRMED'
  /** The mapping that the gateway shows. */
  readonly mapping: PortMapping
  /** True if the port belongs to another computer. False if the gateway made a mapping, but not the requested one. */
  readonly belongsToAnother: boolean

  /** True if the mapping that the gateway made has been removed, or was there before. */
  readonly isClosedAgain: boolean

  constructor(
    mapping: PortMapping,
    message: string,
    options: { action: string; belongsToAnother?: boolean; isClosedAgain?: boolean },
  ) {
    super(message, options)
    this.mapping = mapping
    this.belongsToAnother = options.belongsToAnother === true
    this.isClosedAgain = options.isClosedAgain === true
  }
}

/** The errors that mean that a port is taken. NAT-PMP has none: it gives another port without a word. */
const PORT_IS_TAKEN: Readonly<Record<GatewayProtocol, readonly number[]>> = {
  igd: [UPNP_ERRORS.ConflictInMappingEntry, UPNP_ERRORS.ConflictWithOtherMechanisms],
  pcp: [11], // CANNOT_PROVIDE_EXTERNAL (RFC 6887 7.4)
  'nat-pmp': [],
}

/** Whether the port belongs to somebody else: then another port may be free. */
export function isPortTaken(error: unknown): error is NotConfirmedError | RefusedError {
  if (error instanceof NotConfirmedError) return error.belongsToAnother
  return error instanceof RefusedError && PORT_IS_TAKEN[error.protocol].includes(error.number)
}

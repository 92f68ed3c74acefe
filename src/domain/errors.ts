/** Everything that can go wrong, by its cause. A message says what was attempted, with whom, and what to do next. */
import type { ErrorCode, ErrorFacts, SearchSummary } from './error-facts.js'
import { libraryHintFor, nothingFound } from './hints.js'
import type { GatewayProtocol, PortMapping } from './port-mapping.js'
import type { LeftBehind } from './refusal-cause.js'
import { UPNP_ERRORS } from './upnp-errors.js'
import { COMMAND_LINE, LIBRARY, type Sentence, said } from './words.js'

export type { ErrorCode } from './error-facts.js'

/** The gateway that an error is about. */
export interface AskedGateway {
  readonly protocol: GatewayProtocol
  /** Its address, with its zone; undefined if it is not known. */
  readonly address: string | undefined
}

/** Every error that this library throws on purpose. It narrows by `code`. */
export type AnyPortMappingError =
  | InvalidArgumentError
  | NoGatewayError
  | NoReplyError
  | TransportError
  | MalformedMessageError
  | RefusedError
  | NotConfirmedError

/** The same symbol in every copy of this package. */
const BRAND = Symbol.for('upnp-ts.PortMappingError')

/**
 * The base of every error that this library throws on purpose; `code` tells the kind.
 *
 * @example
 * try {
 *   await gateway.map({ internalPort: 8080 })
 * } catch (error) {
 *   if (!PortMappingError.is(error)) throw error
 *   console.error(`${error.message}: ${error.hint}`)
 *   if (error.code === 'REFUSED') console.error(error.number, error.standardName)
 * }
 */
export abstract class PortMappingError extends Error {
  /** The kind of the error. It does not change from version to version, as messages may. */
  abstract readonly code: ErrorCode
  /** The action or request that failed, by its name in the standard, such as `AddPortMapping`; undefined if none. */
  readonly action: string | undefined
  /** The gateway that was asked; undefined if none was, or none was found. */
  gateway: AskedGateway | undefined
  /** True if the gateway said yes, and only reading back what it made has failed. */
  isUnconfirmed = false
  /** What has the port, if this user opened it from an earlier address of this computer. */
  leftBehind: LeftBehind | undefined
  #hint: string | undefined

  static {
    Object.defineProperty(PortMappingError.prototype, BRAND, { value: true })
  }

  constructor(message: string, options: { action?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name // each class says its own, because the package's code is minified
    this.action = options.action
  }

  /** Whether it is an error of this library, also if another copy of the package has thrown it: `instanceof` says no then. */
  static is(error: unknown): error is AnyPortMappingError {
    return typeof error === 'object' && error !== null && BRAND in error
  }

  /**
   * What to do next, in plain words and with the names of options and methods: there always is something. Text of the
   * gateway in it is not cleaned for a terminal.
   */
  get hint(): string {
    return this.#hint ?? libraryHintFor(errorFacts(this))
  }

  /** By whoever knows more about the request, or has found out what is in the way. */
  set hint(hint: string | undefined) {
    this.#hint = hint
  }
}

/** The messages with names in them that the command line has others for. */
const SENTENCES = new WeakMap<PortMappingError, Sentence>()

/** An error whose message is in the words of whoever reads it. */
export function inWords<E extends PortMappingError>(sentence: Sentence, made: (message: string) => E): E {
  const error = made(said(sentence, LIBRARY))
  SENTENCES.set(error, sentence)
  return error
}

/** The facts of an error, as data. The message is the command line's. */
export function errorFacts(error: PortMappingError): ErrorFacts {
  const { code, action, isUnconfirmed } = error
  const message = said(SENTENCES.get(error) ?? error.message, COMMAND_LINE)
  const common = {
    code,
    message,
    ...(action === undefined ? {} : { action }),
    ...(isUnconfirmed ? ({ isUnconfirmed } as const) : {}),
  }
  if (!(error instanceof RefusedError)) return common
  const { protocol: via, number, standardName: name, description } = error
  return { ...common, via, number, name, description }
}

/** The caller asked for something that no gateway could do: a port out of range, a bad address. Nothing was sent. */
export class InvalidArgumentError extends PortMappingError {
  static override readonly name: string = 'InvalidArgumentError'
  readonly code = 'INVALID_ARGUMENT'
}

/** The search ended without a gateway that can be used. */
export class NoGatewayError extends PortMappingError {
  static override readonly name: string = 'NoGatewayError'
  readonly code = 'NO_GATEWAY'
  /** If nobody answered: whom the search has asked, for how long, and what came. */
  searched: SearchSummary | undefined
}

/** The error of a search that nobody has answered. */
export function nobodyAnswered(what: string, searched: SearchSummary): NoGatewayError {
  const { asked = '', why, advice } = nothingFound(searched, LIBRARY)
  const error = new NoGatewayError(`no ${what} answered the search: ${asked}${why}`)
  error.searched = searched
  error.hint = advice
  return error
}

/** The other side did not answer in time. */
export class NoReplyError extends PortMappingError {
  static override readonly name: string = 'NoReplyError'
  readonly code = 'NO_REPLY'
}

/** The network or the HTTP layer failed; `cause` has the system's error. */
export class TransportError extends PortMappingError {
  static override readonly name: string = 'TransportError'
  readonly code = 'TRANSPORT'
}

/** A message is not what it should be. Decoders throw only this error. */
export class MalformedMessageError extends PortMappingError {
  static override readonly name: string = 'MalformedMessageError'
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

/** The errors that mean that a port is taken. NAT-PMP has none: it gives another port without a word. */
const PORT_IS_TAKEN: Readonly<Record<GatewayProtocol, readonly number[]>> = {
  igd: [UPNP_ERRORS.ConflictInMappingEntry, UPNP_ERRORS.ConflictWithOtherMechanisms],
  pcp: [11], // CANNOT_PROVIDE_EXTERNAL (RFC 6887 7.4)
  'nat-pmp': [],
}

/** The gateway understood the request and said no. */
export class RefusedError extends PortMappingError {
  static override readonly name: string = 'RefusedError'
  readonly code = 'REFUSED'
  readonly protocol: GatewayProtocol
  /**
   * The error number in that protocol, e.g. 718 for an IGD, or 12 for PCP (RFC 6887 7.4). If the gateway shows that the
   * port is taken, or offers another one, the number for that; NAT-PMP has none, so it is 0.
   */
  readonly number: number
  /** The name of that number in the standard, e.g. ConflictInMappingEntry or ADDRESS_MISMATCH. */
  readonly standardName: string
  /** The gateway's own words, not cleaned for a terminal. Empty for PCP and NAT-PMP, which send no text. */
  readonly description: string
  /** PCP: how long the answer will stay the same, in seconds (RFC 6887 7.4); 0 if that is not known. */
  readonly lastsSeconds: number
  /** PCP and NAT-PMP: whether the answer told the gateway's epoch. */
  readonly hasEpoch: boolean
  /**
   * Whether somebody else has the external port, in whatever way the gateway has told that, or another open port of this
   * program: another one may be free.
   */
  readonly isPortTaken: boolean
  /** What has the port, if that is known. */
  holder: PortMapping | undefined

  constructor(
    facts: ({ action: string; message?: string } | { action: undefined; message: string }) & { cause?: unknown } & Pick<
        RefusedError,
        'number' | 'standardName'
      > &
      Partial<Pick<RefusedError, 'protocol' | 'description' | 'lastsSeconds' | 'hasEpoch' | 'isPortTaken' | 'holder'>>,
  ) {
    const { action, message = `${action} was refused with ${facts.number} (${facts.standardName})`, cause } = facts
    super(message, { action, cause })
    this.protocol = facts.protocol ?? 'igd'
    this.isPortTaken = facts.isPortTaken ?? PORT_IS_TAKEN[this.protocol].includes(facts.number)
    this.holder = facts.holder
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
  static override readonly name: string = 'NotConfirmedError'
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
    options: { action?: string; belongsToAnother?: boolean; isClosedAgain?: boolean },
  ) {
    super(message, options)
    this.mapping = mapping
    this.belongsToAnother = options.belongsToAnother === true
    this.isClosedAgain = options.isClosedAgain === true
  }
}

/**
 * Somebody else has the port, as this program knows or the gateway shows before it is asked, or as it tells by offering
 * another one. For a program it is a refusal.
 */
export class PortTakenError extends NotConfirmedError {
  static override readonly name: string = 'PortTakenError'
  readonly #protocol: GatewayProtocol
  readonly #isKnown: boolean
  readonly #ownHint: string | undefined

  /** `mapping`: what has the port if that `isKnown`, or else what was offered. Without `action` nobody was asked. */
  constructor(
    mapping: PortMapping,
    message: string,
    options: { action?: string; protocol: GatewayProtocol; isKnown?: boolean; isClosedAgain?: boolean; hint?: string },
  ) {
    super(mapping, message, { ...options, belongsToAnother: true })
    this.#protocol = options.protocol
    this.#isKnown = options.isKnown === true
    this.#ownHint = options.hint
  }

  get refusal(): RefusedError {
    const { action, message, mapping } = this
    const [number, standardName] = TAKEN[this.#protocol]
    const holder = this.#isKnown ? mapping : undefined
    const protocol = this.#protocol
    const facts = { action, message, cause: this, protocol, number, standardName, isPortTaken: true }
    const refusal = new RefusedError({ ...facts, ...(holder && { holder }) })
    refusal.hint = this.#ownHint
    refusal.gateway = this.gateway
    refusal.leftBehind = this.leftBehind
    return refusal
  }
}

/** The number for it and its name. */
const TAKEN: Readonly<Record<GatewayProtocol, readonly [number, string]>> = {
  igd: [UPNP_ERRORS.ConflictInMappingEntry, 'ConflictInMappingEntry'],
  pcp: [11, 'CANNOT_PROVIDE_EXTERNAL'],
  'nat-pmp': [0, ''],
}

/** Whether the port belongs to somebody else: then another port may be free. */
export function isPortTaken(error: unknown): error is NotConfirmedError | RefusedError {
  if (error instanceof NotConfirmedError) return error.belongsToAnother
  return error instanceof RefusedError && error.isPortTaken
}

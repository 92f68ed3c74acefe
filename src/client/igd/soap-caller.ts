/** One action on one service of one gateway: encodes the request, sends it, and decodes and checks the reply. */
import {
  MalformedMessageError,
  PortMappingError,
  RefusedError,
  TransportError,
  unlessMalformed,
} from '../../domain/errors.js'
import { UPNP_ERRORS, upnpErrorName } from '../../domain/upnp-errors.js'
import { zonedUrlText } from '../../domain/url.js'
import { USER_AGENT } from '../../domain/version.js'
import type { HttpClient, HttpReply, HttpRequest } from '../../net/http/client.js'
import {
  argumentList,
  IGD_ACTIONS,
  type IgdActionName,
  type InArguments,
  type OutArguments,
} from '../../wire/igd-actions.js'
import {
  decodeSoapReply,
  encodeSoapRequest,
  leadingNumber,
  type SoapArguments,
  type SoapReply,
  type SoapRequest,
  soapActionHeader,
} from '../../wire/soap.js'
import { endsWithRoot } from '../../wire/xml.js'
import type { ControlledService } from './services.js'

/** How long a whole answer may take if the caller does not say. */
export const DEFAULT_ANSWER_MS = 30_000
/** Routers are quick to read, but some take more than 4 s to make or remove a mapping. */
const LEAST_SILENCE_MS = { question: 5000, change: 10_000 }
const MAX_SOAP_REPLY_BYTES = 128 * 1024
/** Room for a thousand entries. */
const MAX_LISTING_BYTES = 1024 * 1024

/**
 * Harmless if done twice, so it is asked for once more if the reply is a page, an HTTP error without a fault, or empty
 * (users of Quasar saw HTTP 400 at the first try only).
 */
const REPEATABLE: ReadonlySet<string> = new Set(['AddPortMapping', 'DeletePortMapping'])

/** The signal and the silence replace the caller's. */
export type CallOptions = Partial<
  Pick<HttpRequest, 'localAddress' | 'signal' | 'silenceMs' | 'freeSinceMs' | 'onReset' | 'onReply'>
>

export interface CallerOptions {
  /** The interface of the gateway's link-local addresses. */
  readonly zone?: string | undefined
  /** The address to ask from. If undefined, the one on the way to the gateway. */
  readonly localAddress?: string | undefined
  /** How long each whole answer may take. The default is DEFAULT_ANSWER_MS. */
  readonly answerMs?: number | undefined
}

export class SoapCaller {
  readonly signal: AbortSignal | undefined
  readonly #http: HttpClient
  readonly #zone: string
  readonly #localAddress: string | undefined
  readonly #answerMs: number
  readonly #options: CallerOptions
  /** The URL of each service that answered. */
  readonly #working: Map<ControlledService, URL>

  constructor(
    http: HttpClient,
    signal: AbortSignal | undefined,
    options: CallerOptions = {},
    working = new Map<ControlledService, URL>(),
  ) {
    const { zone = '', localAddress, answerMs = DEFAULT_ANSWER_MS } = options
    this.#http = http
    this.signal = signal
    this.#zone = zone
    this.#localAddress = localAddress
    this.#answerMs = answerMs
    this.#options = options
    this.#working = working
  }

  /** The same, but its calls end with that signal. */
  until(signal: AbortSignal | undefined): SoapCaller {
    return new SoapCaller(this.#http, signal, this.#options, this.#working)
  }

  /** The URL that has answered, or else the first one. A link-local one has its zone. */
  controlUrl(service: ControlledService): string {
    const url = this.#working.get(service) ?? service.controlUrls[0]
    return url === undefined ? '' : zonedUrlText({ url, zone: this.#zone })
  }

  /** @throws RefusedError, TransportError, NoReplyError, MalformedMessageError */
  async call<A extends IgdActionName>(
    service: ControlledService,
    action: A,
    values: InArguments<A>,
    options: CallOptions = {},
  ): Promise<SoapArguments> {
    const { serviceType } = service
    const request = { serviceType, action, arguments: argumentList(IGD_ACTIONS[action].in, values) }
    const known = this.#working.get(service)
    const urls = known === undefined ? service.controlUrls : [known]
    for (const [at, url] of urls.entries()) {
      try {
        const reply = await this.#post(url, request, options)
        this.#working.set(service, url)
        return reply
      } catch (error) {
        if (error instanceof RefusedError) this.#working.set(service, url)
        // A web page is no answer either. But a gateway that stays silent may have done what was asked.
        const elsewhere = error instanceof TransportError || error instanceof MalformedMessageError
        if (!elsewhere || at === urls.length - 1) throw error
      }
    }
    throw new TransportError(`${action}: the service has no control URL`, { action })
  }

  async #post(url: URL, request: SoapRequest, options: CallOptions): Promise<SoapArguments> {
    const { action } = request
    let unclear: HttpReply | undefined
    const isAnswer = (reply: HttpReply): boolean => {
      if (isSoapAnswer(reply, action)) return true
      unclear ??= reply
      return false
    }
    const reply = await this.#http.request({
      method: 'POST',
      url,
      zone: this.#zone,
      headers: [
        ['User-Agent', USER_AGENT],
        ['Content-Type', 'text/xml; charset="utf-8"'],
        ['SOAPAction', soapActionHeader(request)],
      ],
      body: encodeSoapRequest(request),
      action,
      maxBodyBytes: action === 'GetListOfPortMappings' ? MAX_LISTING_BYTES : MAX_SOAP_REPLY_BYTES,
      timeoutMs: this.#answerMs,
      silenceMs: silenceWithin(this.#answerMs, action.startsWith('Get') ? 'question' : 'change'),
      isComplete: endsWithRoot,
      ...(REPEATABLE.has(action) ? { isAnswer } : {}),
      ...options,
      localAddress: options.localAddress ?? this.#localAddress,
      signal: options.signal ?? this.signal,
    })
    try {
      return argumentsOf(reply, action, url)
    } catch (error) {
      if (unclear !== undefined && wasDoneBefore(action, error, unclear)) return new Map()
      throw error
    }
  }
}

/**
 * Whether the first request was done, though its reply was unclear: the mapping to be deleted is not there any more, or
 * the reply to an addition was an empty success, and the second one says nothing against it: that is read back anyway.
 */
function wasDoneBefore(action: string, error: unknown, unclear: HttpReply): boolean {
  if (!(error instanceof RefusedError))
    return action !== 'DeletePortMapping' && error instanceof PortMappingError && isEmptySuccess(unclear)
  if (error.number === UPNP_ERRORS.ConflictInMappingEntry) return isEmptySuccess(unclear)
  return error.number === UPNP_ERRORS.NoSuchEntryInArray
}

/**
 * How long a router may take to begin its answer. It is not all the time, because most callers can do without one
 * answer, and undo what they did if a change is not answered.
 */
export function silenceWithin(answerMs: number, kind: keyof typeof LEAST_SILENCE_MS): number {
  return Math.max(LEAST_SILENCE_MS[kind], Math.round((answerMs / 3) * (kind === 'change' ? 2 : 1)))
}

function isSuccess({ status }: HttpReply): boolean {
  return status >= 200 && status <= 299
}

function isEmptySuccess(reply: HttpReply): boolean {
  return isSuccess(reply) && reply.body.every((byte) => byte <= 0x20)
}

function isSoapAnswer(reply: HttpReply, action: string): boolean {
  const decoded = unlessMalformed(() => decodeSoapReply(reply.body, action))
  return decoded?.kind === 'fault' || (decoded !== undefined && isSuccess(reply) && !isEmptySuccess(reply))
}

/** A fault counts with any HTTP status (some routers send it with 200). An HTTP error is never a success. */
function argumentsOf(reply: HttpReply, action: string, url: URL): SoapArguments {
  const ok = isSuccess(reply)
  const decode = (): SoapReply => decodeSoapReply(reply.body, action)
  const decoded = ok ? decode() : unlessMalformed(decode)
  if (decoded?.kind === 'fault') {
    const { errorCode: number, errorDescription: description } = decoded
    throw new RefusedError({ action, number, standardName: upnpErrorName(number), description })
  }
  if (decoded === undefined || !ok) {
    throw new TransportError(`${action}: ${url.origin} answered HTTP ${reply.status}`, { action })
  }
  return decoded.arguments
}

type Name<A extends IgdActionName> = keyof OutArguments<A> & string

export function optionalText<A extends IgdActionName>(reply: SoapArguments, name: Name<A>): string {
  return reply.get(name.toLowerCase()) ?? ''
}

/** @throws MalformedMessageError if it is missing, as the next two */
export function text<A extends IgdActionName>(reply: SoapArguments, action: A, name: Name<A>): string {
  const value = reply.get(name.toLowerCase())
  if (value === undefined) throw missing(action, name, reply)
  return value
}

export function number<A extends IgdActionName>(reply: SoapArguments, action: A, name: Name<A>): number {
  const value = leadingNumber(text(reply, action, name))
  if (value === undefined) throw missing(action, name, reply)
  return value
}

/** UDA 1.1 2.5, dataType boolean: 1 and 0, or the older words. */
export function boolean<A extends IgdActionName>(reply: SoapArguments, action: A, name: Name<A>): boolean {
  return /^(1|true|yes)$/i.test(text(reply, action, name).trim())
}

/** Not the opposite of true: a router that says nothing has not said no. */
export function isFalse(value: string): boolean {
  return /^(0|false|no)$/i.test(value.trim())
}

export function missing(action: string, name: string, reply: SoapArguments): MalformedMessageError {
  return new MalformedMessageError(`${name} in the reply to ${action}`, [...reply.keys()].join(', '), { action })
}

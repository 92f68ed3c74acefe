/** One action on one service of one gateway: encodes the request, sends it, and decodes and checks the reply. */
import { MalformedMessageError, RefusedError, TransportError, unlessMalformed } from '../../domain/errors.js'
import { upnpErrorName } from '../../domain/upnp-errors.js'
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

/** All routers are quick to read, but some take more than 4 s to make or remove a mapping. */
const READ_TIMEOUT_MS = 5000
const WRITE_TIMEOUT_MS = 10_000
const MAX_SOAP_REPLY_BYTES = 128 * 1024
/** Room for a thousand entries. */
const MAX_LISTING_BYTES = 1024 * 1024

/** The signal replaces the caller's. */
export type CallOptions = Partial<Pick<HttpRequest, 'localAddress' | 'signal' | 'onReset' | 'onReply'>>

export class SoapCaller {
  readonly signal: AbortSignal | undefined
  readonly #http: HttpClient
  readonly #zone: string
  readonly #localAddress: string | undefined
  /** The URL of each service that answered. */
  readonly #working = new Map<ControlledService, URL>()

  /** `zone`: the interface of the gateway's link-local addresses. `localAddress`: the address to ask from. */
  constructor(http: HttpClient, signal: AbortSignal | undefined, zone = '', localAddress?: string) {
    this.#http = http
    this.signal = signal
    this.#zone = zone
    this.#localAddress = localAddress
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
      timeoutMs: action.startsWith('Get') ? READ_TIMEOUT_MS : WRITE_TIMEOUT_MS,
      isComplete: endsWithRoot,
      ...options,
      localAddress: options.localAddress ?? this.#localAddress,
      signal: options.signal ?? this.signal,
    })
    return argumentsOf(reply, action, url)
  }
}

/** A fault counts with any HTTP status (some routers send it with 200). An HTTP error is never a success. */
function argumentsOf(reply: HttpReply, action: string, url: URL): SoapArguments {
  const ok = reply.status >= 200 && reply.status <= 299
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

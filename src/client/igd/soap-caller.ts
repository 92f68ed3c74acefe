/** One action on one service of one gateway: encodes the request from the table, sends it, decodes the reply. */
import { MalformedMessageError, RefusedError, TransportError, unlessMalformed } from '../../domain/errors.js'
import { upnpErrorName } from '../../domain/upnp-errors.js'
import { zonedUrlText } from '../../domain/url.js'
import { USER_AGENT } from '../../domain/version.js'
import type { HttpClient, HttpReply, HttpRequest } from '../../net/http/client.js'
import { argumentList, IGD_ACTIONS, type IgdActionName, type InArguments } from '../../wire/igd-actions.js'
import {
  decodeSoapReply,
  encodeSoapRequest,
  type SoapArguments,
  type SoapReply,
  type SoapRequest,
  soapActionHeader,
} from '../../wire/soap.js'
import { endsWithRoot } from '../../wire/xml.js'
import type { ControlledService } from './services.js'

/** Asking is quick everywhere; making and removing a mapping takes some routers more than 4 s. */
const READ_TIMEOUT_MS = 5000
const WRITE_TIMEOUT_MS = 10_000
const MAX_SOAP_REPLY_BYTES = 128 * 1024
/** A thousand entries. */
const MAX_LISTING_BYTES = 1024 * 1024

export interface CallOptions {
  /** The address to ask from, where it can be: a gateway opens a pinhole only for the very computer that asks. */
  readonly localAddress?: string | undefined
  /** In place of the caller's. */
  readonly signal?: AbortSignal | undefined
  /** As in HttpRequest. */
  readonly onReset?: HttpRequest['onReset']
  readonly onReply?: HttpRequest['onReply']
}

export class SoapCaller {
  readonly signal: AbortSignal | undefined
  readonly #http: HttpClient
  readonly #zone: string
  /** Which of a service's URLs answered. */
  readonly #working = new Map<ControlledService, URL>()

  /** `zone`: the interface on which the gateway's link-local addresses are. */
  constructor(http: HttpClient, signal: AbortSignal | undefined, zone = '') {
    this.#http = http
    this.signal = signal
    this.#zone = zone
  }

  /** The control URL in use: the one that has answered, or else the first one. A link-local one has its zone. */
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
    const request = {
      serviceType: service.serviceType,
      action,
      arguments: argumentList(IGD_ACTIONS[action].in, values),
    }
    const known = this.#working.get(service)
    const urls = known === undefined ? service.controlUrls : [known]
    for (const [at, url] of urls.entries()) {
      try {
        const reply = await this.#post(url, request, options)
        this.#working.set(service, url)
        return reply
      } catch (error) {
        if (error instanceof RefusedError) this.#working.set(service, url)
        // A web page of something else on that port is no answer either; but who is silent may have done it.
        const elsewhere = error instanceof TransportError || error instanceof MalformedMessageError
        if (!elsewhere || at === urls.length - 1) throw error
      }
    }
    throw new TransportError(`${action}: the service has no control URL`, { action })
  }

  async #post(
    url: URL,
    request: SoapRequest,
    { localAddress, signal, onReset, onReply }: CallOptions,
  ): Promise<SoapArguments> {
    const { action } = request
    const reply = await this.#http.request({
      method: 'POST',
      url,
      zone: this.#zone,
      localAddress,
      headers: [
        ['User-Agent', USER_AGENT],
        ['Content-Type', 'text/xml; charset="utf-8"'],
        ['SOAPAction', soapActionHeader(request)],
      ],
      body: encodeSoapRequest(request),
      action,
      maxBodyBytes: action === 'GetListOfPortMappings' ? MAX_LISTING_BYTES : MAX_SOAP_REPLY_BYTES,
      timeoutMs: action.startsWith('Get') ? READ_TIMEOUT_MS : WRITE_TIMEOUT_MS,
      signal: signal ?? this.signal,
      onReset,
      onReply,
      isComplete: endsWithRoot,
    })
    return argumentsOf(reply, action, url)
  }
}

/** A fault counts at any HTTP status (some routers send it with 200); an HTTP error without one is never a success. */
function argumentsOf(reply: HttpReply, action: string, url: URL): SoapArguments {
  const ok = reply.status >= 200 && reply.status <= 299
  const decoded = ok ? decodeSoapReply(reply.body, action) : decodeFault(reply.body, action)
  if (decoded?.kind === 'fault') {
    const { errorCode: number, errorDescription: description } = decoded
    throw new RefusedError({ action, number, standardName: upnpErrorName(number), description })
  }
  if (decoded === undefined) {
    throw new TransportError(`${action}: ${url.origin} answered HTTP ${reply.status}`, { action })
  }
  return decoded.arguments
}

function decodeFault(body: Uint8Array, action: string): SoapReply | undefined {
  const decoded = unlessMalformed(() => decodeSoapReply(body, action))
  return decoded?.kind === 'fault' ? decoded : undefined
}

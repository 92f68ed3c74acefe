/**
 * A subscription to the events of a service (UPnP Device Architecture 1.1, chapter 4): asked for, renewed at half its
 * time, given back at the end. What comes is a reason to ask the gateway, never a fact, so the order of events and their
 * gaps do not matter; and a gateway without events, or one that cannot reach us, is no error: it is tried again, ever
 * more seldom.
 *
 * The server for the notifications is open to the whole link (CVE-2020-12695 is about what can be done with the other
 * end). It listens on the one address that leads to the gateway, and hears only the gateway, on a path that nobody else
 * was told, with the SID that was granted.
 */
import { isIPv6, isLinkLocalIPv6, isSameAddress, splitZone } from '../domain/address.js'
import { MalformedMessageError, PortMappingError, TransportError } from '../domain/errors.js'
import { type Clock, sleep } from '../net/clock.js'
import type { Endpoint } from '../net/datagrams.js'
import type { HttpClient, HttpReply, HttpRequest } from '../net/http-client.js'
import type { HttpServer, HttpServers, ServedReply, ServedRequest } from '../net/http-server.js'
import {
  decodeEventHead,
  decodePropertySet,
  decodeSubscription,
  renewalHeaders,
  type Subscription,
  subscribeHeaders,
  unsubscribeHeaders,
} from '../wire/gena.js'
import { USER_AGENT } from './soap-caller.js'

/** UDA 1.1 4.1.2 wants at least that. */
export const ASKED_TIMEOUT_SECONDS = 1800
/** Whatever was granted: more often would be a nuisance, and who grants more is asked all the same. */
export const LEAST_RENEWAL_MS = 10_000
/** After a failure, doubled up to the last. */
export const FIRST_RETRY_MS = 5000
export const LAST_RETRY_MS = 1_800_000
const REQUEST_TIMEOUT_MS = 5000
export const UNSUBSCRIBE_TIMEOUT_MS = 1000

export interface EventSubscriptionOptions {
  readonly http: HttpClient
  readonly httpServers: HttpServers
  readonly clock: Clock
  /** A text of letters and digits that nobody can guess. */
  readonly secret: () => string
  readonly eventUrl: URL
  /** Where the hosts are link-local. */
  readonly zone?: string | undefined
  /** This computer's address on the way to the gateway. */
  readonly localAddress: string
  readonly gatewayAddress: string
  /** What the gateway says has changed; empty where it could not be read. */
  readonly onEvent: (variables: ReadonlyMap<string, string>) => void
}

/** Until the returned function is called; what that returns resolves within a second. */
export function subscribeToEvents(options: EventSubscriptionOptions): () => Promise<void> {
  const subscription = new EventSubscription(options)
  const running = subscription.run()
  let stopping: Promise<void> | undefined
  return () => {
    stopping ??= subscription.stop(running)
    return stopping
  }
}

class EventSubscription {
  readonly #options: EventSubscriptionOptions
  readonly #path: string
  readonly #localAddress: string
  readonly #stopped = new AbortController()
  #server: HttpServer | undefined
  #SID: string | undefined
  /** An event may come before the SID that it is for (UDA 1.1 4.1.2). */
  #isAsking = false

  constructor(options: EventSubscriptionOptions) {
    this.#options = options
    this.#path = `/${options.secret()}`
    this.#localAddress = withZone(options.localAddress, options.zone ?? '')
  }

  async run(): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#stopped
    let retryMs = FIRST_RETRY_MS
    while (!signal.aborted) {
      try {
        const timeoutSeconds = await this.#renewOrSubscribe()
        retryMs = FIRST_RETRY_MS
        await sleep(clock, renewalMs(timeoutSeconds), signal)
      } catch (error) {
        if (!(error instanceof PortMappingError)) throw error
        await sleep(clock, retryMs, signal)
        retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)
      }
    }
  }

  async stop(running: Promise<void>): Promise<void> {
    this.#stopped.abort(new TransportError('the subscription to events is over'))
    await running
    await this.#unsubscribe()
    await this.#server?.close()
  }

  async #renewOrSubscribe(): Promise<number | undefined> {
    this.#server ??= await this.#listen()
    if (this.#SID !== undefined) {
      const renewed = await this.#renew(this.#SID)
      if (renewed !== undefined) return renewed.timeoutSeconds
    }
    this.#SID = undefined
    this.#isAsking = true
    try {
      const callback = callbackUrl(this.#server.local, this.#path)
      const reply = await this.#ask('SUBSCRIBE', subscribeHeaders(callback, ASKED_TIMEOUT_SECONDS))
      const { SID, timeoutSeconds } = decodeSubscription(reply.headers ?? new Map())
      this.#SID = SID
      return timeoutSeconds
    } finally {
      this.#isAsking = false
    }
  }

  /** Undefined where it has to be asked for anew: the gateway has forgotten it (UDA 1.1 4.1.3: 412), or does not answer. */
  async #renew(SID: string): Promise<Subscription | undefined> {
    try {
      const reply = await this.#ask('SUBSCRIBE', renewalHeaders(SID, ASKED_TIMEOUT_SECONDS))
      const headers = new Map([['sid', SID], ...(reply.headers ?? [])]) // some leave it out here
      const renewed = decodeSubscription(headers)
      this.#SID = renewed.SID
      return renewed
    } catch (error) {
      if (!(error instanceof PortMappingError) || this.#stopped.signal.aborted) throw error
      return undefined
    }
  }

  async #unsubscribe(): Promise<void> {
    if (this.#SID === undefined) return
    const limits = { timeoutMs: UNSUBSCRIBE_TIMEOUT_MS, signal: undefined }
    try {
      await this.#ask('UNSUBSCRIBE', unsubscribeHeaders(this.#SID), limits)
    } catch (error) {
      if (!(error instanceof PortMappingError)) throw error // it ends by itself, when its time is over
    }
  }

  /** @throws PortMappingError also where the answer is not 200 */
  async #ask(
    method: 'SUBSCRIBE' | 'UNSUBSCRIBE',
    headers: HttpRequest['headers'],
    limits: Pick<HttpRequest, 'timeoutMs' | 'signal'> = { timeoutMs: REQUEST_TIMEOUT_MS, signal: this.#stopped.signal },
  ): Promise<HttpReply> {
    const { http, eventUrl: url, zone } = this.#options
    const reply = await http.request({
      method,
      url,
      zone,
      localAddress: this.#localAddress, // some gateways call back only whoever asks
      headers: [['User-Agent', USER_AGENT], ...headers],
      action: method,
      maxBodyBytes: 0,
      isComplete: () => true,
      ...limits,
    })
    if (reply.status === 200) return reply
    throw new TransportError(`${method}: ${url.origin} answered HTTP ${reply.status}`, { action: method })
  }

  #listen(): Promise<HttpServer> {
    const handler = (request: ServedRequest): ServedReply => ({ status: this.#hear(request), headers: [], body: '' })
    return this.#options.httpServers.listen({ address: this.#localAddress, port: 0, handler })
  }

  /** The HTTP status that it is answered with (UDA 1.1 4.3.2). */
  #hear({ method, target, remoteAddress, headers, body }: ServedRequest): number {
    const isGateway = isSameAddress(splitZone(remoteAddress).address, splitZone(this.#options.gatewayAddress).address)
    if (method !== 'NOTIFY' || target !== this.#path || !isGateway) return 404
    const SID = orUndefined(() => decodeEventHead(headers).SID)
    const isOurs = SID !== undefined && (SID === this.#SID || this.#isAsking)
    if (!isOurs || this.#stopped.signal.aborted) return 412
    this.#options.onEvent(orUndefined(() => decodePropertySet(body)) ?? new Map())
    return 200
  }
}

function withZone(localAddress: string, zone: string): string {
  const { address } = splitZone(localAddress)
  return zone !== '' && isLinkLocalIPv6(address) ? `${address}%${zone}` : address
}

/** In a URL no address has a zone. */
function callbackUrl({ address, port }: Endpoint, path: string): URL {
  const host = splitZone(address).address
  return new URL(`http://${isIPv6(host) ? `[${host}]` : host}:${port}${path}`)
}

function renewalMs(grantedSeconds = ASKED_TIMEOUT_SECONDS): number {
  return Math.max(LEAST_RENEWAL_MS, (Math.min(grantedSeconds, ASKED_TIMEOUT_SECONDS) * 1000) / 2)
}

function orUndefined<T>(decode: () => T): T | undefined {
  try {
    return decode()
  } catch (error) {
    if (error instanceof MalformedMessageError) return undefined
    throw error
  }
}

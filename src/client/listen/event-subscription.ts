/**
 * A subscription to the events of a service (UPnP Device Architecture 1.1, chapter 4), which is renewed at half its
 * time and cancelled at the end. An event is a reason to ask the gateway, never a fact, so lost or reordered events do
 * not matter. It is no error if a gateway has no events or cannot reach us: one that does not answer is tried again, at
 * ever longer intervals, and one that refuses is left alone.
 *
 * Notifications (4.3.2) come to a server for the gateway alone. (CVE-2020-12695 is about abuse of the other end.) It
 * listens on the one address that leads to the gateway, hangs up on all others, and accepts only a secret path.
 */
import { hostAndPort, isSameAddress, isUnicastIPv4, isUnicastIPv6, splitZone, withZone } from '../../domain/address.js'
import { PortMappingError, TransportError, unlessMalformed } from '../../domain/errors.js'
import { ignore } from '../../domain/ignored.js'
import { USER_AGENT } from '../../domain/version.js'
import { type Clock, sleep } from '../../net/clock.js'
import type { HttpClient, HttpReply, HttpRequest } from '../../net/http/client.js'
import type { HttpServer, HttpServers, ServedRequest } from '../../net/http/server.js'
import {
  decodeEventHead,
  decodePropertySet,
  decodeSubscription,
  renewalHeaders,
  type Subscription,
  subscribeHeaders,
  unsubscribeHeaders,
} from '../../wire/gena.js'
import { EventedState } from './evented-state.js'

/** The least that UDA 1.1 4.1.2 allows. */
export const ASKED_TIMEOUT_SECONDS = 1800
/** The subscription is never renewed more often, however little time was granted. */
export const LEAST_RENEWAL_MS = 10_000
/** Nor more often than this for announcements, which anybody can forge. */
export const LEAST_ANNOUNCED_RENEWAL_MS = 60_000
/** The pause after a failure. It doubles, up to the last. */
export const FIRST_RETRY_MS = 5000
export const LAST_RETRY_MS = 1_800_000
/** A gateway that is starting up may refuse. After so many refusals it has no events, or none for us. */
export const MAX_REFUSALS = 3
const REQUEST_TIMEOUT_MS = 5000
export const UNSUBSCRIBE_TIMEOUT_MS = 1000

export interface EventSubscriptionOptions {
  readonly http: HttpClient
  readonly httpServers: HttpServers
  readonly clock: Clock
  /** Letters and digits that nobody can guess. */
  readonly secret: () => string
  readonly eventUrl: URL
  /** If the hosts are link-local. */
  readonly zone?: string | undefined
  /** This computer's address on the way to the gateway. */
  readonly localAddress: string
  /** Notifications come from this address, or from the one that answered at the event URL, which may be a host name. */
  readonly gatewayAddress: string
  /** Called if something has changed that a mapping may depend on, or if an event could not be read. */
  readonly onSuspicion: () => void
  /** Called for every event that could be read, with the names of what it tells. */
  readonly onEvent?: ((names: readonly string[]) => void) | undefined
}

/** Runs from the moment that it is made. */
export class EventSubscription {
  readonly #options: EventSubscriptionOptions
  readonly #secret: string
  readonly #localAddress: string
  readonly #stopped = new AbortController()
  #renewal = new AbortController()
  #pause = new AbortController()
  readonly #state = new EventedState()
  #server: HttpServer | undefined
  #SID: string | undefined
  #isRenewable = false
  /** The first event may come before the reply with its SID (UDA 1.1 4.1.2). */
  #isAsking = false
  #answeredFrom = ''
  /** How many in a row. */
  #refusals = 0
  readonly #running: Promise<void>
  #stopping: Promise<void> | undefined

  constructor(options: EventSubscriptionOptions) {
    this.#options = options
    this.#secret = options.secret()
    this.#localAddress = withZone(options.localAddress, options.zone ?? '')
    this.#running = this.#run()
  }

  async #run(): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#stopped
    let retryMs = FIRST_RETRY_MS
    while (!signal.aborted && this.#refusals < MAX_REFUSALS) {
      try {
        const timeoutSeconds = await this.#renewOrSubscribe()
        retryMs = FIRST_RETRY_MS
        await this.#sleepUntilRenewal(renewalMs(timeoutSeconds))
      } catch (error) {
        this.#ignoreDefect(error)
        if (this.#refusals === MAX_REFUSALS) break
        await sleep(clock, retryMs, signal)
        retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)
      }
    }
    if (!signal.aborted) await this.#server?.close()
  }

  /** A gateway that may have restarted may have forgotten the subscription. But somebody may forge the reason for it. */
  renew(): void {
    this.#renewal.abort()
  }

  /** The gateway has indeed restarted, or has another address. */
  renewNow(): void {
    this.#renewal.abort()
    this.#pause.abort()
  }

  /** Resolves within a second. */
  stop(): Promise<void> {
    this.#stopping ??= this.#end()
    return this.#stopping
  }

  async #end(): Promise<void> {
    this.#stopped.abort(new TransportError('the subscription to events is over'))
    this.renewNow()
    await this.#running
    await this.#unsubscribe()
    await this.#server?.close()
  }

  /** A call to renew() ends it, but not at once. */
  async #sleepUntilRenewal(pauseMs: number): Promise<void> {
    if (this.#stopped.signal.aborted) return
    const { clock } = this.#options
    this.#renewal = new AbortController()
    this.#pause = new AbortController()
    const [renewal, pause] = [this.#renewal.signal, this.#pause.signal]
    const leastMs = Math.min(pauseMs, LEAST_ANNOUNCED_RENEWAL_MS)
    await sleep(clock, leastMs, pause)
    if (!pause.aborted) await sleep(clock, pauseMs - leastMs, renewal)
  }

  async #renewOrSubscribe(): Promise<number | undefined> {
    this.#server ??= await this.#listen()
    const SID = this.#isRenewable ? this.#SID : undefined
    this.#isRenewable = false // if a renewal gets no answer, the next try is a new subscription
    const renewed = SID === undefined ? undefined : await this.#renew(SID)
    const granted = renewed ?? (await this.#subscribe(this.#callbackUrl(this.#server)))
    this.#SID = granted.SID
    this.#isRenewable = true
    return granted.timeoutSeconds
  }

  /** Undefined if the gateway has forgotten it (UDA 1.1 4.1.3: 412; some answer otherwise). */
  async #renew(SID: string): Promise<Subscription | undefined> {
    const reply = await this.#ask('SUBSCRIBE', renewalHeaders(SID, ASKED_TIMEOUT_SECONDS))
    if (reply.status === 200) return decodeSubscription(new Map([['sid', SID], ...reply.headers])) // some leave it out
    this.#SID = undefined
    return undefined
  }

  async #subscribe(callback: URL): Promise<Subscription> {
    this.#isAsking = true
    try {
      const { status, headers } = await this.#ask('SUBSCRIBE', subscribeHeaders(callback, ASKED_TIMEOUT_SECONDS))
      if (status !== 200) {
        if (isRefusal(status)) this.#refusals++
        throw new TransportError(`SUBSCRIBE: ${this.#options.eventUrl.origin} answered HTTP ${status}`)
      }
      const granted = decodeSubscription(headers)
      this.#refusals = 0
      return granted
    } finally {
      this.#isAsking = false
    }
  }

  async #unsubscribe(): Promise<void> {
    if (this.#SID === undefined) return
    const limits = { timeoutMs: UNSUBSCRIBE_TIMEOUT_MS, signal: undefined }
    // Without an answer the subscription ends when its time is over.
    await this.#ask('UNSUBSCRIBE', unsubscribeHeaders(this.#SID), limits).catch((error: unknown) =>
      this.#ignoreDefect(error),
    )
  }

  /** Nobody waits for the subscription, so a defect counts as a failure of the gateway. */
  #ignoreDefect(error: unknown): void {
    if (!(error instanceof PortMappingError)) ignore('device', this.#options.eventUrl.host, error)
  }

  /** The reply, whatever its status. @throws PortMappingError if there is none */
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
      localAddress: this.#localAddress, // some gateways call back only the address that asks
      headers: [['User-Agent', USER_AGENT], ...headers],
      action: method,
      maxBodyBytes: 0,
      isComplete: () => true,
      ...limits,
    })
    this.#answeredFrom = reply.remoteAddress
    return reply
  }

  /** @throws TransportError */
  async #listen(): Promise<HttpServer> {
    const address = this.#localAddress
    // Any other address would be open to more than the way to the gateway, or to nobody.
    const isOneHost = isUnicastIPv4(address) || isUnicastIPv6(splitZone(address).address)
    if (!isOneHost) throw new TransportError(`'${address}' is not an address that a gateway could send its events to`)
    return this.#options.httpServers.listen({
      address,
      port: 0,
      isWelcome: (remoteAddress) => this.#isGateway(remoteAddress),
      handler: (request) => ({ status: this.#statusOf(request), headers: [], body: '' }),
    })
  }

  /** Without a zone, which means nothing to the gateway. */
  #callbackUrl({ local: { address, port } }: HttpServer): URL {
    return new URL(`http://${hostAndPort({ address: splitZone(address).address, port })}/${this.#secret}`)
  }

  /** UDA 1.1 4.3.2. */
  #statusOf({ method, target, remoteAddress, headers, body }: ServedRequest): number {
    if (method !== 'NOTIFY' || target !== `/${this.#secret}` || !this.#isGateway(remoteAddress)) return 404
    const head = unlessMalformed(() => decodeEventHead(headers))
    if (head === undefined) return 412
    const isOurs = head.SID === this.#SID || this.#isAsking
    if (!isOurs || this.#stopped.signal.aborted) return 412
    const variables = unlessMalformed(() => decodePropertySet(body))
    if (variables !== undefined) this.#options.onEvent?.([...variables.keys()])
    if (variables === undefined || this.#state.isNews(variables, head.SEQ === 0)) this.#options.onSuspicion()
    return 200
  }

  /** Zones are left out, for the server is on one link only. */
  #isGateway(remoteAddress: string): boolean {
    const hosts = [this.#options.gatewayAddress, this.#answeredFrom].map((host) => splitZone(host).address)
    return hosts.some((host) => isSameAddress(host, splitZone(remoteAddress).address))
  }
}

function renewalMs(grantedSeconds = ASKED_TIMEOUT_SECONDS): number {
  return Math.max(LEAST_RENEWAL_MS, (Math.min(grantedSeconds, ASKED_TIMEOUT_SECONDS) * 1000) / 2)
}

/** Others may pass: 503 means too many subscribers (UDA 1.1 4.1.2), 500 means trouble. */
function isRefusal(status: number): boolean {
  return (status >= 400 && status <= 499) || status === 501
}

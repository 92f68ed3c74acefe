/**
 * A subscription to the events of a service (UPnP Device Architecture 1.1, chapter 4): asked for, renewed at half its
 * time, given back at the end. What comes is a reason to ask the gateway, never a fact, so the order of events and their
 * gaps do not matter; and a gateway without events, or one that cannot reach us, is no error: one that does not answer is
 * tried again, ever more seldom, and one that refuses is left alone.
 */
import { isSameAddress, splitZone, withZone } from '../../domain/address.js'
import { PortMappingError, TransportError } from '../../domain/errors.js'
import { USER_AGENT } from '../../domain/version.js'
import { type Clock, sleep } from '../../net/clock.js'
import type { HttpClient, HttpReply, HttpRequest } from '../../net/http/client.js'
import type { HttpServers } from '../../net/http/server.js'
import {
  decodeSubscription,
  renewalHeaders,
  type Subscription,
  subscribeHeaders,
  unsubscribeHeaders,
} from '../../wire/gena.js'
import { type Callback, openCallback, type ReceivedEvent } from './event-callback.js'
import { EventedState } from './evented-state.js'

/** UDA 1.1 4.1.2 wants at least that. */
export const ASKED_TIMEOUT_SECONDS = 1800
/** Whatever was granted: more often would be a nuisance, and who grants more is asked all the same. */
export const LEAST_RENEWAL_MS = 10_000
/** After a failure, doubled up to the last. */
export const FIRST_RETRY_MS = 5000
export const LAST_RETRY_MS = 1_800_000
/** It may be starting up when it refuses the first time; then it has no events, or none for us. */
export const MAX_REFUSALS = 3
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
  /** Notifications come from there, or from whoever answered at the event URL: that one may have a name for a host. */
  readonly gatewayAddress: string
  /** Something has changed that a mapping may depend on, or an event could not be read. */
  readonly onSuspicion: () => void
}

export interface RunningSubscription {
  /** The gateway may have restarted, and forgotten it: to renew it finds that out, before half of its time is over. */
  renew(): void
  /** Resolves within a second. */
  stop(): Promise<void>
}

export function subscribeToEvents(options: EventSubscriptionOptions): RunningSubscription {
  const subscription = new EventSubscription(options)
  const running = subscription.run()
  let stopping: Promise<void> | undefined
  return {
    renew: () => subscription.renew(),
    stop() {
      stopping ??= subscription.stop(running)
      return stopping
    },
  }
}

class EventSubscription {
  readonly #options: EventSubscriptionOptions
  readonly #secret: string
  readonly #localAddress: string
  readonly #stopped = new AbortController()
  #renewal = new AbortController()
  readonly #state = new EventedState()
  #callback: Callback | undefined
  #SID: string | undefined
  #isRenewable = false
  /** An event may come before the SID that it is for (UDA 1.1 4.1.2). */
  #isAsking = false
  #answeredFrom = ''
  /** In a row. */
  #refusals = 0

  constructor(options: EventSubscriptionOptions) {
    this.#options = options
    this.#secret = options.secret()
    this.#localAddress = withZone(options.localAddress, options.zone ?? '')
  }

  async run(): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#stopped
    let retryMs = FIRST_RETRY_MS
    while (!signal.aborted && this.#refusals < MAX_REFUSALS) {
      try {
        const timeoutSeconds = await this.#renewOrSubscribe()
        retryMs = FIRST_RETRY_MS
        await this.#sleepUntilRenewal(renewalMs(timeoutSeconds))
      } catch (error) {
        if (!(error instanceof PortMappingError)) throw error
        if (this.#refusals === MAX_REFUSALS) break
        await sleep(clock, retryMs, signal)
        retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)
      }
    }
    if (!signal.aborted) await this.#callback?.close()
  }

  renew(): void {
    this.#renewal.abort()
  }

  async stop(running: Promise<void>): Promise<void> {
    this.#stopped.abort(new TransportError('the subscription to events is over'))
    this.#renewal.abort()
    await running
    await this.#unsubscribe()
    await this.#callback?.close()
  }

  /** Sooner where there is a reason to, but not at the pace of whoever forges reasons. */
  async #sleepUntilRenewal(pauseMs: number): Promise<void> {
    const { clock } = this.#options
    this.#renewal = new AbortController()
    const { signal } = this.#renewal
    await sleep(clock, LEAST_RENEWAL_MS, this.#stopped.signal)
    if (!this.#stopped.signal.aborted) await sleep(clock, pauseMs - LEAST_RENEWAL_MS, signal)
  }

  async #renewOrSubscribe(): Promise<number | undefined> {
    this.#callback ??= await this.#listen()
    const SID = this.#isRenewable ? this.#SID : undefined
    this.#isRenewable = false // a renewal without an answer is not repeated: after a pause it is asked for anew
    const renewed = SID === undefined ? undefined : await this.#renew(SID)
    const granted = renewed ?? (await this.#subscribe(this.#callback.url))
    this.#SID = granted.SID
    this.#isRenewable = true
    return granted.timeoutSeconds
  }

  /** Undefined where the gateway has forgotten it (UDA 1.1 4.1.3: 412; some say something else). */
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
    try {
      await this.#ask('UNSUBSCRIBE', unsubscribeHeaders(this.#SID), limits)
    } catch (error) {
      if (!(error instanceof PortMappingError)) throw error // it ends by itself, when its time is over
    }
  }

  /** Whatever the status is. @throws PortMappingError where there is no answer */
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
    this.#answeredFrom = reply.remoteAddress
    return reply
  }

  #listen(): Promise<Callback> {
    return openCallback({
      httpServers: this.#options.httpServers,
      localAddress: this.#localAddress,
      secret: this.#secret,
      isGateway: (remoteAddress) => this.#isGateway(remoteAddress),
      onEvent: (event) => this.#hear(event),
    })
  }

  /** The zones are left out: the server is on one link only. */
  #isGateway(remoteAddress: string): boolean {
    const hosts = [this.#options.gatewayAddress, this.#answeredFrom].map((host) => splitZone(host).address)
    return hosts.some((host) => isSameAddress(host, splitZone(remoteAddress).address))
  }

  #hear({ SID, isFirst, variables }: ReceivedEvent): boolean {
    const isOurs = SID === this.#SID || this.#isAsking
    if (!isOurs || this.#stopped.signal.aborted) return false
    if (variables === undefined || this.#state.isNews(variables, isFirst)) this.#options.onSuspicion()
    return true
  }
}

function renewalMs(grantedSeconds = ASKED_TIMEOUT_SECONDS): number {
  return Math.max(LEAST_RENEWAL_MS, (Math.min(grantedSeconds, ASKED_TIMEOUT_SECONDS) * 1000) / 2)
}

/** Not what passes: 503 is for too many subscribers (UDA 1.1 4.1.2), 500 for trouble. */
function isRefusal(status: number): boolean {
  return (status >= 400 && status <= 499) || status === 501
}

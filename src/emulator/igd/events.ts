/**
 * The events of the emulated gateway's WAN connection (UPnP Device Architecture 1.1, chapter 4): who has subscribed, and
 * what they are told. A subscriber is called back only at the address that asks (CVE-2020-12695).
 */
import { randomUUID } from 'node:crypto'
import { isSameAddress, withoutBrackets } from '../../domain/address.js'
import { PortMappingError, unlessMalformed } from '../../domain/errors.js'
import { ignore } from '../../domain/ignored.js'
import type { Clock } from '../../net/clock.js'
import type { HttpClient } from '../../net/http/client.js'
import type { ServedReply, ServedRequest } from '../../net/http/server.js'
import { decodeCallback, encodePropertySet, eventHeaders, renewalHeaders } from '../../wire/gena.js'
import type { GatewayState } from '../gateway-state.js'

/** Bounds what the LAN can make the gateway keep and send. */
export const MAX_SUBSCRIPTIONS = 64
/** UDA 1.1 4.1.2: at least this, whatever is asked for. */
const GRANTED_SECONDS = 1800
const NOTIFY_TIMEOUT_MS = 5000

export interface EventPublisherOptions {
  readonly http: HttpClient
  readonly clock: Clock
  readonly state: GatewayState
  /** Of the gateway: events come from there. */
  readonly address: string
}

interface Subscription {
  readonly SID: string
  readonly callback: URL
  endsMs: number
  /** Of the next event. */
  SEQ: number
}

export class EventPublisher {
  readonly #options: EventPublisherOptions
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #ending = new AbortController()

  constructor(options: EventPublisherOptions) {
    this.#options = options
  }

  /** SUBSCRIBE and UNSUBSCRIBE (UDA 1.1 4.1.2 to 4.1.4). */
  answer({ method, headers, remoteAddress }: ServedRequest): ServedReply {
    const endsMs = this.#options.clock.monotonicMs() + GRANTED_SECONDS * 1000
    this.#dropEnded()
    const SID = headers.get('sid')?.trim()
    const known = this.#subscriptions.get(SID ?? '')
    if (method === 'UNSUBSCRIBE') return reply(this.#subscriptions.delete(SID ?? '') ? 200 : 412)
    if (SID !== undefined) {
      if (known === undefined) return reply(412)
      known.endsMs = endsMs
      return reply(200, renewalHeaders(SID, GRANTED_SECONDS))
    }
    const callback = unlessMalformed(() => decodeCallback(headers))
    if (callback === undefined || !isSameAddress(withoutBrackets(callback.hostname), remoteAddress)) return reply(412)
    if (this.#subscriptions.size >= MAX_SUBSCRIPTIONS) return reply(503)
    const subscription = { SID: `uuid:${randomUUID()}`, callback, endsMs, SEQ: 0 }
    this.#subscriptions.set(subscription.SID, subscription)
    void this.#notify(subscription) // the first event has all variables (UDA 1.1 4.3.2)
    return reply(200, renewalHeaders(subscription.SID, GRANTED_SECONDS))
  }

  /** The address or the status of the connection has changed. */
  tell(): void {
    this.#dropEnded()
    for (const subscription of this.#subscriptions.values()) void this.#notify(subscription)
  }

  forget(): void {
    this.#subscriptions.clear()
  }

  close(): void {
    this.forget()
    this.#ending.abort()
  }

  #dropEnded(): void {
    const nowMs = this.#options.clock.monotonicMs()
    for (const { SID, endsMs } of this.#subscriptions.values()) if (endsMs <= nowMs) this.#subscriptions.delete(SID)
  }

  /** UDA 1.1 4.3.2: a subscriber that does not answer stays one until its time is over. */
  async #notify(subscription: Subscription): Promise<void> {
    const { http, address, state } = this.#options
    const { connectionStatus: ConnectionStatus, externalAddress: ExternalIPAddress } = state.facts
    const { signal } = this.#ending
    try {
      await http.request({
        method: 'NOTIFY',
        url: subscription.callback,
        localAddress: address,
        headers: eventHeaders(subscription.SID, subscription.SEQ++),
        body: encodePropertySet({ ConnectionStatus, ExternalIPAddress }),
        action: 'NOTIFY',
        maxBodyBytes: 0,
        timeoutMs: NOTIFY_TIMEOUT_MS,
        isComplete: () => true,
        signal,
      })
    } catch (error) {
      if (!(error instanceof PortMappingError || signal.aborted)) ignore('device', subscription.callback.host, error)
    }
  }
}

function reply(status: number, headers: ServedReply['headers'] = []): ServedReply {
  return { status, headers, body: '' }
}

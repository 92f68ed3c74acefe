/** The search for a gateway: once, by wishes or by the URL of an IGD, or again and again while ports are kept. */
import {
  type FoundIgd as ClientIgd,
  type FoundPortControl as ClientPortControl,
  type GatewayWishes,
  type OpeningNet,
  openGateway,
  openNamedGateway,
  type Opened as Search,
} from '../client/search/open-gateway.js'
import { InvalidArgumentError, NoGatewayError } from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'
import { parseZonedUrl, type ZonedUrl } from '../domain/url.js'
import type { Clock } from '../net/clock.js'
import { Router } from './router.js'

export type { SearchRemark } from '../client/search/router-search.js'

export interface FoundIgd extends ClientIgd {
  readonly router: Router
}

export interface FoundPortControl extends ClientPortControl {
  readonly router: Router
}

export type FoundGateway = FoundIgd | FoundPortControl

export interface Opened extends Omit<Search, 'found' | 'askOthers'> {
  /** Undefined if no answer will do. */
  readonly found: FoundGateway | undefined
}

export interface SearchWishes extends GatewayWishes {
  /** The URL of the root description, instead of a search. Its host is trusted, and may be a name. */
  readonly url?: string | undefined
}

/** @throws InvalidArgumentError; whatever the signal aborts with */
export async function searchGateway({ url, ...wishes }: SearchWishes, net: OpeningNet): Promise<Opened> {
  const { found, askOthers, ...opened } = await (url === undefined
    ? openGateway(wishes, net)
    : openNamedGateway(descriptionUrl(url), wishes, net))
  if (found === undefined) return { ...opened, found }
  const isOnly = url !== undefined || wishes.via !== 'auto'
  const router = new Router({ gateway: found.gateway, askOthers, isOnly }, net)
  return { ...opened, found: { ...found, router } }
}

/**
 * Routers open a pinhole for whoever asks for it, so they are asked over IPv6 first. `isPlaceGiven`: there is one place
 * to ask. @throws whatever the signal aborts with
 */
export async function searchForPinholes(wishes: SearchWishes, isPlaceGiven: boolean, net: OpeningNet): Promise<Opened> {
  const forPinholes = true
  const opened = await searchGateway({ ...wishes, family: 6, forPinholes }, net)
  if (isPlaceGiven || (wishes.via ?? 'auto') !== 'auto') return opened
  if (opened.found === undefined) return searchGateway({ ...wishes, family: 4, forPinholes }, net)
  if (opened.found.protocol !== 'igd' || opened.found.gateway.firewall !== undefined) return opened
  const overPcp = await searchGateway({ ...wishes, via: 'pcp', family: 6, forPinholes }, net)
  return overPcp.found === undefined ? opened : overPcp
}

function descriptionUrl(text: string): ZonedUrl {
  const zoned = parseZonedUrl(text)
  const { protocol, port, username, password } = zoned?.url ?? {}
  if (zoned !== undefined && protocol === 'http:' && port !== '0' && username === '' && password === '') return zoned
  throw new InvalidArgumentError('url is not the http:// URL of a description, without user name and password')
}

/** The signal also ends later requests to the gateway. @throws PortMappingError if there is none */
export type SearchForGateway = (signal: AbortSignal) => Promise<Gateway>

/**
 * Finds the gateway that ports are kept on, again and again. The last one stays usable until another is found, because
 * mappings may have to be removed from it.
 */
export class GatewayFinder {
  readonly #search: SearchForGateway
  /** The gateways that are still usable, and what ends the requests to them. */
  readonly #usable = new Map<AbortController, Gateway>()

  constructor(search: SearchForGateway) {
    this.#search = search
  }

  /** `signal` ends the search, but not a gateway that was found. @throws PortMappingError if there is none */
  async find(signal: AbortSignal): Promise<Gateway> {
    const gateway = await this.findBeside(signal, this.#search)
    if (!signal.aborted) this.settleOn(gateway)
    return gateway
  }

  /** The same, while the last one stays in use. */
  async findBeside(signal: AbortSignal, search: SearchForGateway): Promise<Gateway> {
    const end = new AbortController()
    const stop = (): void => end.abort(new NoGatewayError('the search was ended'))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    try {
      const gateway = await search(end.signal)
      this.#usable.set(end, gateway)
      return gateway
    } catch (error) {
      end.abort(new NoGatewayError('the search is over'))
      throw error
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  /** Ends all requests to all other gateways. */
  settleOn(gateway: Gateway): void {
    this.#endAll('another gateway was found', gateway)
  }

  /** Ends all requests to all gateways. */
  close(): void {
    this.#endAll('the command is over')
  }

  #endAll(why: string, except?: Gateway): void {
    for (const [end, gateway] of this.#usable) {
      if (gateway === except) continue
      end.abort(new NoGatewayError(why))
      this.#usable.delete(end)
    }
  }
}

/** Examines a gateway that does not exist: whoever has time before the real one answers is faster after it. */
export async function rehearse(clock: Clock): Promise<void> {
  const { rehearse } = await import('../client/search/rehearsal.js')
  await rehearse(clock)
}

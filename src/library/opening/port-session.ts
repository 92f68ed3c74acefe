/** Ports that share one search, one gateway and one keeper. It ends with the last of them. */
import { isGlobalIPv6, isInternetAddress, splitZone } from '../../domain/address.js'
import { type AnyPortMappingError, NoGatewayError, type PortMappingError } from '../../domain/errors.js'
import type { Gateway } from '../../domain/gateway.js'
import { ignore } from '../../domain/ignored.js'
import { DEFAULT_DESCRIPTION, type MappingKey } from '../../domain/port-mapping.js'
import type { KeeperEvent } from '../../keeper/kept.js'
import type { HeldEither, KeptEither } from '../../keeper/kept-pinhole.js'
import { holdProcess, inBackground } from '../../net/background.js'
import { type Clock, dateOf, sleep } from '../../net/clock.js'
import { nodeHttpServers } from '../../net/http/server.js'
import { InterfaceWatch } from '../../net/interfaces.js'
import { netOf, type SearchedNet, wishesOf } from '../gateway/search-wishes.js'
import { toldError, whyNotClosed } from '../gateway/told-error.js'
import { whyNot } from '../gateway/why-not.js'
import { portStateOf } from '../keeping/kept-ports.js'
import { PortKeeper, type SearchNet } from '../keeping/port-keeper.js'
import type { WantedPort } from '../keeping/wanted-ports.js'
import { listenToGateway } from '../listening.js'
import { stableAddress } from '../pinhole-address.js'
import { protocolOf } from '../router.js'
import { type Opened, searchForPinholes, searchGateway } from '../search-gateway.js'
import type { Where } from '../where.js'
import { Part } from './part.js'
import type { Endpoint, LeftOpen } from './port-changes.js'

/** One answer must not keep the other ports waiting. Some routers take more than 4 s to make or remove a mapping. */
const ANSWER_MS = 8000
/** How long close() takes at most. The removal may go on after that, if the router is slow. */
const LONGEST_CLOSE_MS = 1950
/** After the first search without success. */
const SEARCH_AGAIN_MS = 1000
const LATE = 'the router has not answered in time'
const WHY_LEFT = {
  'was-open': 'it was open before',
  'kept-by-another': 'another program of this user keeps it open',
} as const
const LEFT_HERE = 'another open port of this program keeps it open'

export interface SessionOptions {
  readonly where: Where
  readonly family: 4 | 6
  /** False to leave it alone once it is open. */
  readonly isKept: boolean
  /** For each port: one row, or two for TCP+UDP. */
  readonly ports: readonly (readonly WantedPort[])[]
  /** What was found already. If it will do, there is a search only when it is lost. */
  readonly opened?: Opened | undefined
}

export class PortSession {
  readonly parts: readonly Part[]
  readonly #options: SessionOptions
  /** Its timers keep the process alive. */
  readonly #clock: Clock
  readonly #net: SearchedNet
  readonly #keeper: PortKeeper
  readonly #partOf: ReadonlyMap<KeptEither, Part>
  #gateway: Gateway | undefined
  #externalAddress: string | undefined
  /** Until it is used, once. */
  #opened: Opened | undefined
  #running: Promise<void> = Promise.resolve()
  #letProcessEnd: (() => void) | undefined

  /** @throws InvalidArgumentError */
  constructor(options: SessionOptions) {
    const { where, ports } = options
    const given = netOf(where)
    const net = inBackground({ httpServers: nodeHttpServers, ...given })
    const watch = new InterfaceWatch(net.interfaces)
    this.#options = options
    this.#opened = options.opened
    this.#clock = given.clock
    this.#net = net
    this.#keeper = new PortKeeper({
      wanted: ports.flat(),
      net: {
        ...net,
        interfaces: () => watch.look(),
        listen: (gateway, onNews) => listenToGateway({ ...net, watch, isOnlyRoute: this.#isOnly }, gateway, onNews),
      },
      isOnlyRoute: this.#isOnly,
      program: given.program.ports,
      pinholeAddress: this.#isOnly ? undefined : (gateway) => this.#stableAddress(gateway),
      search: (own, routerBefore) => this.#search(own, routerBefore),
      onSearched: () => undefined,
      onEvent: (event) => this.#hear(event),
      onLeftOpen: (kept, reason) => this.#partOf.get(kept)?.noteLeft(kept, WHY_LEFT[reason]),
      onLeftHere: (kept) => this.#partOf.get(kept)?.noteLeft(kept, LEFT_HERE),
    })
    const rows = [...this.#keeper.kept]
    this.parts = ports.map(({ length }) => new Part(rows.splice(0, length)))
    this.#partOf = new Map(this.parts.flatMap((part) => part.kept.map((kept) => [kept, part])))
  }

  /** Begins to open all of it. */
  begin(): void {
    this.#running = this.#keeper.run().catch((error: unknown) => ignore('turn', 'a keeper', error))
    this.#holdProcess()
  }

  /** From now on that part does not keep the process alive. */
  unref(part: Part): void {
    part.isInBackground = true
    this.#holdProcess()
  }

  /** Removes what it made for that part, and keeps it no more. It never rejects, and ends within 2 s. */
  async close(part: Part): Promise<{ removed: Endpoint[]; left: LeftOpen[] }> {
    part.isClosing = true
    this.#holdProcess()
    const isLast = this.parts.every(({ isClosing }) => isClosing)
    const over = new AbortController()
    const work = (isLast ? this.#end() : this.#keeper.release(part.kept)).then(() => over.abort())
    await Promise.race([work, sleep(this.#net.clock, LONGEST_CLOSE_MS, over.signal)])
    const closed = part.closed(over.signal.aborted ? undefined : LATE, (endpoint) => this.#isOver(endpoint))
    over.abort()
    part.isClosed = true
    this.#holdProcess()
    return closed
  }

  isOpen(part: Part): boolean {
    return part.isOpen && !part.endpoints.some((endpoint) => this.#isOver(endpoint))
  }

  /** Whether its lease is over. What is kept says so itself. */
  #isOver({ endsAt }: Endpoint): boolean {
    return !this.#options.isKept && endsAt !== undefined && endsAt.getTime() <= this.#net.clock.wallMs()
  }

  async #end(): Promise<void> {
    this.#keeper.stop()
    await this.#running
    this.#keeper.close()
  }

  /** Whether only one gateway can be reached, as an emulated one: then a pinhole is for the address on the way to it. */
  get #isOnly(): boolean {
    return this.#net.onlyRoute !== undefined || this.#net.onlyEndpoint !== undefined
  }

  #stableAddress({ localAddress }: Gateway): string {
    const { interfaces, temporaryAddresses = () => [] } = this.#net
    return stableAddress(localAddress, interfaces(), temporaryAddresses()) ?? splitZone(localAddress).address
  }

  /** @throws PortMappingError */
  async #search(own: SearchNet, routerBefore: string | undefined): Promise<Opened> {
    const { where, family } = this.#options
    const opened = this.#opened
    this.#opened = undefined
    if (opened?.found !== undefined && isFor(family, opened.found.gateway)) return opened
    const net = { ...this.#net, ...own, answerMs: ANSWER_MS }
    const wishes = { ...wishesOf(where), routerBefore }
    if (family === 6) return foundIn(await this.#searchForPinholes(wishes, net), where)
    const mappings = this.#options.ports.flat().flatMap((each) => (each.kind === 'mapping' ? [each.mapping] : []))
    const isBetterOverIgd = mappings.some(
      ({ description, remoteHost }) => description !== DEFAULT_DESCRIPTION || remoteHost !== '',
    )
    const keys: readonly MappingKey[] = mappings
    const found = await searchGateway(
      {
        ...wishes,
        family, // many routers refuse to map ports over IPv6
        need: isBetterOverIgd ? 'wanted' : undefined,
        madeIn: (router) => protocolOf(keys, router, net),
      },
      net,
    )
    return foundIn(found, where)
  }

  async #searchForPinholes(
    wishes: ReturnType<typeof wishesOf>,
    net: Parameters<typeof searchGateway>[1],
  ): Promise<Opened> {
    const { router, url } = this.#options.where
    const isForThisComputer = this.#options.ports
      .flat()
      .every((each) => each.kind === 'pinhole' && each.pinhole.internalClient === undefined)
    if (!this.#isOnly && isForThisComputer && !net.interfaces().some(({ address }) => isGlobalIPv6(address)))
      throw new NoGatewayError('this computer has no IPv6 address that the internet can reach')
    return searchForPinholes(wishes, url !== undefined || router !== undefined || this.#isOnly, net)
  }

  #hear(event: KeeperEvent<HeldEither>): void {
    const part = 'kept' in event ? this.#partOf.get(event.kept) : undefined
    switch (event.type) {
      case 'found':
        this.#gateway = event.gateway
        break
      case 'moved':
        this.#gateway = event.gateway
        this.#externalAddress = event.externalAddress ?? this.#externalAddress
        for (const each of this.parts) each.lose()
        break
      case 'external-address':
        this.#externalAddress = event.address
        for (const each of this.parts)
          each.readdress((endpoint) => this.#addressed(endpoint), event.previous !== undefined)
        break
      case 'searching':
        for (const each of this.parts) each.fail(toldError(event.error), SEARCH_AGAIN_MS)
        break
      case 'gateway-lost':
        for (const each of this.parts) {
          each.lose()
          if (!each.isDecided) each.fail(this.#told(event.error), SEARCH_AGAIN_MS)
        }
        break
      case 'mapped':
      case 'renewed':
      case 'restored':
        part?.grant(event.kept, this.#endpointOf(event.held), isLook(event), this.#net.clock.wallMs())
        break
      case 'failed':
        part?.fail(this.#told(event.error), Math.ceil(Math.max(0, event.againInMs)), event.kept)
        break
      case 'lost':
        part?.lose(event.kept)
        break
      case 'removed':
        part?.noteRemoved(event.kept, event.wasGone)
        break
      case 'not-removed':
        part?.noteLeft(event.kept, whyNotClosed(event.error), this.#told(event.error))
        break
      case 'ends-with-lease':
        part?.noteLeft(event.kept, `it ends with its lease, in ${Math.round(event.endsInMs / 1000)} s`)
    }
    this.#holdProcess()
    const isDone = this.parts.every(({ isDecided, isClosing }) => isDecided || isClosing)
    if (!this.#options.isKept && isDone) this.#keeper.rest()
  }

  /** About the gateway that is used, in the words of the library. */
  #told(error: PortMappingError): AnyPortMappingError {
    return toldError(error, this.#gateway, { isPinhole: this.#options.family === 6 })
  }

  #endpointOf(held: HeldEither): Endpoint {
    const { protocol, externalPort, internalPort, internalClient, endsWallMs } = portStateOf(
      held,
      this.#net.clock.wallMs(),
    )
    const endpoint = {
      family: this.#options.family,
      protocol: protocol.toUpperCase() === 'UDP' ? 'UDP' : 'TCP',
      via: this.#gateway?.protocol ?? 'igd',
      externalPort,
      internalPort,
      internalClient,
      isPublic: false,
      ...(endsWallMs !== undefined && { endsAt: dateOf(endsWallMs) }),
    } as const
    return this.#addressed(endpoint)
  }

  #addressed(endpoint: Endpoint): Endpoint {
    const externalAddress = endpoint.family === 6 ? endpoint.internalClient : this.#externalAddress
    if (externalAddress === undefined) return endpoint
    return { ...endpoint, externalAddress, isPublic: isInternetAddress(externalAddress) }
  }

  /** The process is kept alive while something is opened or closed, and while something is kept. */
  #holdProcess(): void {
    const isHeld = this.parts.some(({ isClosed, isClosing, isDecided, isInBackground }) => {
      if (isClosed) return false
      return isClosing || !isDecided || (this.#options.isKept && !isInBackground)
    })
    if (isHeld) this.#letProcessEnd ??= holdProcess(this.#clock)
    else {
      this.#letProcessEnd?.()
      this.#letProcessEnd = undefined
    }
  }
}

/** PCP opens pinholes over IPv6, and maps ports over IPv4. */
function isFor(family: 4 | 6, gateway: Gateway): boolean {
  if (gateway.protocol === 'igd') return family === 4 || gateway.firewall !== undefined
  return (gateway.pinholes !== undefined) === (family === 6)
}

function isLook(event: KeeperEvent<HeldEither>): boolean {
  return event.type === 'renewed' && event.isForLook === true
}

/** @throws PortMappingError if nothing was found */
function foundIn(opened: Opened, { url, via = 'auto' }: Where): Opened {
  if (opened.found !== undefined) return opened
  throw whyNot(opened, { url, via })
}

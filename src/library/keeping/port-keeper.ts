/**
 * Keeps ports open at the router: it searches for the router, stays with it, listens to it, and knows what other keepers
 * of this user do and what killed ones have left. `--keep` is this with text.
 */
import { NoGatewayError } from '../../domain/errors.js'
import type { Gateway } from '../../domain/gateway.js'
import type { GatewayProtocol, MappingKey } from '../../domain/port-mapping.js'
import { type GatewayNews, Keeper } from '../../keeper/keeper.js'
import type { KeeperEvent } from '../../keeper/kept.js'
import type { HeldEither, KeptEither } from '../../keeper/kept-pinhole.js'
import { forASecond, OncePer } from '../../net/clock.js'
import { listedFiles } from '../../net/files/listed-files.js'
import type { PrivateFiles } from '../../net/files/private-files.js'
import { LastingSockets } from '../../net/lasting-sockets.js'
import type { ClientNet } from '../../net/network.js'
import { addressOf } from '../router.js'
import { GatewayFinder, type Opened } from '../search-gateway.js'
import { KeptPorts } from './kept-ports.js'
import { KeptRouter } from './kept-router.js'
import { leftBehindAt } from './left-behind.js'
import { OwnMarks } from './own-marks.js'
import { RunningKeeper } from './running-keepers.js'
import { type HeldPlace, HeldPorts, type Holder } from './this-program.js'
import { type HeldThing, keptOf, thingOf, type WantedPort } from './wanted-ports.js'

/** Between two times that others are told what is open. So what that takes does not grow with the square of the ports. */
const PAUSE_FOR_EACH_PORT_MS = 0.1

export interface PortKeeperNet extends ClientNet {
  readonly files: PrivateFiles
  /** Listens until the result is called. */
  readonly listen: (gateway: Gateway, onNews: (news: GatewayNews, onTrue?: () => void) => void) => () => void
}

/** What a search uses in place of the keeper's own: sockets and answers that last. */
export type SearchNet = Pick<ClientNet, 'datagrams' | 'hardwareAddress'> & {
  readonly files: PrivateFiles
  readonly signal: AbortSignal
}

export interface PortKeeperOptions {
  readonly wanted: readonly WantedPort[]
  readonly net: PortKeeperNet
  /** The gateway can be reached only as given: a pinhole is not for any other address of this computer. */
  readonly isOnlyRoute?: boolean | undefined
  readonly checkMs?: number | undefined
  /** What all keepers of this program hold. Default: there is no other one. */
  readonly program?: HeldPorts | undefined
  /** This computer's address that a pinhole is for. If undefined, the one on the way to the gateway, if it is global. */
  readonly pinholeAddress?: ((gateway: Gateway) => string) | undefined
  /** One search. `routerBefore` is the address of the router that was used last. @throws whatever the signal aborts with */
  readonly search: (net: SearchNet, routerBefore: string | undefined) => Promise<Opened>
  /** Called after each search. Returns why nothing was found, if so. */
  readonly onSearched: (opened: Opened) => string | undefined
  /** Called after each search that has found the gateway to use. */
  readonly onFound?: (opened: Opened, gateway: Gateway) => void
  /** `told`: as the keeper told it. What is open as before, at the router to which the ports have moved, is a renewal. */
  readonly onEvent: (event: KeeperEvent<HeldEither>, told: KeeperEvent<HeldEither>) => void
  /** At the end, about a port that stays open. */
  readonly onLeftOpen: (kept: KeptEither, reason: 'was-open' | 'kept-by-another') => void
  /** The same, if another keeper of this program has it open. */
  readonly onLeftHere?: (kept: KeptEither) => void
}

export class PortKeeper {
  readonly ports: KeptPorts
  readonly kept: readonly KeptEither[]
  readonly #options: PortKeeperOptions
  readonly #sockets: LastingSockets
  /** What the gateway needs for each of thousands of ports. */
  readonly #net: Omit<SearchNet, 'signal'>
  readonly #finder: GatewayFinder
  readonly #router = new KeptRouter()
  readonly #marks: OwnMarks
  readonly #running: RunningKeeper
  readonly #program: HeldPorts
  readonly #holders: ReadonlyMap<KeptEither, Holder>
  readonly #keeper: Keeper<HeldEither>
  readonly #holding: OncePer
  /** Could not be closed at the end: their marks stay, for the next keeper. */
  readonly #left = new Set<KeptEither>()
  /** Closed before the end, or being closed. */
  readonly #released = new Set<KeptEither>()
  /** Open at the last device, and not known to be open or refused at the router to which the keeper has moved. */
  readonly #moving = new Set<KeptEither>()
  #isStopping = false
  #isResting = false
  /** Of the gateway that was found last. */
  #address = ''
  #via: GatewayProtocol = 'igd'
  #localAddress = ''

  constructor(options: PortKeeperOptions) {
    const { wanted, net, isOnlyRoute, checkMs, pinholeAddress } = options
    const { clock, datagrams, files, hardwareAddress, interfaces } = net
    this.#options = options
    this.#sockets = new LastingSockets(datagrams, clock)
    this.#net = {
      datagrams: this.#sockets,
      files: listedFiles(files, clock),
      hardwareAddress: hardwareAddress && forASecond(clock, hardwareAddress),
    }
    this.#finder = new GatewayFinder((signal) => this.#search(signal))
    this.#marks = new OwnMarks(files, clock)
    this.#running = new RunningKeeper(files, clock, crypto.randomUUID())
    this.#program = options.program ?? new HeldPorts()
    const others = {
      isOwn: (kept: KeptEither, thing: HeldThing, description: string) => this.#isOwn(kept, thing, description),
      isKeptElsewhere: (kept: KeptEither, thing: HeldThing) => this.#isKeptElsewhere(kept, thing),
      isKeptByAnother: (kept: KeptEither, key: MappingKey) => this.#isKeptByAnother(kept, key),
      hold: (kept: KeptEither, thing: HeldThing) => this.#program.take(this.#holderOf(kept), this.#placeOf(thing)),
      leftBehind: (gateway: Gateway, key: MappingKey) => leftBehindAt(gateway, key, net),
    }
    this.kept = keptOf(wanted, () => (isOnlyRoute === true ? [] : interfaces()), others, pinholeAddress)
    this.ports = new KeptPorts(this.kept)
    this.#holders = new Map(this.kept.map((kept) => [kept, this.#newHolder(kept)]))
    this.#holding = new OncePer(clock, this.pauseMs, () => this.#hold())
    this.#keeper = new Keeper<HeldEither>({
      clock,
      random: Math.random,
      kept: this.kept,
      open: (signal) => this.#open(signal),
      better: (signal) => this.#router.better(this.#finder, (signal) => this.#lookFor(signal), signal),
      listen: net.listen,
      addresses: () => interfaces().map(({ address }) => address),
      onEvent: (event) => this.#hear(event),
      ...(checkMs === undefined ? {} : { checkMs }),
    })
  }

  /** The shortest time between two times that all ports are gone through. */
  get pauseMs(): number {
    return Math.floor(this.#options.wanted.length * PAUSE_FOR_EACH_PORT_MS)
  }

  /** Runs until stop() is called, and then removes what it made. It rejects only upon a defect. */
  async run(): Promise<void> {
    try {
      await this.#keeper.run()
      for (const kept of this.kept) if (!this.#left.has(kept)) this.#marks.remove(kept)
      this.#tellOfThoseThatWereThere((kept) => !this.#released.has(kept))
    } finally {
      this.#holding.cancel()
      this.#program.close([...this.#holders.values()])
    }
  }

  /** Removes what it made of these, and keeps them no more, while the others go on. */
  async release(kept: readonly KeptEither[]): Promise<void> {
    for (const each of kept) this.#released.add(each)
    const holders = kept.map((each) => this.#holderOf(each))
    this.#program.end(holders)
    this.#hold() // from now on other keepers do not leave these ports to this one
    await this.#keeper.release(kept)
    this.#program.close(holders)
    for (const each of kept) if (!this.#left.has(each)) this.#marks.remove(each)
    this.#tellOfThoseThatWereThere((each) => kept.includes(each))
  }

  /** Keeps nothing any more: no renewal, no look, no timer. What is open is closed upon release() or stop(). */
  rest(): void {
    this.#isResting = true
    this.#running.end()
    this.#holding.cancel()
    this.#keeper.rest()
    this.#sockets.close()
  }

  stop(): void {
    if (this.#isStopping) return
    this.#isStopping = true
    this.#program.end([...this.#holders.values()])
    this.#running.end() // before anything is closed: from now on other keepers do not leave a port to this one
    this.#keeper.stop()
  }

  /** Lets go of everything. Call it after run(). */
  close(): void {
    this.stop()
    this.#finder.close()
    this.#sockets.close()
  }

  /** The mark stays too: it is about the same mapping. */
  async #isKeptElsewhere(kept: KeptEither, thing: HeldThing): Promise<boolean> {
    const sharer = this.#program.sharerOf(this.#holderOf(kept), this.#placeOf(thing))
    const isElsewhere = thing.key !== undefined && (await this.#running.isOpenElsewhere(thing.key))
    if (sharer === undefined && !isElsewhere) return false
    if (!this.#isClosing(kept)) return true // at a device that is left for the router
    this.#left.add(kept)
    if (sharer === undefined) this.#options.onLeftOpen(kept, 'kept-by-another')
    else this.#options.onLeftHere?.(kept)
    return true
  }

  #tellOfThoseThatWereThere(isMeant: (kept: KeptEither) => boolean): void {
    const wereThere = new Set(this.ports.thatWereThere)
    for (const [at, kept] of this.kept.entries()) {
      const wanted = this.#options.wanted[at]
      if (!wereThere.has(kept) || !isMeant(kept) || wanted?.kind !== 'mapping') continue
      const key = { ...wanted.mapping, externalPort: this.ports.portOf(kept)?.externalPort ?? 0 }
      const isHeldHere = this.#program.isMade(this.#address, key, this.#holderOf(kept))
      if (isHeldHere) this.#options.onLeftHere?.(kept)
      else this.#options.onLeftOpen(kept, 'was-open')
    }
  }

  async #isOwn(kept: KeptEither, thing: HeldThing, description: string): Promise<boolean> {
    if (this.#program.sharerOf(this.#holderOf(kept), this.#placeOf(thing)) !== undefined) return true
    return thing.key !== undefined && this.#marks.has(thing.key, description)
  }

  async #isKeptByAnother(kept: KeptEither, key: MappingKey): Promise<boolean> {
    if (this.#program.isHeld(this.#address, key, { except: this.#holderOf(kept) })) return true
    return this.#running.isKeptByAnother(this.#address, key)
  }

  #placeOf({ outside, internalClient, internalPort }: HeldThing): HeldPlace {
    return { router: this.#address, via: this.#via, outside, internalClient, internalPort }
  }

  #holderOf(kept: KeptEither): Holder {
    return this.#holders.get(kept) ?? this.#newHolder(kept)
  }

  #newHolder(kept: KeptEither): Holder {
    const isOver = (): boolean => {
      const endsWallMs = this.ports.portOf(kept)?.endsWallMs ?? Number.POSITIVE_INFINITY
      return this.#isResting && endsWallMs <= this.#options.net.clock.wallMs()
    }
    return {
      get hasMade() {
        return kept.hasMade === true
      },
      get isOver() {
        return isOver()
      },
      renew: () => this.#keeper.renew(kept),
    }
  }

  #isClosing(kept: KeptEither): boolean {
    return this.#isStopping || this.#released.has(kept)
  }

  /** @throws PortMappingError */
  async #search(signal: AbortSignal): Promise<Gateway> {
    const opened = await this.#lookFor(signal, this.#router.address)
    const whyNot = this.#options.onSearched(opened)
    if (opened.found === undefined) throw new NoGatewayError(whyNot ?? 'no gateway was found')
    const { gateway } = opened.found
    this.#router.use(gateway, opened.remarks)
    this.#options.onFound?.(opened, gateway)
    return gateway
  }

  #lookFor(signal: AbortSignal, routerBefore?: string): Promise<Opened> {
    signal.throwIfAborted()
    return this.#options.search({ ...this.#net, signal }, routerBefore)
  }

  async #open(signal: AbortSignal): Promise<Gateway> {
    const gateway = await this.#finder.find(signal)
    this.#meet(gateway)
    return gateway
  }

  #meet(gateway: Gateway): void {
    this.#marks.meet(gateway)
    this.#address = addressOf(gateway)
    this.#via = gateway.protocol
    this.#localAddress = gateway.localAddress
  }

  #hear(told: KeeperEvent<HeldEither>): void {
    if (told.type === 'moved') this.#move(told)
    const event = this.#asRenewal(told)
    const before = 'kept' in event ? this.ports.portOf(event.kept)?.externalPort : undefined
    this.ports.hear(event, this.#options.net.clock.wallMs())
    if ('held' in event) {
      this.#marks.set(event.kept, event.held)
      this.#program.hold(this.#holderOf(event.kept), this.#placeOf(thingOf(event.held)))
    }
    if (event.type === 'removed') this.#marks.remove(event.kept)
    if (event.type === 'not-removed' && this.#isClosing(event.kept)) this.#left.add(event.kept)
    const isAsBefore = event.type === 'renewed' && this.ports.portOf(event.kept)?.externalPort === before
    if (!isAsBefore) this.#holding.tell()
    this.#options.onEvent(event, told)
  }

  /** From now on the ports are kept at the router, and not at the device that was used in its place. */
  #move({ gateway, closed }: Extract<KeeperEvent<HeldEither>, { type: 'moved' }>): void {
    const { ports } = this.ports.facts
    for (const [at, kept] of this.kept.entries()) if (ports[at] !== undefined) this.#moving.add(kept)
    for (const kept of closed) this.#marks.remove(kept)
    this.#finder.settleOn(gateway)
    this.#router.use(gateway)
    this.#meet(gateway)
  }

  /** One event has told of the move, so what is open at the router as it was before is no news. */
  #asRenewal(event: KeeperEvent<HeldEither>): KeeperEvent<HeldEither> {
    if (event.type === 'gateway-lost') this.#moving.clear()
    if (event.type === 'failed') this.#moving.delete(event.kept)
    if (event.type !== 'mapped' || !this.#moving.delete(event.kept)) return event
    return { type: 'renewed', kept: event.kept, held: event.held }
  }

  /** Tells other keepers of this user. A port that is lost is still held: it is opened again. */
  #hold(): void {
    if (this.#isStopping) return
    const { known, facts } = this.ports
    const held = this.#options.wanted.flatMap((each, at) => {
      const [port, kept] = [known[at], this.kept[at]]
      if (port === undefined || kept === undefined || this.#released.has(kept) || each.kind === 'pinhole') return []
      const { protocol, remoteHost } = each.mapping
      return [
        {
          externalPort: port.externalPort,
          protocol,
          remoteHost,
          isOpen: facts.ports[at] !== undefined && kept.hasMade === true,
        },
      ]
    })
    if (held.length > 0 || this.#released.size > 0) this.#running.hold(this.#address, held, this.#localAddress)
  }
}

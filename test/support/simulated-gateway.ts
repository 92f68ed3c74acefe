/**
 * A router of one protocol on a fake clock, with all that happens to routers: leases run out, it reboots and forgets, its
 * address changes, it goes away, people and other hosts change its table, it refuses, it answers late or never.
 */
import {
  NoGatewayError,
  NoReplyError,
  NotConfirmedError,
  RefusedError,
  TransportError,
} from '../../src/domain/errors.ts'
import type {
  Gateway,
  GatewayBase,
  IgdGateway,
  MappingToRemove,
  PinholeFirewall,
  PinholeOpener,
  PortControlGateway,
} from '../../src/domain/gateway.ts'
import { type PinholeId, pinholeIdOf, type TimedPinholeRequest } from '../../src/domain/pinhole.ts'
import type {
  GatewayProtocol,
  MappingKey,
  MappingRequest,
  PortMapping,
  TransportProtocol,
} from '../../src/domain/port-mapping.ts'
import type { GatewayNews } from '../../src/keeper/keeper.ts'
import { type Clock, sleep } from '../../src/net/clock.ts'

export const OTHER_HOST = '192.168.1.99'
const SEARCH_MS = 2000
/** What NAT-PMP and PCP give where no end was asked for. */
const USUAL_LEASE_SECONDS = 7200
const FIRST_CHOSEN_PORT = 40_000

interface Entry {
  readonly externalPort: number
  readonly protocol: TransportProtocol
  readonly internalClient: string
  readonly internalPort: number
  readonly description: string
  readonly endsMs: number
}

interface Pinhole {
  readonly request: TimedPinholeRequest
  readonly endsMs: number
  /** Nobody can delete it any more. */
  readonly hasLostNonce?: boolean
}

/** `mute` acts, and its answer is lost; `deaf` hears nothing. Both look the same from outside. */
export type Answering = 'in-time' | 'mute' | 'deaf'

export class SimulatedRouter {
  readonly protocol: GatewayProtocol
  readonly #clock: Clock
  /** This computer's, as the next gateway object is told. */
  localAddress = '192.168.1.10'
  externalAddress = '203.0.113.5'
  /** Half of it before the router acts. */
  latencyMs = 0
  answering: Answering = 'in-time'
  /** After which a client gives up; Infinity for never. */
  timeoutMs = 3000
  maxLeaseSeconds = Number.POSITIVE_INFINITY
  /** External ports: whoever asks for one of them gets no answer, and everything else is answered. */
  readonly silentPorts = new Set<number>()
  /** False for routers that keep to the old lease when a mapping is asked for again. */
  extendsLeases = true
  /** Routers that let one host overwrite the mapping of another (an IGD must not). */
  overwritesOthers = false
  showsLeases = true
  readonly #entries = new Map<string, Entry>()
  readonly #pinholes = new Map<number, Pinhole>()
  readonly #calls = new Map<string, number>()
  readonly #listeners = new Set<(news: GatewayNews) => void>()
  #refusal: { readonly number: number; readonly only: string | undefined } | undefined
  #beganMs: number
  #backMs = Number.NEGATIVE_INFINITY
  #nextPinholeId = 1
  /** Whoever has found it at another one asks in vain. */
  httpPort = 5000

  constructor(clock: Clock, protocol: GatewayProtocol) {
    this.#clock = clock
    this.protocol = protocol
    this.#beganMs = clock.monotonicMs()
  }

  /** The search for it. */
  async open(signal?: AbortSignal): Promise<Gateway> {
    this.#count('open')
    if (this.isGone) {
      await sleep(this.#clock, SEARCH_MS, signal)
      throw new NoGatewayError('no gateway was found')
    }
    const { SimulatedIgd, SimulatedPortControl } = CLASSES
    return this.protocol === 'igd'
      ? new SimulatedIgd(this, this.localAddress)
      : new SimulatedPortControl(this, this.localAddress, this.protocol)
  }

  listen(onNews: (news: GatewayNews) => void): () => void {
    const listener = (news: GatewayNews): void => onNews(news)
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get listenerCount(): number {
    return this.#listeners.size
  }

  announce(news: GatewayNews = 'announcement'): void {
    for (const listener of [...this.#listeners]) listener(news)
  }

  get isGone(): boolean {
    return this.#clock.monotonicMs() < this.#backMs
  }

  goAway(ms: number): void {
    this.#backMs = this.#clock.monotonicMs() + ms
  }

  /** Time that passes for it and not on the clock: this computer sleeps. */
  passWhileAsleep(ms: number): void {
    this.#beganMs -= ms
    for (const entry of this.#entries.values()) this.#put({ ...entry, endsMs: entry.endsMs - ms })
    for (const [id, pinhole] of this.#pinholes) this.#pinholes.set(id, { ...pinhole, endsMs: pinhole.endsMs - ms })
  }

  /** It forgets everything, and is back after that time. */
  reboot(downMs = 0): void {
    this.#entries.clear()
    this.#pinholes.clear()
    this.#nextPinholeId = 1
    this.#beganMs = this.#clock.monotonicMs() + downMs
    if (downMs > 0) this.goAway(downMs)
  }

  /** Its mappings, while its epoch goes on. */
  forget(): void {
    this.#entries.clear()
  }

  /** PCP and NAT-PMP begin anew with that (RFC 6887 8.5, RFC 6886 3.6), and forget. */
  changeExternalAddress(address: string): void {
    this.externalAddress = address
    if (this.protocol !== 'igd') this.reboot()
  }

  /** By hand, in its web page. */
  deleteMapping(externalPort: number, protocol: TransportProtocol = 'TCP'): void {
    this.#entries.delete(keyOf({ externalPort, protocol }))
  }

  /** A mapping that the keeper did not make; another host's, unless that is said. */
  occupy(externalPort: number, given: Partial<Entry> & { readonly leaseSeconds?: number } = {}): void {
    const { leaseSeconds = Number.POSITIVE_INFINITY, ...rest } = given
    const endsMs = this.#clock.monotonicMs() + leaseSeconds * 1000
    const usual = { protocol: 'TCP', internalClient: OTHER_HOST, internalPort: 9999, description: 'other' } as const
    this.#put({ ...usual, externalPort, endsMs, ...rest })
  }

  /** Everything, or only that question, is refused from now on; with undefined nothing is. */
  refuse(number: number | undefined, only?: string): void {
    this.#refusal = number === undefined ? undefined : { number, only }
  }

  /** `externalPort/protocol -> client:port`, sorted. */
  get table(): string[] {
    this.#prune()
    const lines = [...this.#entries.values()].map(
      ({ externalPort, protocol, internalClient, internalPort }) =>
        `${externalPort}/${protocol} -> ${internalClient}:${internalPort}`,
    )
    return lines.sort()
  }

  get pinholes(): string[] {
    this.#prune()
    return [...this.#pinholes].map(([id, { request }]) => `${id}: ${request.internalPort} -> ${request.internalClient}`)
  }

  occupyPinhole(request: TimedPinholeRequest): number {
    return this.addPinhole(request)
  }

  get requests(): number {
    return [...this.#calls].reduce((sum, [name, count]) => (name === 'open' ? sum : sum + count), 0)
  }

  callsOf(name: string): number {
    return this.#calls.get(name) ?? 0
  }

  forgetCalls(): void {
    this.#calls.clear()
  }

  get epochSeconds(): number {
    return Math.floor((this.#clock.monotonicMs() - this.#beganMs) / 1000)
  }

  async answer<T>(name: string, act: () => T, mappedPort = 0): Promise<T> {
    this.#count(name)
    await this.#wait(this.latencyMs / 2)
    if (this.isGone || this.answering === 'deaf' || this.silentPorts.has(mappedPort)) return this.#noReply(name)
    if (this.#refusal !== undefined && (this.#refusal.only ?? name) === name)
      throw this.refused(name, this.#refusal.number)
    const result = act()
    if (this.answering === 'mute') return this.#noReply(name)
    await this.#wait(this.latencyMs / 2)
    return result
  }

  refused(action: string, number: number): RefusedError {
    return new RefusedError({ protocol: this.protocol, action, number, standardName: 'Simulated' })
  }

  /** @throws RefusedError, NotConfirmedError */
  map(request: MappingRequest, isExact: boolean): PortMapping {
    this.#prune()
    const entry = this.protocol === 'igd' ? this.#mapOutside(request, isExact) : this.#mapInside(request, isExact)
    this.#put(entry)
    return this.#shown(entry)
  }

  find(key: MappingKey): PortMapping | undefined | 'untold' {
    if (this.protocol !== 'igd') return 'untold'
    this.#prune()
    const entry = this.#entries.get(keyOf(key))
    return entry === undefined ? undefined : this.#shown(entry)
  }

  unmap({ externalPort, protocol, internalPort }: MappingToRemove, localAddress: string): void {
    this.#prune()
    if (this.protocol === 'igd') {
      // A careless one: it lets anybody delete.
      if (!this.#entries.delete(keyOf({ externalPort, protocol }))) throw this.refused('unmap', 714)
      return
    }
    if (internalPort === 0) throw new Error('a deletion of everything')
    const entry = this.#ofInside({ protocol, internalClient: localAddress, internalPort: internalPort ?? externalPort })
    if (entry !== undefined) this.#entries.delete(keyOf(entry))
  }

  /** An IGD does not tell the lease. */
  grantPinhole(request: TimedPinholeRequest): { readonly id: PinholeId; readonly leaseSeconds: number } {
    const id = this.addPinhole(request)
    const granted = Math.min(request.leaseSeconds, this.maxLeaseSeconds)
    return { id, leaseSeconds: this.protocol === 'pcp' ? granted : request.leaseSeconds }
  }

  /** As with miniupnpd 2.3.1, one that is renewed over PCP loses its nonce. */
  addPinhole(request: TimedPinholeRequest): number {
    this.#prune()
    const tuple = JSON.stringify({ ...request, leaseSeconds: 0 })
    const known = [...this.#pinholes].find(
      ([, pinhole]) => JSON.stringify({ ...pinhole.request, leaseSeconds: 0 }) === tuple,
    )
    const id = known?.[0] ?? this.#nextPinholeId++
    const endsMs = this.#clock.monotonicMs() + Math.min(request.leaseSeconds, this.maxLeaseSeconds) * 1000
    this.#pinholes.set(id, { request, endsMs, hasLostNonce: this.protocol === 'pcp' && known !== undefined })
    return id
  }

  /** 704 where there is none, 709 without traffic: the packets are not simulated. */
  checkPinhole(id: PinholeId): boolean {
    this.#prune()
    throw this.refused('isPinholeWorking', this.#pinholes.has(Number(id)) ? 709 : 704)
  }

  deletePinhole(id: PinholeId): void {
    this.#prune()
    const target = [...this.#pinholes].find(([number, { request }]) => number === id || targetOf(request) === id)
    if (target === undefined) throw this.refused('deletePinhole', 704)
    if (target[1].hasLostNonce) throw this.refused('deletePinhole', 2)
    this.#pinholes.delete(target[0])
  }

  #mapOutside(request: MappingRequest, isExact: boolean): Entry {
    const { protocol, internalClient } = request
    const isFree = (externalPort: number): boolean => {
      const there = this.#entries.get(keyOf({ externalPort, protocol }))
      return there === undefined || there.internalClient === internalClient || this.overwritesOthers
    }
    if (isExact && !isFree(request.externalPort)) throw this.refused('map', 718)
    const externalPort = portFrom(request.externalPort, isFree)
    return this.#entryOf(request, externalPort, this.#entries.get(keyOf({ externalPort, protocol })))
  }

  /** A mapping is known by its inside, and stays on its port whatever is suggested. */
  #mapInside(request: MappingRequest, isExact: boolean): Entry {
    const { protocol } = request
    const there = this.#ofInside(request)
    const suggested = request.internalPort === 0 && request.externalPort === 1 ? 0 : request.externalPort
    const isFree = (externalPort: number): boolean => !this.#entries.has(keyOf({ externalPort, protocol }))
    const externalPort = there?.externalPort ?? portFrom(suggested || FIRST_CHOSEN_PORT, isFree)
    const entry = this.#entryOf(request, externalPort, there)
    if (!isExact || externalPort === request.externalPort || request.externalPort === 0) return entry
    if (this.protocol === 'pcp') throw this.refused('map', 11)
    const facts = { action: 'map', belongsToAnother: true, isClosedAgain: true }
    throw new NotConfirmedError(this.#shown(entry), 'another port was given', facts)
  }

  #ofInside({ protocol, internalClient, internalPort }: Omit<Entry, 'externalPort' | 'description' | 'endsMs'>) {
    return [...this.#entries.values()].find(
      (each) =>
        each.protocol === protocol && each.internalClient === internalClient && each.internalPort === internalPort,
    )
  }

  #entryOf(request: MappingRequest, externalPort: number, there: Entry | undefined): Entry {
    const { protocol, internalClient, internalPort, description, lease } = request
    const endless = this.protocol === 'igd' ? Number.POSITIVE_INFINITY : USUAL_LEASE_SECONDS
    const asked = lease === 'unlimited' ? endless : lease.seconds
    const endsMs = this.#clock.monotonicMs() + Math.min(asked, this.maxLeaseSeconds) * 1000
    const kept = there?.internalClient === internalClient && !this.extendsLeases ? there.endsMs : endsMs
    return { externalPort, protocol, internalClient, internalPort, description, endsMs: kept }
  }

  #shown({ endsMs, ...entry }: Entry): PortMapping {
    const seconds = Number.isFinite(endsMs) ? Math.ceil((endsMs - this.#clock.monotonicMs()) / 1000) : 0
    const internalPort = entry.internalPort || entry.externalPort // 0: the same port, as gateways of VPNs have it
    return { ...entry, internalPort, remoteHost: '', enabled: true, leaseSeconds: this.showsLeases ? seconds : 0 }
  }

  #put(entry: Entry): void {
    this.#entries.set(keyOf(entry), entry)
  }

  #prune(): void {
    const nowMs = this.#clock.monotonicMs()
    for (const [key, { endsMs }] of this.#entries) if (endsMs <= nowMs) this.#entries.delete(key)
    for (const [id, { endsMs }] of this.#pinholes) if (endsMs <= nowMs) this.#pinholes.delete(id)
  }

  #count(name: string): void {
    this.#calls.set(name, this.callsOf(name) + 1)
  }

  async #noReply(name: string): Promise<never> {
    await this.#wait(this.timeoutMs)
    throw new NoReplyError(`${name}: no reply`, { action: name })
  }

  async #wait(ms: number): Promise<void> {
    if (ms > 0) await new Promise<void>((resolve) => ms < Number.POSITIVE_INFINITY && this.#clock.schedule(ms, resolve))
  }
}

function keyOf({ externalPort, protocol }: Pick<Entry, 'externalPort' | 'protocol'>): string {
  return `${externalPort}/${protocol}`
}

function portFrom(first: number, isFree: (port: number) => boolean): number {
  let port = first
  while (!isFree(port)) port++
  return port
}

function targetOf({ protocol, internalClient, internalPort }: TimedPinholeRequest): string {
  return pinholeIdOf({ protocol: protocol === 6 ? 'TCP' : 'UDP', internalClient, internalPort })
}

/** What a keeper never asks. */
const unasked = (): never => {
  throw new Error('a keeper has no such question')
}

/** What a search finds: how this computer sees the router. */
abstract class SimulatedGateway implements GatewayBase {
  abstract readonly protocol: GatewayProtocol
  readonly address = '192.168.1.1'
  readonly localAddress: string
  protected readonly router: SimulatedRouter
  readonly #httpPort: number
  #externalAddress: string | undefined

  constructor(router: SimulatedRouter, localAddress: string) {
    this.router = router
    this.localAddress = localAddress
    this.#httpPort = router.httpPort
  }

  abstract readonly epochSeconds: number | undefined

  async externalAddress(): Promise<string> {
    if (this.protocol === 'pcp' && this.#externalAddress !== undefined) return this.#externalAddress
    return this.ask('externalAddress', () => this.router.externalAddress)
  }

  /** PCP does not tell the address with that. */
  async pulse(): Promise<{ readonly externalAddress: string | undefined }> {
    const externalAddress = await this.ask('pulse', () => this.router.externalAddress)
    return { externalAddress: this.protocol === 'pcp' ? this.#externalAddress : externalAddress }
  }

  map(request: MappingRequest): Promise<PortMapping> {
    return this.#map('map', request, true)
  }

  mapAny(request: MappingRequest): Promise<PortMapping> {
    return this.#map('mapAny', request, false)
  }

  async #map(name: string, request: MappingRequest, isExact: boolean): Promise<PortMapping> {
    const mapping = await this.ask(name, () => this.router.map(request, isExact), request.externalPort)
    this.#externalAddress = this.router.externalAddress
    return mapping
  }

  find(key: MappingKey): Promise<PortMapping | undefined | 'untold'> {
    // No request goes out where there is no such question.
    return this.protocol === 'igd' ? this.ask('find', () => this.router.find(key)) : Promise.resolve('untold')
  }

  readonly remembers = unasked

  unmap(mapping: MappingToRemove): Promise<void> {
    return this.ask('unmap', () => this.router.unmap(mapping, this.localAddress))
  }

  protected ask<T>(name: string, act: () => T, mappedPort?: number): Promise<T> {
    if (this.protocol === 'igd' && this.#httpPort !== this.router.httpPort) {
      return Promise.reject(new TransportError(`${name}: nothing listens there`, { action: name }))
    }
    const heard = (): T => {
      this.hear()
      return act()
    }
    return this.router.answer(name, heard, mappedPort)
  }

  /** With every answer. */
  protected abstract hear(): void
}

class SimulatedIgd extends SimulatedGateway implements IgdGateway {
  readonly protocol = 'igd'
  readonly epochSeconds = undefined
  readonly controlUrl = `http://${this.address}:5000/ctl`
  readonly eventUrl = undefined
  readonly presentationUrl = ''
  readonly connectionType = unasked
  readonly status = unasked
  readonly linkRates = unasked
  readonly trafficCounters = unasked
  readonly unmapRange = unasked
  readonly hasPortMappingAt = unasked
  readonly portMappingsOf = unasked
  readonly portMappings = unasked
  readonly firewall: PinholeFirewall = {
    addPinhole: (request) => this.ask('addPinhole', () => this.router.grantPinhole(request)),
    updatePinhole: unasked,
    deletePinhole: (id) => this.ask('deletePinhole', () => this.router.deletePinhole(id)),
    isPinholeWorking: (id) => this.ask('isPinholeWorking', () => this.router.checkPinhole(id)),
    status: unasked,
    pinholePackets: unasked,
    outboundPinholeTimeout: unasked,
  }

  protected hear(): void {}
}

class SimulatedPortControl extends SimulatedGateway implements PortControlGateway {
  readonly protocol: 'pcp' | 'nat-pmp'
  readonly port = 5351
  readonly isFree = unasked
  readonly pinholes: PinholeOpener | undefined
  epochSeconds: number

  constructor(router: SimulatedRouter, localAddress: string, protocol: 'pcp' | 'nat-pmp') {
    super(router, localAddress)
    this.protocol = protocol
    this.epochSeconds = router.epochSeconds
    if (protocol === 'nat-pmp') return
    this.pinholes = {
      addPinhole: (request) =>
        this.ask('addPinhole', () => ({ ...this.router.grantPinhole(request), id: targetOf(request) })),
      updatePinhole: unasked,
      deletePinhole: (id) => this.ask('deletePinhole', () => this.router.deletePinhole(id)),
    }
  }

  protected hear(): void {
    this.epochSeconds = this.router.epochSeconds
  }
}

const CLASSES = { SimulatedIgd, SimulatedPortControl }

/** A gateway that was found -> the one that a program gets: each call has its own limit, and each error says whom it is about. */
import { isGlobalIPv6 } from '../../domain/address.js'
import { errorFacts, InvalidArgumentError, PortMappingError, RefusedError } from '../../domain/errors.js'
import {
  type ConnectionStatus,
  type IgdGateway as Igd,
  type LinkRates,
  NO_FIREWALL,
  type PinholeFirewall,
  type PinholeOpener,
  type PortControlGateway as PortControl,
  type TrafficCounters,
} from '../../domain/gateway.js'
import { checkOptions } from '../../domain/option-check.js'
import type { FirewallStatus, GrantedPinhole, PinholeId, PinholeRequest } from '../../domain/pinhole.js'
import {
  DEFAULT_DESCRIPTION,
  isPort,
  type MappingKey,
  type MappingRequest,
  PROTOCOL_NUMBERS,
  type PortMapping as Shown,
  shownValue,
} from '../../domain/port-mapping.js'
import { causeText } from '../../domain/refusal-text.js'
import { LIBRARY } from '../../domain/words.js'
import { heldBy } from '../../keeper/kept-mapping.js'
import { forgetMark } from '../keeping/own-marks.js'
import { outsideOf } from '../keeping/this-program.js'
import { Mapper } from '../mapper.js'
import type { OpenPort } from '../opening/open-port.js'
import { openPortAt } from '../opening/port-groups.js'
import { CALL, MAP, OPEN_PORT_AT_GATEWAY, REMOVE_OWN } from '../options.js'
import { pinholeAddress } from '../pinhole-address.js'
import type { FoundGateway, FoundIgd, FoundPortControl, Opened } from '../search-gateway.js'
import type { Call, Where } from '../where.js'
import { within } from './call-limit.js'
import type {
  Firewall,
  Gateway,
  GatewayBase,
  IgdGateway,
  MappingToUnmap,
  OpenPortOptions,
  Outside,
  OwnMappings,
  Pinholes,
  PinholeTraffic,
  PortControlGateway,
  PortToMap,
  RangeToUnmap,
  RemoveOwnOptions,
} from './gateway.js'
import { removeOwn } from './remove-own.js'
import type { SearchedNet } from './search-wishes.js'
import { type PortMapping, shownMapping } from './shown-mapping.js'
import { toldError } from './told-error.js'

/** How it was found. */
interface Origin {
  readonly opened: Opened
  readonly where: Where
  /** The one of the search, without what ended that. */
  readonly net: SearchedNet
}

export function askedGateway(found: FoundGateway, origin: Origin): Gateway {
  return found.protocol === 'igd' ? new AskedIgd(found, origin) : new AskedPortControl(found, origin)
}

/** A gateway whose requests end with the signal of one call. */
type Work<G, T> = (gateway: G, signal: AbortSignal | undefined) => Promise<T>

abstract class AskedGateway<G extends Igd | PortControl> implements GatewayBase {
  abstract readonly protocol: G['protocol']
  readonly localAddress: string
  protected readonly found: { readonly gateway: G; readonly until: (signal: AbortSignal | undefined) => G }
  protected readonly net: SearchedNet
  readonly #externalAddress: string
  readonly #origin: Origin

  constructor(found: AskedGateway<G>['found'] & { readonly externalAddress: string | undefined }, origin: Origin) {
    this.found = found
    this.net = origin.net
    this.#origin = origin
    this.localAddress = found.gateway.localAddress
    this.#externalAddress = found.externalAddress ?? ''
  }

  protected abstract shown(gateway: G): Promise<PortMapping[]>

  get address(): string | undefined {
    return this.found.gateway.address
  }

  externalAddress(call?: Call): Promise<string> {
    return this.ask('the external address', call, (gateway) => gateway.externalAddress())
  }

  async map(wanted: PortToMap, call?: Call): Promise<PortMapping> {
    checkOptions(wanted, MAP, 'map')
    const request = requestOf(wanted, this.localAddress)
    return this.ask('the mapping', call, async (gateway, signal) => {
      const any = wanted.externalPort === 'any'
      const free = this.#notHeldHere(request, any)
      const mapper = new Mapper(gateway, { ...this.net, signal })
      const externalAddress = this.#externalAddress
      const outcome = await mapper.map({ request: free, externalAddress }, any)
      if (outcome.ok) return { ...outcome.mapping, ...knownOf(outcome.mapping, outcome.asked) }
      const { error, cause, asked } = outcome
      if (cause !== undefined) error.hint = causeText(cause, { asked, error: errorFacts(error) }, LIBRARY)
      if (error instanceof RefusedError && cause !== undefined && 'mapping' in cause) error.holder = cause.mapping
      if (cause?.kind === 'left-behind') error.leftBehind = cause
      throw error
    })
  }

  /** A router may let the last one win. @throws PortTakenError if an open port of this program has it */
  #notHeldHere(request: MappingRequest, any: boolean): MappingRequest {
    const { internalClient, internalPort } = request
    const { address: router = '', protocol: via } = this.found.gateway
    const place = { router, via, outside: outsideOf(request), internalClient, internalPort }
    const held = this.net.program.ports.otherInsideAt(place)
    if (held === undefined) return request
    if (!any || request.externalPort === LAST_PORT) throw heldBy(held, request, this.protocol)
    return this.#notHeldHere({ ...request, externalPort: request.externalPort + 1 }, any)
  }

  async openPort(port: number, options: OpenPortOptions = {}): Promise<OpenPort> {
    checkOptions(options, OPEN_PORT_AT_GATEWAY, 'openPort')
    const { opened, where } = this.#origin
    const { via, router, url, networkInterface, net, state } = where
    try {
      return await openPortAt(opened, port, { via, router, url, networkInterface, net, state, ...options })
    } catch (error) {
      throw error instanceof PortMappingError ? toldError(error, this) : error
    }
  }

  unmap(mapping: MappingToUnmap, call?: Call): Promise<void> {
    const { internalClient, internalPort } = mapping
    const key = {
      ...keyOf(mapping),
      ...(internalClient === undefined ? {} : { internalClient }),
      ...(internalPort === undefined ? {} : { internalPort }),
    }
    return this.ask('the removal', call, async (gateway) => {
      await gateway.unmap(key)
      await forgetMark(this.net.files, gateway, key)
    })
  }

  async removeOwn(options: RemoveOwnOptions = {}, call?: Call): Promise<OwnMappings> {
    checkOptions(options, REMOVE_OWN, 'removeOwn')
    return this.ask('the removal', call, async (gateway, signal) => {
      return removeOwn(gateway, await this.shown(gateway), options, this.net, signal)
    })
  }

  /** Within the limits of the call. `what` is asked for. */
  protected async ask<T>(what: string, call: Call = {}, work: Work<G, T>, isPinhole = false): Promise<T> {
    checkOptions(call, CALL, what)
    const late = `${what}: ${this.address ?? 'the gateway'} did not answer`
    try {
      return await within(this.net.clock, call, late, (signal) => work(this.found.until(signal), signal))
    } catch (error) {
      throw error instanceof PortMappingError ? toldError(error, this, { isPinhole }) : error
    }
  }

  protected trafficOf(traffic: PinholeTraffic): PinholeRequest {
    const { internalPort, protocol = 'TCP', remoteHost = '', remotePort = 0 } = traffic
    const internalClient = traffic.internalClient ?? this.#pinholeAddress()
    return { internalPort, internalClient, protocol: PROTOCOL_NUMBERS[protocol], remoteHost, remotePort }
  }

  #pinholeAddress(): string {
    const interfaces = this.net.interfaces()
    const address = pinholeAddress(this.localAddress, interfaces)
    return isGlobalIPv6(address) ? address : (interfaces.find((each) => isGlobalIPv6(each.address))?.address ?? address)
  }

  protected pinholesOf(openerOf: (gateway: G) => PinholeOpener | undefined): Pinholes {
    const ask = <T>(call: Call | undefined, work: (opener: PinholeOpener) => Promise<T>): Promise<T> =>
      this.ask('the pinhole', call, (gateway) => work(openerOf(gateway) ?? NO_FIREWALL), true)
    return {
      addPinhole: ({ leaseSeconds = DEFAULT_PINHOLE_SECONDS, ...wanted }, call): Promise<GrantedPinhole> =>
        ask(call, (opener) => opener.addPinhole({ ...this.trafficOf(wanted), leaseSeconds })),
      updatePinhole: (id, leaseSeconds, call) => ask(call, (opener) => opener.updatePinhole(id, leaseSeconds)),
      deletePinhole: (id, call) => ask(call, (opener) => opener.deletePinhole(id)),
    }
  }
}

const DEFAULT_PINHOLE_SECONDS = 3600
const LAST_PORT = 65_535

class AskedIgd extends AskedGateway<Igd> implements IgdGateway {
  readonly protocol = 'igd'
  readonly firewall: Firewall | undefined

  constructor(found: FoundIgd, origin: Origin) {
    super(found, origin)
    this.firewall = found.gateway.firewall === undefined ? undefined : this.#firewall()
  }

  get controlUrl(): string {
    return this.found.gateway.controlUrl
  }

  get eventUrl(): string | undefined {
    return this.found.gateway.eventUrl
  }

  get presentationUrl(): string {
    return this.found.gateway.presentationUrl
  }

  mappings(call?: Call): Promise<PortMapping[]> {
    return this.ask('the list of mappings', call, (gateway) => this.shown(gateway))
  }

  find(outside: Outside, call?: Call): Promise<PortMapping | undefined | 'untold'> {
    return this.ask('the mapping', call, async (gateway) => {
      const found = await gateway.find(keyOf(outside))
      return typeof found === 'object' ? { ...found, ...knownOf(found, keyOf(outside)) } : found
    })
  }

  status(call?: Call): Promise<ConnectionStatus> {
    return this.ask('the status', call, (gateway) => gateway.status())
  }

  connectionType(call?: Call): Promise<string> {
    return this.ask('the type of the connection', call, (gateway) => gateway.connectionType())
  }

  linkRates(call?: Call): Promise<LinkRates> {
    return this.ask('the rates of the link', call, (gateway) => gateway.linkRates())
  }

  trafficCounters(call?: Call): Promise<TrafficCounters> {
    return this.ask('the counters', call, (gateway) => gateway.trafficCounters())
  }

  unmapRange({ startPort, endPort, protocol = 'TCP', manage = false }: RangeToUnmap, call?: Call): Promise<void> {
    return this.ask('the removal', call, (gateway) => gateway.unmapRange({ startPort, endPort, protocol, manage }))
  }

  protected async shown(gateway: Igd): Promise<PortMapping[]> {
    const mappings: PortMapping[] = []
    for await (const each of gateway.portMappings()) {
      const mapping = shownMapping(each)
      if (mapping !== undefined) mappings.push(mapping)
    }
    return mappings
  }

  #firewall(): Firewall {
    const ask = <T>(call: Call | undefined, work: (firewall: PinholeFirewall) => Promise<T>): Promise<T> =>
      this.ask('the firewall', call, ({ firewall = NO_FIREWALL }) => work(firewall), true)
    return {
      ...this.pinholesOf(({ firewall }) => firewall),
      status: (call): Promise<FirewallStatus> => ask(call, (firewall) => firewall.status()),
      isPinholeWorking: (id: PinholeId, call) => ask(call, (firewall) => firewall.isPinholeWorking(id)),
      pinholePackets: (id: PinholeId, call) => ask(call, (firewall) => firewall.pinholePackets(id)),
      outboundPinholeTimeout: (traffic, call) =>
        ask(call, (firewall) => firewall.outboundPinholeTimeout(this.trafficOf(traffic))),
    }
  }
}

class AskedPortControl extends AskedGateway<PortControl> implements PortControlGateway {
  readonly protocol: PortControl['protocol']
  readonly port: number
  readonly pinholes: Pinholes | undefined

  constructor(found: FoundPortControl, origin: Origin) {
    super(found, origin)
    const { protocol, port, pinholes } = found.gateway
    this.protocol = protocol
    this.port = port
    this.pinholes = pinholes === undefined ? undefined : this.pinholesOf((gateway) => gateway.pinholes)
  }

  override get address(): string {
    return this.found.gateway.address
  }

  get epochSeconds(): number {
    return this.found.gateway.epochSeconds
  }

  isFree(outside: Outside, call?: Call): Promise<boolean | 'untold'> {
    return this.ask('the port', call, (gateway) => gateway.isFree(keyOf(outside)))
  }

  /** Neither protocol can show what is mapped. */
  protected shown(): Promise<PortMapping[]> {
    return Promise.resolve([])
  }
}

function keyOf({ externalPort, protocol = 'TCP', remoteHost = '' }: Outside): MappingKey {
  return { externalPort, protocol, remoteHost }
}

function requestOf(wanted: PortToMap, localAddress: string): MappingRequest {
  const { internalPort, externalPort = internalPort, protocol = 'TCP', remoteHost = '', lease = 'unlimited' } = wanted
  const { internalClient = localAddress, description = DEFAULT_DESCRIPTION } = wanted
  if (!isPort(internalPort))
    throw new InvalidArgumentError(`internalPort ${shownValue(internalPort)} is not a port from 1 to 65535`)
  return {
    externalPort: externalPort === 'any' ? internalPort : externalPort,
    internalPort,
    protocol,
    remoteHost,
    internalClient,
    description,
    lease: lease === 'unlimited' ? lease : { seconds: lease },
  }
}

/** What was asked for, if the gateway does not show it in the terms of the standard. */
function knownOf({ externalPort }: Shown, asked: MappingKey): Pick<MappingKey, 'externalPort' | 'protocol'> {
  return { externalPort: externalPort ?? asked.externalPort, protocol: asked.protocol }
}

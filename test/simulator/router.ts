/** The router of a simulation: the emulated gateway on a computer of its own, and what can happen to a router. */

import type { TransportProtocol } from '../../src/domain/port-mapping.ts'
import type { Quirk } from '../../src/domain/quirk.ts'
import { type Emulator, startEmulator } from '../../src/emulator.ts'
import type { ServedReply, ServedRequest } from '../../src/net/http/server.ts'
import {
  decodeNatPmpRequest,
  encodeNatPmpRequest,
  encodeNatPmpResponse,
  NAT_PMP_RESULTS,
} from '../../src/wire/natpmp.ts'
import { decodePcpRequest, encodePcpErrorResponse, PCP_VERSION } from '../../src/wire/pcp.ts'
import { PCP_RESULTS } from '../../src/wire/pcp-result-codes.ts'
import { encodeSoapFault, encodeSoapRequest, soapActionHeader } from '../../src/wire/soap.ts'
import type { Computer, Network } from './network.ts'

export const ROUTER = '192.168.1.1'
export const PORT_CONTROL = 5351
const HTTP_PORT = 5000
const CONTROL_PATH = '/control/WANIPConnection'
const SERVICE = 'urn:schemas-upnp-org:service:WANIPConnection:1'
const UUID = '00000000-0000-4000-8000-000000000001'
const ACTION_FAILED = 501

export type Entry = ReturnType<Emulator['mappings']>[number]

export interface Restart {
  /** How long it is away. */
  readonly downMs: number
  readonly isAnnounced: boolean
  readonly externalAddress?: string
}

export class Router {
  readonly computer: Computer
  readonly #network: Network
  readonly #quirks: readonly Quirk[]
  #emulator: Emulator | undefined
  /** How often it has started. */
  boots = 0
  #bootedMs = 0
  #backFromMs = 0
  readonly #onBack: (() => void)[] = []
  externalAddress = '198.51.100.1'
  /** What other computers have asked for: until when. */
  readonly others = new Map<string, number>()

  constructor(network: Network, quirks: readonly Quirk[]) {
    this.#network = network
    this.#quirks = quirks
    this.computer = network.newComputer(ROUTER)
  }

  get mappings(): readonly Entry[] {
    return this.#emulator?.mappings() ?? []
  }

  async start(isAnnounced = true): Promise<void> {
    const { computer, externalAddress } = this
    this.boots++
    this.#bootedMs = computer.clock.monotonicMs()
    this.others.clear()
    computer.isMuteToAll = !isAnnounced
    const { clock, interfaces, httpServers } = computer
    const ports = { httpPort: HTTP_PORT, ssdpPort: 1900, portControlPort: PORT_CONTROL }
    const options = { address: ROUTER, ...ports, externalAddress, uuid: UUID, quirks: this.#quirks }
    const net = { clock, interfaces, httpServers, datagrams: computer.datagramsOf('router') }
    this.#emulator = await startEmulator(options, net)
  }

  /** Everything is lost at once; `onBack` is called when it is there again. If it is down already, it stays so longer. */
  restart({ downMs, isAnnounced, externalAddress = this.externalAddress }: Restart, onBack = (): void => {}): void {
    const { timeline } = this.#network
    this.computer.isUp = false
    this.externalAddress = externalAddress
    this.#backFromMs = Math.max(this.#backFromMs, timeline.nowMs + downMs)
    this.#onBack.push(onBack)
    const closed = this.#emulator?.close()
    this.#emulator = undefined
    this.#network.after(downMs, async () => {
      await closed
      if (this.computer.isUp || timeline.nowMs < this.#backFromMs) return
      this.computer.isUp = true
      await this.start(isAnnounced)
      for (const back of this.#onBack.splice(0)) back()
    })
  }

  /** The line is up again with another address, and whoever listens is told. */
  changeAddress(address: string): void {
    this.externalAddress = address
    this.#emulator?.setExternalAddress(address)
  }

  /** It restarts at once, and has forgotten everything. */
  forget(): void {
    this.#emulator?.forget()
  }

  /** It refuses to make or renew anything. PCP's answer says for how long. */
  refuse(lifetimeSeconds: number): void {
    this.computer.intercept = {
      datagram: (bytes, { port }) => (port === PORT_CONTROL ? this.#refusal(bytes, lifetimeSeconds) : undefined),
      http: refusalOverHttp,
    }
  }

  endRefusal(): void {
    this.computer.intercept = undefined
  }

  #refusal(bytes: Uint8Array, lifetimeSeconds: number): Uint8Array | undefined {
    const epochSeconds = Math.floor((this.computer.clock.monotonicMs() - this.#bootedMs) / 1000)
    if (bytes[0] === PCP_VERSION) {
      const request = decodePcpRequest(bytes)
      if (request.kind !== 'MAP-request' || request.lifetimeSeconds === 0) return undefined
      return encodePcpErrorResponse(bytes, { resultCode: PCP_RESULTS.NO_RESOURCES, lifetimeSeconds, epochSeconds })
    }
    const request = decodeNatPmpRequest(bytes)
    if (request.kind !== 'map-request' || request.lifetimeSeconds === 0) return undefined
    const [resultCode, opcode] = [NAT_PMP_RESULTS.outOfResources, bytes[1] ?? 0]
    const { internalPort } = request
    return encodeNatPmpResponse({ kind: 'error-response', opcode, resultCode, internalPort, epochSeconds })
  }

  /** Another computer asks for a port, and gets that one or another. */
  occupy(by: Computer, externalPort: number, protocol: TransportProtocol, seconds: number): void {
    const internalPort = 20_000 + (externalPort % 10_000)
    const request = { kind: 'map-request', protocol, internalPort, suggestedExternalPort: externalPort } as const
    const bytes = encodeNatPmpRequest({ ...request, lifetimeSeconds: seconds })
    this.computer.hear({ address: by.address, port: 20_000 }, { address: ROUTER, port: PORT_CONTROL }, bytes)
    const got = this.mappings.find((each) => each.internalClient === by.address && each.internalPort === internalPort)
    if (got !== undefined)
      this.others.set(`${got.externalPort}/${protocol}`, this.#network.timeline.nowMs + seconds * 1000)
  }

  /** Another computer has had that port for that protocol alone. */
  occupyOne(externalPort: number, protocol: TransportProtocol): void {
    this.#emulator?.addMapping({ externalPort, protocol })
  }

  /** Another computer removes a mapping of anybody, which UPnP lets everybody do. */
  remove(by: Computer, externalPort: number, protocol: TransportProtocol): void {
    const named = { NewRemoteHost: '', NewExternalPort: String(externalPort), NewProtocol: protocol }
    const soap = { serviceType: SERVICE, action: 'DeletePortMapping', arguments: Object.entries(named) }
    void this.computer.serve(HTTP_PORT, {
      method: 'POST',
      target: CONTROL_PATH,
      headers: new Map([
        ['host', `${ROUTER}:${HTTP_PORT}`],
        ['soapaction', soapActionHeader(soap)],
      ]),
      body: Buffer.from(encodeSoapRequest(soap)),
      remoteAddress: by.address,
      localAddress: ROUTER,
    })
  }

  async close(): Promise<void> {
    await this.#emulator?.close()
  }
}

function refusalOverHttp({ headers }: ServedRequest): ServedReply | undefined {
  const isAbout = /#Add(Any)?PortMapping"/.test(headers.get('soapaction') ?? '')
  return isAbout ? { status: 500, headers: [], body: encodeSoapFault(ACTION_FAILED, 'Action Failed') } : undefined
}

/**
 * A home without sockets and without waiting: the emulated gateway and this computer on one link, both on a fake clock.
 * The gateway has an address that is not this computer's own, so it is found and remembered as a real one is. It says
 * yes to every deletion over PCP and NAT-PMP, as miniupnpd 2.3.1 does.
 */
import { TransportError } from '../../src/domain/errors.ts'
import type { GatewayProtocol } from '../../src/domain/port-mapping.ts'
import { PORT_CONTROL_PORT, SSDP_PORT } from '../../src/domain/ports.ts'
import { type Emulator, type EmulatorOptions, startEmulator } from '../../src/emulator.ts'
import type { Datagrams, Endpoint } from '../../src/net/datagrams.ts'
import type { PrivateFiles } from '../../src/net/files/private-files.ts'
import type { HttpClient } from '../../src/net/http/client.ts'
import type { HttpServers, RequestHandler } from '../../src/net/http/server.ts'
import { NAT_PMP_VERSION } from '../../src/wire/natpmp.ts'
import '../../src/client/search/candidate.ts' // loaded late by the search, and a fake clock does not wait for that
import { FakeClock } from './fake-clock.ts'
import { type CliResult, runCli } from './run-cli.ts'

const ROUTER = '192.168.1.1'
const COMPUTER = '192.168.1.10'
const interfaces = () => [{ name: 'eth0', address: COMPUTER, netmask: '255.255.255.0', loopback: false }]
const ON_ROUTER = [{ name: 'lan0', address: ROUTER, netmask: '255.255.255.0', loopback: false }]

export class Home {
  readonly #clock = new FakeClock()
  readonly #link = new Link()
  #router: Emulator | undefined
  #hardwareAddress = ''

  /** Another router in the place of the last one, with the same addresses. */
  async plugIn(hardwareAddress: string, options: EmulatorOptions): Promise<void> {
    await this.#router?.close()
    this.#hardwareAddress = hardwareAddress
    const ports = { httpPort: 5000, ssdpPort: SSDP_PORT, portControlPort: PORT_CONTROL_PORT }
    const link = this.#link
    const datagrams = link.datagramsOf(ROUTER)
    const network = { clock: this.#clock, datagrams, httpServers: link.httpServers, interfaces: () => ON_ROUTER }
    this.#router = await startEmulator({ address: ROUTER, ...ports, ...options }, network)
  }

  async wait(ms: number): Promise<void> {
    await this.#clock.advance(ms)
  }

  /** From now on the router is silent in these protocols. It keeps its mappings. */
  silence(...protocols: readonly GatewayProtocol[]): void {
    this.#link.silent = protocols
  }

  /** The external ports that are open, and the protocols in which they were opened. */
  get doors(): readonly (readonly [number, GatewayProtocol])[] {
    return (this.#router?.mappings() ?? []).map(({ externalPort, madeBy = 'igd' }) => [externalPort, madeBy])
  }

  /** Time passes as fast as it can, until the command has ended. */
  async run(argv: readonly string[], files: PrivateFiles): Promise<CliResult> {
    let isOver = false
    const running = runCli(['--minissdpd', '', ...argv], {
      clock: this.#clock,
      datagrams: this.#link.datagramsOf(COMPUTER),
      http: this.#link.httpFrom(COMPUTER),
      interfaces,
      defaultGateways: (family) => Promise.resolve(family === 4 ? [ROUTER] : []),
      hardwareAddress: (address) => Promise.resolve(address === ROUTER ? this.#hardwareAddress : undefined),
      files,
    }).finally(() => (isOver = true))
    while (!isOver) await this.#clock.advance(10)
    return running
  }
}

type OnMessage = (datagram: Uint8Array, from: Endpoint) => void

interface Bound {
  readonly local: Endpoint
  readonly group: string | undefined
  /** The only one that is heard. */
  readonly peer: Endpoint | undefined
  readonly onMessage: OnMessage
}

/** Whatever is sent arrives, in order, and takes no time. */
class Link {
  silent: readonly GatewayProtocol[] = []
  readonly #sockets = new Set<Bound>()
  readonly #servers = new Map<string, RequestHandler>()
  #lastPort = 49_151

  datagramsOf(host: string): Datagrams {
    return {
      open: async ({ address, port, multicastGroup: group, onMessage }) => {
        const { local, close } = this.#bind(host, port, { group, peer: undefined, onMessage })
        return { local: { ...local, address }, send: (datagram, to) => this.#send(datagram, local, to), close }
      },
      connect: async ({ remote: peer, onMessage }) => {
        const { local, close } = this.#bind(host, 0, { group: undefined, peer, onMessage })
        return { local, send: (datagram) => this.#send(datagram, local, peer), close }
      },
    }
  }

  #bind(address: string, port: number, rest: Omit<Bound, 'local'>) {
    const local = { address, port: port === 0 ? ++this.#lastPort : port }
    const socket = { local, ...rest }
    this.#sockets.add(socket)
    return { local, close: () => void this.#sockets.delete(socket) }
  }

  #send(datagram: Uint8Array, from: Endpoint, to: Endpoint): void {
    if (this.silent.includes(protocolOf(datagram, from, to))) return
    for (const { local, group, peer, onMessage } of this.#sockets) {
      const isMeant = local.port === to.port && (group ?? local.address) === to.address
      const isHeard = peer === undefined || (peer.address === from.address && peer.port === from.port)
      if (isMeant && isHeard) queueMicrotask(() => onMessage(yesInPlaceOfNo(datagram, from), from))
    }
  }

  get httpServers(): HttpServers {
    return {
      listen: async ({ address, port, handler }) => {
        const local = { address, port }
        this.#servers.set(`${address}:${port}`, handler)
        return { local, close: async () => void this.#servers.delete(`${address}:${port}`) }
      },
    }
  }

  httpFrom(localAddress: string): HttpClient {
    return {
      request: async ({ method, url, headers, body = '' }) => {
        const handler = this.silent.includes('igd') ? undefined : this.#servers.get(url.host)
        const lowerCase = headers.map(([name, value]) => [name.toLowerCase(), value] as const)
        const addresses = { localAddress: url.hostname, remoteAddress: localAddress }
        const reply = await handler?.({
          method,
          target: url.pathname,
          headers: new Map([['host', url.host], ...lowerCase]),
          body: Buffer.from(body),
          ...addresses,
        })
        if (reply === undefined) throw new TransportError(`could not connect to ${url.host}`)
        const replyHeaders = new Map(reply.headers.map(([name, value]) => [name.toLowerCase(), value] as const))
        const { status } = reply
        const replyBody = Buffer.from(reply.body)
        return { status, headers: replyHeaders, body: replyBody, localAddress, remoteAddress: url.hostname }
      },
    }
  }
}

/** By the first byte PCP and NAT-PMP, which share a port, are told apart. */
function protocolOf([version]: Uint8Array, ...ends: readonly Endpoint[]): GatewayProtocol {
  if (ends.every(({ port }) => port !== PORT_CONTROL_PORT)) return 'igd'
  return version === NAT_PMP_VERSION ? 'nat-pmp' : 'pcp'
}

const NOT_AUTHORIZED = 2
const SUCCESS = 0
const LIFETIME_AT = 4

/** PCP (RFC 6887 7.2) and NAT-PMP (RFC 6886 3.3) have the result code in the fourth byte. */
function yesInPlaceOfNo(datagram: Uint8Array, { port }: Endpoint): Uint8Array {
  if (port !== PORT_CONTROL_PORT || datagram[3] !== NOT_AUTHORIZED) return datagram
  const yes = Uint8Array.from(datagram)
  yes[3] = SUCCESS
  if (protocolOf(datagram, { address: '', port }) === 'pcp') yes.fill(0, LIFETIME_AT, LIFETIME_AT + 4)
  return yes
}

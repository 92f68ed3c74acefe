/** A home with a router, on a link in memory, where time passes as fast as it can. */
import { expect } from 'vitest'
import type { Quirk } from '../../../src/domain/quirk.ts'
import type { OpenPort } from '../../../src/library/opening/open-port.ts'
import { openPort, openPorts } from '../../../src/library/opening/open-ports.ts'
import type { PortOptions } from '../../../src/library/opening/port-options.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import { createHttpClient } from '../../../src/net/http/client.ts'
import { Network } from '../../simulator/network.ts'
import { ROUTER, Router } from '../../simulator/router.ts'
import { Timeline } from '../../simulator/timeline.ts'
import { randomFrom } from '../../support/random.ts'

/** What is loaded late has to be there already. */
await Promise.all([import('node:crypto'), import('../../../src/client/search/candidate.ts')])

export const COMPUTER = '192.168.1.10'
export const VIAS = ['igd', 'pcp', 'nat-pmp'] as const
export const SECOND_MS = 1000
export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000

export class Home {
  readonly timeline = new Timeline()
  readonly network = new Network(this.timeline, randomFrom(1))
  readonly router: Router
  readonly computer = this.network.newComputer(COMPUTER)
  readonly stranger = this.network.newComputer('192.168.1.99')
  /** How many datagrams and requests were sent by the library. */
  sent = 0
  /** How many of them went to all. */
  multicasts = 0
  readonly net

  constructor(quirks: readonly Quirk[] = []) {
    this.router = new Router(this.network, quirks)
    const { clock, interfaces, httpServers } = this.computer
    this.net = {
      clock,
      interfaces,
      httpServers,
      files: memoryFiles(),
      datagrams: this.computer.datagramsOf('library'),
      http: createHttpClient(clock, this.computer.exchangeOf('library')),
      defaultGateways: async (family: 4 | 6) => (family === 4 ? [ROUTER] : []),
      hardwareAddress: async (address: string) => `02:00:${address.split('.').join(':')}`,
    }
    this.network.onSent = ({ to }, by) => {
      if (by !== 'library') return
      this.sent++
      if (to.address.startsWith('239.')) this.multicasts++
    }
  }

  static async begin(quirks?: readonly Quirk[]): Promise<Home> {
    const home = new Home(quirks)
    await home.router.start()
    await home.pass(MINUTE_MS)
    return home
  }

  pass(ms: number): Promise<void> {
    return this.timeline.pass(ms)
  }

  get nowMs(): number {
    return this.timeline.nowMs
  }

  /** The external ports that are open for this computer, such as `80 TCP`. */
  get doors(): readonly string[] {
    return this.router.mappings
      .filter(({ internalClient }) => internalClient === COMPUTER)
      .map(({ externalPort, protocol }) => `${externalPort} ${protocol}`)
      .toSorted()
  }

  /** Waits for it, and says how long it took. */
  async during<T>(work: Promise<T>, withinMs: number): Promise<{ readonly value: T; readonly tookMs: number }> {
    const beganMs = this.nowMs
    let endedMs: number | undefined
    const noteEnd = (): void => {
      endedMs = this.nowMs
    }
    work.then(noteEnd, noteEnd)
    while (endedMs === undefined && this.nowMs < beganMs + withinMs) await this.pass(5)
    expect(endedMs, `ended within ${withinMs} ms`).toBeDefined()
    return { value: await work, tookMs: (endedMs ?? Number.NaN) - beganMs }
  }

  async open(port: number, options: PortOptions = {}, withinMs = 20_000): Promise<OpenPort> {
    return (await this.during(openPort(port, { net: this.net, ...options }), withinMs)).value
  }

  async openAll(ports: Parameters<typeof openPorts>[0], options: PortOptions = {}) {
    return (await this.during(openPorts(ports, { net: this.net, ...options }), 20_000)).value
  }

  async close(port: OpenPort) {
    return (await this.during(port.close(), 2000)).value
  }

  /** Nothing that could go on is left: no socket, no timer, and nothing more is sent. */
  async expectNothingLeft(): Promise<void> {
    await this.pass(2 * SECOND_MS) // unsubscribing from events
    expect(this.computer.openSockets).toEqual([])
    expect(this.computer.clock.pending).toBe(0)
    const { sent } = this
    await this.pass(3 * HOUR_MS)
    expect(this.sent).toBe(sent)
  }
}

/** What a port tells from now on. */
export function toldBy(port: OpenPort): string[] {
  const told: string[] = []
  port.onChange(({ type, endpoints }) => {
    told.push(`${type} ${endpoints.map(({ externalAddress, externalPort }) => `${externalAddress}:${externalPort}`)}`)
  })
  return told
}

/** A LAN with an IGD, a gateway of PCP and NAT-PMP and others, and the opening of whichever counts. */
import { expect } from 'vitest'
import '../../../src/client/search/candidate.ts' // a search loads it as it goes, in no time of a fake clock
import {
  type GatewayWishes,
  type Opened,
  type OpeningNet,
  openGateway,
} from '../../../src/client/search/open-gateway.ts'
import { memoryFiles, type PrivateFiles } from '../../../src/net/files/private-files.ts'
import type { InterfaceAddress } from '../../../src/net/interfaces.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { addressReply, announceReply, NAT_PMP_ONLY, PCP_ONLY } from '../../support/port-control-replies.ts'
import { IGD1, ScriptedDatagrams, ssdpReply } from '../../support/scripted-datagrams.ts'
import {
  answersOf,
  igdDescription,
  locationOf,
  type ScriptedDevice,
  TV_DESCRIPTION,
} from '../../support/scripted-devices.ts'
import { ScriptedHttp } from '../../support/scripted-http.ts'

const HOME = { name: 'eth0', address: '192.168.1.10', netmask: '255.255.255.0', loopback: false }

export const ROUTER: ScriptedDevice = { host: '192.168.1.1:5000' }
export const TV: ScriptedDevice = { host: '192.168.1.66:8080', description: { body: TV_DESCRIPTION } }
export const disconnected = (device: ScriptedDevice): ScriptedDevice => ({
  ...device,
  connections: { '/ctl/0': { status: 'Disconnected' } },
})
export const slow = (device: ScriptedDevice, afterMs: number): ScriptedDevice => ({
  ...device,
  description: { body: igdDescription(), afterMs },
})

/** When a protocol is answered, or refused. */
export interface PortControlTimes {
  readonly pcpAtMs?: number
  readonly natPmpAtMs?: number
  readonly pcpRefusedAtMs?: number
  readonly natPmpRefusedAtMs?: number
}

export interface Settings extends Partial<GatewayWishes>, Pick<OpeningNet, 'signal' | 'onIdle'> {
  readonly interfaces?: readonly InterfaceAddress[]
  readonly devices?: readonly ScriptedDevice[]
  readonly files?: PrivateFiles
  /** Of the router; a function may meet a defect. */
  readonly hardwareAddress?: string | (() => Promise<string>)
  readonly gateways?: readonly string[]
}

export function begin({ devices = [], interfaces = [HOME], gateways = ['192.168.1.1'], ...options }: Settings = {}) {
  const clock = new FakeClock()
  const datagrams = new ScriptedDatagrams(clock)
  const http = new ScriptedHttp(clock, answersOf(...devices))
  const opened: Opened[] = []
  const { signal, onIdle, files = memoryFiles(), hardwareAddress, ...wishes } = options
  const defaultGateways = (): Promise<readonly string[]> => Promise.resolve(gateways)
  const net = {
    clock,
    datagrams,
    http,
    interfaces: () => interfaces,
    defaultGateways,
    files,
    hardwareAddress: async () => (typeof hardwareAddress === 'function' ? hardwareAddress() : hardwareAddress),
    signal,
    onIdle,
  }
  const result = openGateway({ via: 'auto', minissdpdPath: '', ...wishes }, net)
  result.then(
    (each) => opened.push(each),
    () => {},
  )
  const own: (() => void)[] = []
  const until = async (atMs: number): Promise<void> => clock.advance(atMs - clock.monotonicMs())
  const replies = (times: PortControlTimes): [number | undefined, number, Uint8Array][] => [
    [times.pcpAtMs, 2, announceReply()],
    [times.natPmpAtMs, 0, addressReply()],
    [times.pcpRefusedAtMs, 2, NAT_PMP_ONLY],
    [times.natPmpRefusedAtMs, 0, PCP_ONLY],
  ]
  return {
    clock,
    datagrams,
    http,
    files,
    result,
    until,
    /** What is told comes at its time. */
    portControlAnswers(times: PortControlTimes): void {
      for (const [atMs, version, datagram] of replies(times)) {
        if (atMs === undefined) continue
        const deliver = (): void => {
          const at = datagrams.requests.findIndex(({ bytes }) => bytes[0] === version)
          datagrams.connections[at]?.deliver(datagram)
        }
        own.push(clock.schedule(atMs, deliver))
      }
    },
    /** The device answers the search then. */
    deviceAnswers(device: ScriptedDevice, atMs: number, ST: string = IGD1, searchedFrom = HOME.address): void {
      const [host = ''] = device.host.split(':')
      const deliver = (): void => datagrams.socket(searchedFrom).deliver(ssdpReply(locationOf(device), ST), host)
      own.push(clock.schedule(atMs, deliver))
    },
    get isOver(): boolean {
      return opened.length > 0
    },
    /** The result to the millisecond, and the proof that nothing is left behind. */
    async endsAt(atMs: number): Promise<Opened> {
      await until(atMs - 0.5)
      expect(opened, `open before ${atMs} ms`).toEqual([])
      await until(atMs)
      await settle()
      for (const cancel of own) cancel()
      const [found] = opened
      if (found === undefined) throw new Error(`not open at ${atMs} ms`)
      expect([clock.pending, datagrams.openCount, http.waiting], 'timers, sockets, requests left').toEqual([0, 0, 0])
      return found
    },
  }
}

/** What is gone on with, or would be. */
export function chosen({ found, best }: Opened): string {
  return found === undefined || found.protocol === 'igd' ? (best?.kind ?? 'none') : found.protocol
}

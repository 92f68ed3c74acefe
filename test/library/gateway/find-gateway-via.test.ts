import '../../../src/client/search/candidate.ts' // loaded late there, which no fake clock knows
import { describe, expect, it } from 'vitest'
import { NoGatewayError, NoReplyError } from '../../../src/domain/errors.ts'
import { findGateway } from '../../../src/library/gateway/find-gateway.ts'
import type { FindGatewayOptions } from '../../../src/library/gateway/find-gateway-options.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import { failureOf, REQUEST } from '../../client/port-control/gateway-asked.ts'
import {
  addressReply,
  announceReply,
  answering,
  mapReply,
  NAT_PMP_ONLY,
  natPmpMapReply,
  PCP_ONLY,
  type PortControlAnswering,
} from '../../support/port-control-replies.ts'
import { ssdpReply } from '../../support/scripted-datagrams.ts'
import { answersOf, locationOf, type ScriptedDevice } from '../../support/scripted-devices.ts'
import { ScriptedHttp } from '../../support/scripted-http.ts'

const WIRED = { name: 'eth0', address: '192.168.1.10', netmask: '255.255.255.0', loopback: false }
const ROUTER: ScriptedDevice = { host: '192.168.1.1:5000' }

const WANTED = { ...REQUEST, lease: 3600 }
const isMap = (request: Uint8Array): boolean => request.length > 24
/** A gateway of one protocol, which refuses the other. */
const speaksPcp: PortControlAnswering = (request) => {
  if (request[0] === 0) return PCP_ONLY
  return isMap(request) ? mapReply(request) : announceReply()
}
const speaksNatPmp: PortControlAnswering = (request) => {
  if (request[0] === 2) return NAT_PMP_ONLY
  return request.length > 2 ? natPmpMapReply(request) : addressReply()
}
const refusesAll: PortControlAnswering = (request) => (request[0] === 2 ? NAT_PMP_ONLY : PCP_ONLY)

function lan(answer: PortControlAnswering, ...devices: readonly ScriptedDevice[]) {
  const { clock, datagrams } = answering(answer)
  const http = new ScriptedHttp(clock, answersOf(...devices))
  datagrams.onSend = ({ to, ST }, socket) => {
    if (!to.startsWith('239.')) return
    for (const device of devices) socket.deliver(ssdpReply(locationOf(device), ST), device.host.split(':')[0] ?? '')
  }
  const families: number[] = []
  const defaultGateways = (family: 4 | 6): Promise<string[]> => {
    families.push(family)
    return Promise.resolve(['192.168.1.1'])
  }
  return { clock, datagrams, http, interfaces: () => [WIRED], defaultGateways, families }
}

/** Finds it within the time, and leaves nothing behind. */
async function find(net: ReturnType<typeof lan>, options: FindGatewayOptions, afterMs: number, files = memoryFiles()) {
  const whole = { ...net, files }
  const found = findGateway({ ...options, net: whole })
  found.catch(() => {})
  await net.clock.advance(afterMs)
  expect([net.clock.pending, net.datagrams.openCount]).toEqual([0, 0])
  return found
}

describe('findGateway in any protocol', () => {
  it('finds the IGD where there is one', async () => {
    const net = lan(speaksPcp, ROUTER)
    expect(await find(net, {}, 0)).toMatchObject({ protocol: 'igd' })
    expect(net.families).toEqual([4])
  })

  it.each([
    ['pcp', speaksPcp],
    ['nat-pmp', speaksNatPmp],
  ])('finds a gateway of %s where there is no IGD, and maps with it', async (protocol, answer) => {
    const net = lan(answer)
    const gateway = await find(net, {}, 1550)
    expect(gateway).toMatchObject({ protocol, address: '192.168.1.1', port: 5351, localAddress: '192.168.1.10' })
    expect(await gateway.map(WANTED)).toMatchObject({ externalPort: 8080, leaseSeconds: 3600 })
    expect(await gateway.externalAddress()).toBe('11.22.33.44')
    await gateway.unmap(REQUEST)
    expect([net.clock.pending, net.datagrams.openCount]).toEqual([0, 0])
  })

  it('says why there is none', async () => {
    const failure = await failureOf(find(lan(refusesAll), {}, 4000))
    expect(failure).toBeInstanceOf(NoGatewayError)
    expect(String(failure)).toContain('searched 4.0 s on eth0 (192.168.1.10); the router at 192.168.1.1 did not answer')
    expect(String(failure)).toContain('192.168.1.1 answers PCP with 1 (UNSUPP_VERSION')
    expect(String(failure)).toContain('192.168.1.1 answers NAT-PMP with 1 (Unsupported Version)')
  })
})

describe('findGateway in one protocol', () => {
  it.each([
    ['pcp', speaksPcp],
    ['nat-pmp', speaksNatPmp],
  ] as const)('over %s asks the gateway that is named, at once, and no IGD', async (via, answer) => {
    const net = lan(answer, ROUTER)
    const gateway = await find(net, { via, router: '10.0.0.138:15351' }, 0)
    expect(gateway).toMatchObject({ protocol: via, address: '10.0.0.138', port: 15_351 })
    expect([net.datagrams.sockets, net.http.seen]).toEqual([[], []])
  })

  it('deletes from another process what one has mapped over PCP', async () => {
    const files = memoryFiles()
    const net = lan(speaksPcp)
    await (await find(net, { via: 'pcp' }, 0, files)).map(WANTED)
    const outside = { externalPort: 8080, protocol: 'TCP', remoteHost: '' } as const
    await (await find(net, { via: 'pcp' }, 0, files)).unmap(outside)
    const nonces = net.datagrams.requests.filter(({ bytes }) => isMap(bytes)).map(({ bytes }) => bytes.subarray(24, 36))
    expect(nonces).toHaveLength(2)
    expect(nonces[1]).toEqual(nonces[0])
  })

  it.each([
    ['pcp', speaksPcp],
    ['nat-pmp', speaksNatPmp],
  ] as const)('over %s ends one call with its time or its signal, and no other', async (via, answer) => {
    let isSilent = false
    const net = lan((...asked) => (isSilent ? undefined : answer(...asked)))
    const gateway = await find(net, { via }, 0)
    isSilent = true
    const caller = new AbortController()
    const late = failureOf(gateway.map(WANTED, { timeoutMs: 300 }))
    const ended = failureOf(gateway.map(WANTED, { signal: caller.signal }))
    await net.clock.advance(200)
    caller.abort('enough')
    expect(await ended).toBe('enough')
    await net.clock.advance(100)
    expect(await late).toBeInstanceOf(NoReplyError)
    expect(await late).toMatchObject({ gateway: { protocol: via, address: '192.168.1.1' } })
    expect([net.clock.pending, net.datagrams.openCount]).toEqual([0, 0])
    isSilent = false
    expect(await gateway.map(WANTED)).toMatchObject({ externalPort: 8080 })
  })

  it('says why there is none', async () => {
    const failure = await failureOf(find(lan(speaksPcp), { via: 'nat-pmp' }, 0))
    expect(failure).toBeInstanceOf(NoGatewayError)
    expect(String(failure)).toContain('192.168.1.1 answers NAT-PMP with 1 (Unsupported Version)')
  })

  it('over IGD never asks on port 5351', async () => {
    const net = lan(speaksPcp, ROUTER)
    await find(net, { via: 'igd' }, 0)
    expect(net.datagrams.connections).toEqual([])
  })
})

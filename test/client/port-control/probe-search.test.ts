import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { PortControlProtocol } from '../../../src/client/port-control/probe.ts'
import { MAX_PROBED_GATEWAYS, searchPortControl } from '../../../src/client/port-control/probe.ts'
import type { Endpoint } from '../../../src/net/datagrams.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { hexOf } from '../../support/hex-bytes.ts'
import { addressReply, announceReply, NAT_PMP_ONLY, PCP_ONLY } from '../../support/port-control-replies.ts'
import { ScriptedDatagrams, type ScriptedPeer } from '../../support/scripted-datagrams.ts'

const ONE = { address: '192.168.1.1', port: 5351 }
const TWO = { address: '192.168.1.2', port: 5351 }

interface Settings {
  readonly endpoints?: readonly Endpoint[] | Promise<readonly Endpoint[]>
  readonly protocols?: readonly PortControlProtocol[]
  readonly signal?: AbortSignal
  readonly prepare?: (datagrams: ScriptedDatagrams) => void
}

async function begin({ endpoints = [ONE], protocols = ['pcp', 'nat-pmp'], signal, prepare }: Settings = {}) {
  const clock = new FakeClock()
  const datagrams = new ScriptedDatagrams(clock)
  prepare?.(datagrams)
  const net = { clock, datagrams, signal }
  const onSent = (): boolean => (state.sent = true)
  const search = searchPortControl({ net, endpoints: Promise.resolve(endpoints), protocols, timeoutMs: 4000, onSent })
  const state = { first: false, sent: false, finished: false }
  search.first.then(() => (state.first = true))
  search.finished.then(
    () => (state.finished = true),
    () => (state.finished = true),
  )
  await settle()
  const peer = (protocol: PortControlProtocol, { address }: Endpoint): ScriptedPeer => {
    const at = datagrams.requests.findIndex(
      ({ to, bytes }) => to.startsWith(`${address}:`) && (bytes[0] === 2) === (protocol === 'pcp'),
    )
    const found = datagrams.connections[at]
    if (found === undefined) throw new Error(`${address} was not asked in ${protocol}`)
    return found
  }
  return {
    clock,
    datagrams,
    search,
    state,
    peer,
    async reply(protocol: PortControlProtocol, from: Endpoint, datagram: Uint8Array): Promise<void> {
      peer(protocol, from).deliver(datagram)
      await settle()
    },
    async nothingLeft(): Promise<void> {
      await settle()
      expect([clock.pending, datagrams.openCount, state.finished]).toEqual([0, 0, true])
    },
  }
}

const questions = ({ requests }: ScriptedDatagrams): string[] =>
  requests.map(({ atMs, to, bytes }) => `${atMs} ${to} ${hexOf(bytes.subarray(0, 2))}`)

describe('whom a search for PCP and NAT-PMP asks', () => {
  it('is every gateway, in both protocols, at the same moment, each by a socket of its own', async () => {
    const { datagrams, state } = await begin({ endpoints: [ONE, TWO] })
    expect(questions(datagrams)).toEqual([
      '0 192.168.1.1:5351 0200',
      '0 192.168.1.1:5351 0000',
      '0 192.168.1.2:5351 0200',
      '0 192.168.1.2:5351 0000',
    ])
    expect([datagrams.openCount, state.sent]).toEqual([4, true])
  })

  it('is nobody over IPv6 in NAT-PMP', async () => {
    const endpoints = [{ address: 'fe80::1%eth0', port: 5351 }, ONE]
    const { datagrams } = await begin({ endpoints, protocols: ['nat-pmp'] })
    expect(questions(datagrams)).toEqual(['0 192.168.1.1:5351 0000'])
    const both = await begin({ endpoints })
    expect(questions(both.datagrams)[0]).toBe('0 fe80::1%eth0:5351 0200')
    expect(both.datagrams.requests).toHaveLength(3)
  })

  it('is the first four of many', async () => {
    const endpoints = Array.from({ length: 8 }, (_, at) => ({ address: `192.168.${at}.1`, port: 5351 }))
    const { datagrams } = await begin({ endpoints })
    expect(new Set(datagrams.requests.map(({ to }) => to)).size).toBe(MAX_PROBED_GATEWAYS)
    expect(datagrams.requests.at(-1)?.to).toBe('192.168.3.1:5351')
  })

  it('is known as soon as the routing table is read, and not before', async () => {
    let tell: (endpoints: readonly Endpoint[]) => void = () => {}
    const begun = await begin({ endpoints: new Promise<readonly Endpoint[]>((resolve) => (tell = resolve)) })
    await begun.clock.advance(40)
    expect([begun.datagrams.requests, begun.state.sent]).toEqual([[], false])
    tell([ONE])
    await settle()
    expect(questions(begun.datagrams)).toEqual(['40 192.168.1.1:5351 0200', '40 192.168.1.1:5351 0000'])
    expect(begun.state.sent).toBe(true)
  })

  it.each([
    ['there is no gateway', () => Promise.resolve<Endpoint[]>([])],
    ['the gateways cannot be known', () => Promise.reject<Endpoint[]>(new Error('no routing table'))],
  ])('is nobody where %s', async (_name, endpoints) => {
    const begun = await begin({ endpoints: endpoints() })
    expect(await begun.search.first).toBeUndefined()
    expect([begun.state.sent, begun.search.best()]).toEqual([true, undefined])
    await begun.nothingLeft()
  })

  it('is still told to be asked where a gateway cannot be reached, or one socket is late', async () => {
    let release = (): void => {}
    const begun = await begin({
      endpoints: [ONE, TWO],
      prepare(datagrams) {
        datagrams.refuse(ONE.address)
        release = datagrams.hold(TWO.address)
      },
    })
    expect([begun.datagrams.requests.length, begun.state.sent]).toEqual([0, false])
    release()
    await settle()
    expect([begun.datagrams.requests.length, begun.state.sent]).toEqual([2, true])
    expect(begun.search.refusals).toHaveLength(2)
  })
})

describe('what a search for PCP and NAT-PMP finds', () => {
  it('is the first answer, while it goes on listening for better ones', async () => {
    const begun = await begin()
    await begun.clock.advance(10)
    await begun.reply('nat-pmp', ONE, addressReply())
    expect(await begun.search.first).toMatchObject({ protocol: 'nat-pmp', endpoint: ONE })
    expect(begun.search.best()).toMatchObject({ protocol: 'nat-pmp' })
    await begun.reply('pcp', ONE, announceReply())
    expect(begun.search.best()).toMatchObject({ protocol: 'pcp', endpoint: ONE, externalAddress: '11.22.33.44' })
    await begun.nothingLeft()
  })

  it('is PCP of the second gateway before NAT-PMP of the first, without the address of the first', async () => {
    const begun = await begin({ endpoints: [ONE, TWO] })
    await begun.reply('nat-pmp', ONE, addressReply())
    await begun.reply('pcp', TWO, announceReply())
    expect(begun.search.best()).toMatchObject({ protocol: 'pcp', endpoint: TWO, externalAddress: undefined })
    begun.search.stop()
    await settle()
    await begun.nothingLeft()
  })

  it.each(['pcp', 'nat-pmp'] as const)('is the preferred gateway of two that speak %s', async (protocol) => {
    const begun = await begin({ endpoints: [ONE, TWO], protocols: [protocol] })
    const reply = protocol === 'pcp' ? announceReply() : addressReply()
    await begun.reply(protocol, TWO, reply)
    await begun.reply(protocol, ONE, reply)
    expect(await begun.search.first).toMatchObject({ endpoint: TWO })
    expect(begun.search.best()).toMatchObject({ endpoint: ONE })
    await begun.nothingLeft()
  })

  it('is nothing as soon as everybody has said no', async () => {
    const begun = await begin({ endpoints: [ONE, TWO] })
    await begun.reply('pcp', ONE, NAT_PMP_ONLY)
    await begun.reply('nat-pmp', ONE, PCP_ONLY)
    begun.peer('pcp', TWO).fail()
    await settle()
    expect(begun.state.first).toBe(false)
    begun.peer('nat-pmp', TWO).fail()
    expect(await begun.search.first).toBeUndefined()
    const refusals = begun.search.refusals.map(({ protocol, endpoint, error }) => [
      protocol,
      endpoint.address,
      error.code,
    ])
    expect(refusals).toEqual([
      ['pcp', '192.168.1.1', 'REFUSED'],
      ['nat-pmp', '192.168.1.1', 'REFUSED'],
      ['pcp', '192.168.1.2', 'TRANSPORT'],
      ['nat-pmp', '192.168.1.2', 'TRANSPORT'],
    ])
    await begun.nothingLeft()
  })

  it('is nothing after the time that everybody has', async () => {
    const begun = await begin()
    await begun.clock.advance(3999)
    expect(begun.state.first).toBe(false)
    await begun.clock.advance(1)
    expect(await begun.search.first).toBeUndefined()
    expect(begun.search.refusals.map(({ error }) => error.code)).toEqual(['NO_REPLY', 'NO_REPLY'])
    await begun.nothingLeft()
  })
})

describe('how a search for PCP and NAT-PMP ends otherwise', () => {
  it('can be stopped; nobody is then said to have refused', async () => {
    const begun = await begin({ endpoints: [ONE, TWO] })
    begun.search.stop()
    expect(await begun.search.first).toBeUndefined()
    expect(begun.search.refusals).toEqual([])
    await begun.nothingLeft()
    begun.search.stop()
  })

  it('can be stopped before the gateways are known, and then asks nobody', async () => {
    let tell: (endpoints: readonly Endpoint[]) => void = () => {}
    const begun = await begin({ endpoints: new Promise<readonly Endpoint[]>((resolve) => (tell = resolve)) })
    begun.search.stop()
    tell([ONE])
    await begun.search.finished
    expect([begun.datagrams.connections, begun.state.sent]).toEqual([[], false])
    await begun.nothingLeft()
  })

  it('ends with the signal, given before or meanwhile, and lets go of it', async () => {
    const given = await begin({ signal: AbortSignal.abort() })
    expect(given.datagrams.connections).toEqual([])
    await given.nothingLeft()

    const controller = new AbortController()
    const begun = await begin({ signal: controller.signal })
    controller.abort(new Error('enough'))
    expect(await begun.search.first).toBeUndefined()
    expect(begun.search.refusals).toEqual([])
    await begun.nothingLeft()
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
  })

  it('tells of a defect to who waits for the end', async () => {
    const defect = new TypeError('x is undefined')
    const begun = await begin({
      prepare(datagrams) {
        datagrams.connect = () => Promise.reject(defect)
      },
    })
    await expect(begun.search.finished).rejects.toBe(defect)
    expect(begun.search.refusals).toEqual([])
  })
})

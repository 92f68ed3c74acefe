import { describe, expect, it } from 'vitest'
import { type PortControlAnswer, probeNatPmp, probePcp } from '../../../src/client/port-control/probe.ts'
import { RefusedError } from '../../../src/domain/errors.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { bytesOf, hexOf } from '../../support/hex-bytes.ts'
import { addressReply, announceReply, mapReply, NAT_PMP_ONLY, PCP_ONLY } from '../../support/port-control-replies.ts'
import { ScriptedDatagrams } from '../../support/scripted-datagrams.ts'

const IPV4 = { address: '192.168.1.1', port: 5351 }
const ANNOUNCE = '02000000 00000000 00000000000000000000ffffc0a8010a'
const NO_NONCE = '000000000000000000000000'

interface Settings {
  readonly endpoint?: { readonly address: string; readonly port: number }
  readonly localAddress?: string
  readonly random?: number
}

/** A probe that has sent its first datagram. */
async function begin(probe: typeof probePcp, { endpoint = IPV4, localAddress, random = 0.5 }: Settings = {}) {
  const clock = new FakeClock()
  const datagrams = new ScriptedDatagrams(clock)
  const outcomes: (PortControlAnswer | unknown)[] = []
  const tell = (outcome: unknown): void => void outcomes.push(outcome)
  const net = { clock, datagrams }
  probe({ net, endpoint, localAddress, timeoutMs: 4000, random: () => random }).then(tell, tell)
  await settle()
  return {
    clock,
    datagrams,
    outcomes,
    async reply(hex: string | Uint8Array): Promise<void> {
      datagrams.connection().deliver(typeof hex === 'string' ? bytesOf(hex) : hex)
      await settle()
    },
    /** The answer, or the error; nothing is left. */
    ended(): unknown {
      expect([outcomes.length, clock.pending, datagrams.openCount]).toEqual([1, 0, 0])
      return outcomes[0]
    },
  }
}

describe('a probe for PCP', () => {
  it('asks with ANNOUNCE, byte for byte, and learns the epoch and its own address', async () => {
    const probe = await begin(probePcp)
    expect(probe.datagrams.requests).toEqual([
      { atMs: 0, from: '192.168.1.10', to: '192.168.1.1:5351', bytes: bytesOf(ANNOUNCE) },
    ])
    await probe.reply('02800000 00000000 00000e10 000000000000000000000000')
    expect(probe.ended()).toEqual({
      protocol: 'pcp',
      endpoint: IPV4,
      localAddress: '192.168.1.10',
      epochSeconds: 3600,
      externalAddress: undefined,
    })
  })

  it('asks from a link-local address without its zone in the message', async () => {
    const endpoint = { address: 'fe80::1%eth0', port: 5351 }
    const probe = await begin(probePcp, { endpoint, localAddress: 'fe80::5%eth0' })
    const sent = hexOf(probe.datagrams.requests[0]?.bytes ?? new Uint8Array())
    expect(sent).toBe(`0200000000000000fe80${'0'.repeat(24)}0005`)
    await probe.reply(announceReply(7))
    expect(probe.ended()).toMatchObject({ endpoint, localAddress: 'fe80::5%eth0', epochSeconds: 7 })
  })

  it.each([
    [0, [0, 225, 630, 1359, 2671.2]],
    [0.5, [0, 250, 750, 1750, 3750]],
    [1, [0, 275, 880, 2211]],
  ])('is resent with random %s at %j ms, until 4 s are over', async (random, expected) => {
    const probe = await begin(probePcp, { random })
    await probe.clock.advance(3999)
    expect(probe.outcomes).toEqual([])
    const times = probe.datagrams.requests.map(({ atMs }) => Math.round(atMs * 1000) / 1000)
    expect(times).toEqual(expected)
    await probe.clock.advance(1)
    expect(probe.ended()).toMatchObject({ code: 'NO_REPLY', action: 'ANNOUNCE' })
  })

  it.each([
    ['does not know ANNOUNCE', 4],
    ['takes ANNOUNCE for malformed', 3],
  ])('is answered by a server that %s', async (_name, resultCode) => {
    const probe = await begin(probePcp)
    await probe.reply(announceReply(90, resultCode))
    expect(probe.ended()).toMatchObject({ protocol: 'pcp', epochSeconds: 90 })
  })

  it.each([
    ['in 8 bytes', NAT_PMP_ONLY],
    ['in 8 bytes with the opcode as RFC 6886 3.5 prints it', '00000001 00000000'],
    ['in the 12 bytes of an address', '00800001 00000e10 00000000'],
    ['in the 16 bytes of a mapping', '00800001 00000e10 00000000 00000000'],
  ])('ends with the answer of a gateway of NAT-PMP alone, %s', async (_name, reply) => {
    const probe = await begin(probePcp)
    await probe.reply(reply)
    expect(probe.ended()).toBeInstanceOf(RefusedError)
    expect(probe.ended()).toMatchObject({ protocol: 'pcp', number: 1, action: 'ANNOUNCE' })
    expect(String(probe.ended())).toContain('UNSUPP_VERSION: it speaks version 0, not 2')
    expect(probe.datagrams.requests).toHaveLength(1)
  })

  it.each([
    ['that does not know our version', announceReply(1, 1), 1],
    ['that authorizes nobody', announceReply(1, 2), 2],
    ['behind another NAT', announceReply(1, 12), 12],
    ['that wants to be authenticated with', announceReply(1, 15), 15],
    ['with a result that has no name', announceReply(1, 200), 200],
  ])('is refused by a server %s', async (_name, reply, number) => {
    const probe = await begin(probePcp)
    await probe.reply(reply)
    expect(probe.ended()).toMatchObject({ code: 'REFUSED', protocol: 'pcp', number })
  })

  it('listens past what is no answer to it, and hears the answer behind that', async () => {
    const probe = await begin(probePcp)
    const map = `02010000 00001c20 00000000000000000000ffffc0a8010a ${NO_NONCE} 06000000 1f90 1f90 ${'0'.repeat(32)}`
    const passedOver = [
      ANNOUNCE, // our own, echoed
      '0000', // NAT-PMP's question
      '',
      '02',
      '028000', // a beginning
      '02800000 00000000 00000e10 0000000000000000', // 20 bytes
      '02800000 00000000 00000e10 00000000000000000000000000', // 25 bytes
      mapReply(bytesOf(map)), // of a mapping
      '02810004 00000000 00000e10 000000000000000000000000', // an error about MAP
      '00810001 00000e10', // of NAT-PMP, about a mapping
    ]
    for (const each of passedOver) await probe.reply(each)
    expect(probe.outcomes).toEqual([])
    await probe.reply(announceReply())
    expect(probe.ended()).toMatchObject({ protocol: 'pcp' })
  })
})

describe('a probe for NAT-PMP', () => {
  it('asks for the external address, byte for byte, and learns it', async () => {
    const probe = await begin(probeNatPmp)
    expect(probe.datagrams.requests.map(({ to, bytes }) => [to, hexOf(bytes)])).toEqual([['192.168.1.1:5351', '0000']])
    await probe.reply('00800000 00000e10 0b16212c')
    expect(probe.ended()).toEqual({
      protocol: 'nat-pmp',
      endpoint: IPV4,
      localAddress: '192.168.1.10',
      epochSeconds: 3600,
      externalAddress: '11.22.33.44',
    })
  })

  it('is resent at 250, 750, 1750 and 3750 ms, until 4 s are over', async () => {
    const probe = await begin(probeNatPmp)
    await probe.clock.advance(3999)
    expect(probe.datagrams.requests.map(({ atMs }) => atMs)).toEqual([0, 250, 750, 1750, 3750])
    await probe.clock.advance(1)
    expect(probe.ended()).toMatchObject({ code: 'NO_REPLY', action: 'external address request' })
  })

  it.each([
    ['has no address now', '00800003 00000e10'],
    ['has no address now, and says so in 12 bytes', '00800003 00000e10 00000000'],
    ['does not know that question', '00800005 00000e10'],
    ['is out of resources', '00800004 00000e10'],
  ])('is answered by a gateway that %s: it may map all the same', async (_name, reply) => {
    const probe = await begin(probeNatPmp)
    await probe.reply(reply)
    expect(probe.ended()).toMatchObject({ protocol: 'nat-pmp', epochSeconds: 3600, externalAddress: undefined })
  })

  it.each([
    ['a server of PCP alone', PCP_ONLY, 1],
    ['a server of PCP alone, about another opcode', '02810001 00000000 00000e10 000000000000000000000000', 1],
    ['a gateway of another version', '00800001 00000e10', 1],
    ['a gateway of another version, as RFC 6886 3.5 prints it', '00000001 00000e10', 1],
    ['a gateway that allows nobody', '00800002 00000e10', 2],
  ])('is refused by %s', async (_name, reply, number) => {
    const probe = await begin(probeNatPmp)
    await probe.reply(reply)
    expect(probe.ended()).toBeInstanceOf(RefusedError)
    expect(probe.ended()).toMatchObject({ protocol: 'nat-pmp', number })
    expect(probe.datagrams.requests).toHaveLength(1)
  })

  it('listens past what is no answer to it, and hears the answer behind that', async () => {
    const probe = await begin(probeNatPmp)
    const passedOver = [
      '0000', // our own, echoed
      ANNOUNCE,
      announceReply(),
      '',
      '00',
      '0080',
      '00800000 00000e10', // without the address
      '00810000 00000e10 1f901f90 00001c20', // of a mapping
      '00820002 00000e10',
      '02000001', // a request of PCP
    ]
    for (const each of passedOver) await probe.reply(each)
    expect(probe.outcomes).toEqual([])
    await probe.reply(addressReply('11.22.33.45'))
    expect(probe.ended()).toMatchObject({ externalAddress: '11.22.33.45' })
  })
})

describe('a probe of a port that nobody listens on', () => {
  it.each([
    ['PCP', probePcp],
    ['NAT-PMP', probeNatPmp],
  ])('for %s ends at once', async (_name, kind) => {
    const probe = await begin(kind)
    probe.datagrams.connection().fail()
    await settle()
    expect(probe.ended()).toMatchObject({
      code: 'TRANSPORT',
      message: expect.stringContaining('nothing listens there'),
    })
  })
})

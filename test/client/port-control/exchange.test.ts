import { describe, expect, it, vi } from 'vitest'
import { natPmpWaits, pcpWaits } from '../../../src/client/port-control/exchange.ts'
import { NoReplyError, RefusedError } from '../../../src/domain/errors.ts'
import { begin, bytesOf, isRunning } from './exchanging.ts'

describe('an exchange sends', () => {
  it('at 0, 250, 750, 1750 ms and so on, nine times over NAT-PMP, the same bytes from one socket', async () => {
    const exchanged = await begin({ waits: natPmpWaits(), timeoutMs: 200_000 })
    await exchanged.clock.advance(199_999)
    expect(exchanged.sentAtMs).toEqual([0, 250, 750, 1750, 3750, 7750, 15_750, 31_750, 63_750])
    expect(exchanged.datagrams.connections).toHaveLength(1)
    for (const { to, bytes } of exchanged.datagrams.requests) {
      expect([to, new TextDecoder().decode(bytes)]).toEqual(['192.168.1.1:5351', 'hello'])
    }
    expect(isRunning(exchanged)).toBe(true) // still listens
  })

  it.each([
    [0, [0, 225, 630, 1359, 2671.2]],
    [0.5, [0, 250, 750, 1750, 3750]],
    [1, [0, 275, 880, 2211, 5139.2]],
  ])('over PCP with random %s at %j ms', async (random, expected) => {
    const exchanged = await begin({ waits: pcpWaits(() => random), timeoutMs: 100_000 })
    for (const [at, atMs] of expected.entries()) {
      if (at === 0) continue
      await exchanged.clock.advance(atMs - exchanged.clock.monotonicMs() - 0.01)
      expect(exchanged.sentAtMs).toHaveLength(at)
      await exchanged.clock.advance(0.02)
      expect(exchanged.sentAtMs).toHaveLength(at + 1)
      expect(exchanged.sentAtMs[at]).toBeCloseTo(atMs, 6)
    }
  })

  it('until its time is over: 7750 ms are five sendings', async () => {
    const exchanged = await begin({ timeoutMs: 7750 })
    await exchanged.clock.advance(7750)
    expect(exchanged.sentAtMs).toEqual([0, 250, 750, 1750, 3750])
    expect(await exchanged.ended()).toMatchObject({ error: expect.any(NoReplyError) })
  })

  it('nothing where there are no waits, and listens all the same', async () => {
    const exchanged = await begin({ waits: [], timeoutMs: 1000 })
    await exchanged.clock.advance(999)
    expect(exchanged.sentAtMs).toEqual([])
    await exchanged.reply('yes')
    expect(await exchanged.ended()).toEqual({ value: 'yes' })
  })

  it('from the address that it is told, and encodes and accepts knowing which it is', async () => {
    const encode = vi.fn(() => bytesOf('hello'))
    const accept = vi.fn((_: Uint8Array, local: string) => local)
    const exchanged = await begin({ localAddress: '192.168.1.77', encode, accept })
    await exchanged.clock.advance(750)
    await exchanged.reply('yes')
    expect(encode.mock.calls).toEqual([['192.168.1.77']]) // once, however often it is sent
    expect(await exchanged.ended()).toEqual({ value: '192.168.1.77' })
    expect(exchanged.datagrams.requests.map(({ from }) => from)).toEqual(Array(3).fill('192.168.1.77'))
  })

  it('and tells that the first one is on its way, once', async () => {
    const onSent = vi.fn()
    const exchanged = await begin({ onSent })
    expect(onSent).toHaveBeenCalledTimes(1)
    await exchanged.clock.advance(7750)
    expect(onSent).toHaveBeenCalledTimes(1)
  })
})

describe('an exchange ends', () => {
  it('in the moment in which the reply comes, with no timer and no socket left', async () => {
    const exchanged = await begin()
    await exchanged.clock.advance(251)
    await exchanged.reply('yes')
    expect(exchanged.sentAtMs).toEqual([0, 250])
    expect(await exchanged.ended()).toEqual({ value: 'yes' })
    expect(exchanged.datagrams.connection().closedTimes).toBe(1)
  })

  it('with a reply that comes before the sending is done with', async () => {
    const exchanged = await begin({
      datagrams: (datagrams) => {
        datagrams.onRequest = (_request, peer) => peer.deliver(bytesOf('yes'))
      },
    })
    expect(exchanged.sentAtMs).toEqual([0])
    expect(await exchanged.ended()).toEqual({ value: 'yes' })
  })

  it('with a reply at the last moment', async () => {
    const exchanged = await begin({ timeoutMs: 7750 })
    await exchanged.clock.advance(7749)
    expect(isRunning(exchanged)).toBe(true)
    await exchanged.reply('yes')
    expect(await exchanged.ended()).toEqual({ value: 'yes' })
  })

  it('with a reply in the very moment of the deadline, where it was first', async () => {
    const exchanged = await begin({ timeoutMs: 1000 })
    await exchanged.clock.advance(999)
    exchanged.datagrams.connection().deliver(bytesOf('yes'))
    await exchanged.clock.advance(1)
    expect(await exchanged.ended()).toEqual({ value: 'yes' })
  })

  it('without a reply after its time, to the millisecond, and says whom it has asked for what', async () => {
    const exchanged = await begin({ timeoutMs: 7750 })
    await exchanged.clock.advance(7749.9)
    expect(isRunning(exchanged)).toBe(true)
    await exchanged.clock.advance(0.1)
    const message = 'GREET: 192.168.1.1:5351 did not answer within 7.75 s'
    expect(await exchanged.ended()).toMatchObject({ error: { code: 'NO_REPLY', action: 'GREET', message } })
  })

  it('for good: a reply after the deadline changes nothing', async () => {
    const exchanged = await begin({ timeoutMs: 1000 })
    await exchanged.clock.advance(1000)
    exchanged.datagrams.connection().deliverLate(bytesOf('yes'))
    exchanged.datagrams.connection().deliverLate(bytesOf('no'))
    expect(await exchanged.ended()).toMatchObject({ error: { code: 'NO_REPLY' } })
  })

  it('with the first of two replies, also where they come in one turn', async () => {
    const exchanged = await begin()
    for (const text of ['yes, the first', 'yes, the second', 'no']) {
      exchanged.datagrams.connection().deliver(bytesOf(text))
    }
    await exchanged.clock.advance(0)
    expect(await exchanged.ended()).toEqual({ value: 'yes, the first' })
  })

  it('with a refusal at once', async () => {
    const exchanged = await begin()
    await exchanged.reply('no')
    expect(await exchanged.ended()).toMatchObject({ error: expect.any(RefusedError) })
    expect(exchanged.sentAtMs).toEqual([0])
  })

  it('with a defect in what writes the request, and closes the socket', async () => {
    const defect = new TypeError('y is undefined')
    const exchanged = await begin({
      encode: () => {
        throw defect
      },
    })
    expect(await exchanged.ended()).toEqual({ error: defect })
    expect(exchanged.datagrams.connections).toHaveLength(1)
  })
})

describe('an exchange listens past', () => {
  it.each([
    ['junk', 'junk'],
    ['an empty datagram', ''],
    ['the reply to another request', 'other'],
  ])('%s, and goes on sending', async (_name, text) => {
    const exchanged = await begin()
    await exchanged.reply(text)
    await exchanged.clock.advance(250)
    expect([isRunning(exchanged), exchanged.sentAtMs]).toEqual([true, [0, 250]])
    await exchanged.reply('yes')
    expect(await exchanged.ended()).toEqual({ value: 'yes' })
  })

  it('a datagram whose reading meets a defect, and leaves the defect to the socket', async () => {
    const exchanged = await begin()
    expect(() => exchanged.datagrams.connection().deliver(bytesOf('defect'))).toThrow('x is undefined')
    await exchanged.reply('yes')
    expect(await exchanged.ended()).toEqual({ value: 'yes' })
  })

  it('10 000 datagrams of junk, sending no more for it, and hears the reply behind them', async () => {
    const exchanged = await begin()
    for (let count = 0; count < 10_000; count++) {
      exchanged.datagrams.connection().deliver(bytesOf(count % 2 === 0 ? `junk ${count}` : `other ${count}`))
    }
    expect([exchanged.sentAtMs.length, exchanged.clock.pending]).toEqual([1, 2])
    await exchanged.reply('yes')
    expect(await exchanged.ended()).toEqual({ value: 'yes' })
  })

  it('junk without an end, but not for ever', async () => {
    const exchanged = await begin({ timeoutMs: 1000 })
    for (let step = 0; step < 100; step++) {
      await exchanged.reply('junk')
      await exchanged.clock.advance(10)
    }
    expect(await exchanged.ended()).toMatchObject({ error: { code: 'NO_REPLY' } })
    expect(exchanged.sentAtMs).toEqual([0, 250, 750])
  })
})

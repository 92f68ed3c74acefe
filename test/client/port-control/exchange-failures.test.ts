import { getEventListeners } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { TransportError } from '../../../src/domain/errors.ts'
import { settle } from '../../support/fake-clock.ts'
import { begin, bytesOf, GATEWAY, isRunning } from './exchanging.ts'

describe('an exchange with a port that is refused', () => {
  it('ends at once, without sending again', async () => {
    const exchanged = await begin()
    exchanged.datagrams.connection().fail('ECONNREFUSED')
    await settle()
    const message = 'GREET: UDP port 5351 of 192.168.1.1: nothing listens there'
    expect(await exchanged.ended()).toMatchObject({
      error: { code: 'TRANSPORT', action: 'GREET', message, cause: { code: 'ECONNREFUSED' } },
    })
    expect(exchanged.sentAtMs).toEqual([0])
  })

  it('ends at once also where that comes after a second sending', async () => {
    const exchanged = await begin()
    await exchanged.clock.advance(250)
    exchanged.datagrams.connection().fail()
    await settle()
    expect(await exchanged.ended()).toMatchObject({ error: { code: 'TRANSPORT' } })
    expect(exchanged.sentAtMs).toEqual([0, 250])
  })

  it.each([
    ['ECONNRESET', 'nothing listens there'], // Windows
    ['EHOSTUNREACH', 'it cannot be reached (EHOSTUNREACH)'],
    ['ENETUNREACH', 'it cannot be reached (ENETUNREACH)'],
    ['EPERM', 'it cannot be reached (EPERM)'], // a host firewall
  ])('says of %s: %s', async (code, what) => {
    const exchanged = await begin()
    exchanged.datagrams.connection().fail(code)
    await settle()
    const message = `GREET: UDP port 5351 of 192.168.1.1: ${what}`
    expect(await exchanged.ended()).toMatchObject({ error: { code: 'TRANSPORT', message } })
  })

  it('does not change a result that is there already', async () => {
    const exchanged = await begin()
    exchanged.datagrams.connection().deliver(bytesOf('yes'))
    exchanged.datagrams.connection().fail()
    await settle()
    expect(await exchanged.ended()).toEqual({ value: 'yes' })
  })
})

describe('an exchange whose socket cannot be opened', () => {
  it('fails at once, and keeps no timer', async () => {
    const exchanged = await begin({ datagrams: (datagrams) => datagrams.refuse(GATEWAY.address) })
    const outcome = await exchanged.ended()
    const message = 'GREET: UDP port 5351 of 192.168.1.1: there is no way to 192.168.1.1'
    expect(outcome).toEqual({ error: expect.any(TransportError) })
    expect(outcome).toMatchObject({ error: { message } })
  })

  it('passes on a defect as it is', async () => {
    const defect = new TypeError('z is undefined')
    const exchanged = await begin({
      datagrams: (datagrams) => {
        datagrams.connect = () => Promise.reject(defect)
      },
    })
    expect(await exchanged.ended()).toEqual({ error: defect })
  })

  it('fails after its time where the opening does not end, and closes a socket that comes later, unused', async () => {
    let release = (): void => {}
    const onSent = vi.fn()
    const exchanged = await begin({
      timeoutMs: 1000,
      onSent,
      datagrams: (datagrams) => {
        release = datagrams.hold(GATEWAY.address)
      },
    })
    await exchanged.clock.advance(999)
    expect(isRunning(exchanged)).toBe(true)
    await exchanged.clock.advance(1)
    expect(exchanged.outcome).toMatchObject({ error: { code: 'NO_REPLY' } })
    release()
    await settle()
    expect(exchanged.datagrams.connections.map(({ isOpen }) => isOpen)).toEqual([false])
    expect([exchanged.sentAtMs, onSent.mock.calls]).toEqual([[], []])
    await exchanged.ended()
  })

  it('says nothing of an opening that fails after the end', async () => {
    let release = (): void => {}
    const exchanged = await begin({
      timeoutMs: 1000,
      datagrams: (datagrams) => {
        release = datagrams.hold(GATEWAY.address)
        datagrams.refuse(GATEWAY.address)
      },
    })
    await exchanged.clock.advance(1000)
    release()
    await settle()
    expect(await exchanged.ended()).toMatchObject({ error: { code: 'NO_REPLY' } })
  })
})

describe('an exchange with a signal', () => {
  const enough = new Error('enough')

  it('that has been given already opens no socket', async () => {
    const exchanged = await begin({ signal: AbortSignal.abort(enough) })
    expect(exchanged.datagrams.connections).toEqual([])
    expect(await exchanged.ended()).toEqual({ error: enough })
  })

  it('ends while the socket is being opened, and closes it when it is open, unused', async () => {
    const controller = new AbortController()
    let release = (): void => {}
    const exchanged = await begin({
      signal: controller.signal,
      datagrams: (datagrams) => {
        release = datagrams.hold(GATEWAY.address)
      },
    })
    expect(isRunning(exchanged)).toBe(true)
    controller.abort(enough)
    await settle()
    expect(exchanged.outcome).toEqual({ error: enough })
    release()
    await settle()
    expect(exchanged.datagrams.connections.map(({ isOpen }) => isOpen)).toEqual([false])
    expect(exchanged.sentAtMs).toEqual([])
    await exchanged.ended()
  })

  it.each([
    ['after the first sending', 0, 1],
    ['between two sendings', 500, 2],
    ['in the moment of a sending', 750, 3],
    ['just before the deadline', 7749, 5],
  ])('ends %s', async (_name, afterMs, sendings) => {
    const controller = new AbortController()
    const exchanged = await begin({ signal: controller.signal })
    await exchanged.clock.advance(afterMs)
    controller.abort(enough)
    await settle()
    expect(await exchanged.ended()).toEqual({ error: enough })
    expect(exchanged.sentAtMs).toHaveLength(sendings)
  })

  it('keeps the result that was there before the signal', async () => {
    const controller = new AbortController()
    const exchanged = await begin({ signal: controller.signal })
    exchanged.datagrams.connection().deliver(bytesOf('yes'))
    controller.abort(enough)
    await settle()
    expect(await exchanged.ended()).toEqual({ value: 'yes' })
  })

  it('lets go of the signal, however it ends', async () => {
    const { signal } = new AbortController()
    for (const text of ['yes', 'no']) {
      const exchanged = await begin({ signal })
      expect(getEventListeners(signal, 'abort')).toHaveLength(1)
      await exchanged.reply(text)
      expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    }
    const silent = await begin({ signal })
    await silent.clock.advance(7750)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })
})

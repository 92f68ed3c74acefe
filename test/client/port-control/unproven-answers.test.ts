/** Anybody can send an answer without the nonce of the request, so it counts only if nothing better comes within 1 s. */
import { describe, expect, it } from 'vitest'
import { settle } from '../../support/fake-clock.ts'
import { bytesOf } from '../../support/hex-bytes.ts'
import { mapReply, pcpError } from '../../support/port-control-replies.ts'
import { failureOf, pcp, REQUEST } from './gateway-asked.ts'

const FORGED = [
  ['an error in the 24 bytes of a head', '02810008 0000001e 00000e10 000000000000000000000000'],
  ['the answer of NAT-PMP alone', '00810001 00000e10'],
] as const

describe.each(FORGED)('%s', (_name, hex) => {
  it('does not count if the reply with the nonce comes within 1 s, however often it is sent', async () => {
    const { gateway, clock, nothingLeft } = pcp((request, _sent, peer) => {
      for (let each = 0; each < 100; each++) peer.deliver(bytesOf(hex))
      clock.schedule(900, () => peer.deliver(mapReply(request)))
      return undefined
    })
    const mapped = gateway.map(REQUEST, { isRepetition: true })
    await clock.advance(900)
    expect(await mapped).toMatchObject({ externalPort: 8080 })
    nothingLeft()
  })

  it('does not count if an error with the nonce comes within 1 s', async () => {
    const { gateway, clock } = pcp((request, _sent, peer) => {
      peer.deliver(bytesOf(hex))
      clock.schedule(500, () => peer.deliver(pcpError(request, 10)))
      return undefined
    })
    const failure = failureOf(gateway.map(REQUEST, { isRepetition: true }))
    await clock.advance(500)
    expect(await failure).toMatchObject({ number: 10 })
  })

  it('counts at 1 s, and its epoch does not', async () => {
    const { gateway, clock, nothingLeft } = pcp(() => bytesOf(hex))
    let isOver = false
    const failure = failureOf(gateway.map(REQUEST, { isRepetition: true })).finally(() => {
      isOver = true
    })
    const before = gateway.epochSeconds
    await clock.advance(999)
    expect(isOver).toBe(false)
    await clock.advance(1)
    expect(await failure).toMatchObject({ code: 'REFUSED', hasEpoch: false, lastsSeconds: 0 })
    expect(gateway.epochSeconds).toBe(before)
    nothingLeft()
  })
})

describe('a version that is neither of PCP nor of NAT-PMP', () => {
  it.each(['01810001', '03810001 00000708 66fda1ee 000000000000000000000000', 'ff810001 66fda1ee'])(
    'is passed over: %s',
    async (hex) => {
      const { gateway, clock } = pcp((request, _sent, peer) => {
        peer.deliver(bytesOf(hex))
        clock.schedule(3000, () => peer.deliver(mapReply(request)))
        return undefined
      })
      const mapped = gateway.map(REQUEST, { isRepetition: true })
      await settle()
      await clock.advance(3000)
      expect(await mapped).toMatchObject({ externalPort: 8080 })
    },
  )
})

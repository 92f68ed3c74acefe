/** What was asked for before is asked for in one packet, and nothing is sent again after its removal. */
import { describe, expect, it } from 'vitest'
import type { Gateway } from '../../../src/domain/gateway.ts'
import { settle } from '../../support/fake-clock.ts'
import { mapAsked, mapReply, natPmpMapAsked, natPmpMapReply } from '../../support/port-control-replies.ts'
import { failureOf, natPmp, pcp, REQUEST } from './gateway-asked.ts'

const silence = (): undefined => undefined

describe('a repetition', () => {
  it.each(['map', 'mapAny'] as const)('over PCP (%s) is one packet, and waits 4 s for its answer', async (name) => {
    const { gateway, datagrams, clock, nothingLeft } = pcp(silence)
    const failure = failureOf(gateway[name](REQUEST, { isRepetition: true }))
    await clock.advance(3999)
    expect([datagrams.requests.length, clock.pending > 0]).toEqual([1, true])
    await clock.advance(1)
    expect(await failure).toMatchObject({ code: 'NO_REPLY' })
    expect(datagrams.requests).toHaveLength(1)
    nothingLeft()
  })

  it('over NAT-PMP is sent as often as the first request: RFC 6886 3.1', async () => {
    const { gateway, datagrams, clock } = natPmp(silence)
    const asked: Gateway = gateway
    const failure = failureOf(asked.map(REQUEST, { isRepetition: true }))
    await clock.advance(10_000)
    expect(await failure).toMatchObject({ code: 'NO_REPLY' })
    expect(datagrams.requests).toHaveLength(5)
  })

  it('does not ask twice a server that does not know PREFER_FAILURE', async () => {
    let replies = 0
    const { gateway, asked } = pcp((request) =>
      replies++ === 0 ? mapReply(request, { resultCode: 5 }) : mapReply(request),
    )
    await gateway.map(REQUEST)
    await gateway.map(REQUEST, { isRepetition: true })
    expect(asked().map(({ options }) => options.length)).toEqual([1, 0, 0])
  })
})

describe('a removal', () => {
  it('over PCP ends the sending of what was asked for before', async () => {
    const { gateway, datagrams, clock } = pcp((request) =>
      mapAsked(request).lifetimeSeconds === 0 ? mapReply(request) : undefined,
    )
    const failure = failureOf(gateway.map(REQUEST))
    await clock.advance(300)
    await gateway.unmap(REQUEST)
    await settle()
    await clock.advance(20_000)
    await failure
    const lifetimes = datagrams.requests.map((request) => mapAsked(request).lifetimeSeconds)
    expect(lifetimes).toEqual([3600, 3600, 0])
  })

  it('over NAT-PMP ends it too, and not that of another port', async () => {
    const { gateway, datagrams, clock } = natPmp((request) =>
      natPmpMapAsked(request).lifetimeSeconds === 0 ? natPmpMapReply(request) : undefined,
    )
    const failures = [REQUEST, { ...REQUEST, internalPort: 81 }].map((request) => failureOf(gateway.map(request)))
    await clock.advance(300)
    await gateway.unmap(REQUEST)
    await clock.advance(20_000)
    await Promise.all(failures)
    const sent = datagrams.requests.map((request) => natPmpMapAsked(request))
    const times = (internalPort: number): number => sent.filter((each) => each.internalPort === internalPort).length
    expect([times(80), times(81)]).toEqual([2 + 1, 5])
  })
})

import { describe, expect, it } from 'vitest'
import { InvalidArgumentError, MalformedMessageError } from '../../../src/domain/errors.ts'
import { settle } from '../../support/fake-clock.ts'
import { bytesOf } from '../../support/hex-bytes.ts'
import {
  announceReply,
  answering,
  EXTERNAL,
  type MapAnswered,
  mapAsked,
  mapReply,
  NAT_PMP_ONLY,
  pcpError,
} from '../../support/port-control-replies.ts'
import { CLIENT, failureOf, OTHER_CLIENT, pcp, REQUEST } from './gateway-asked.ts'

function answeringNobody(signal: AbortSignal) {
  const { clock, datagrams } = answering(() => undefined)
  const { gateway } = pcp(undefined, { net: { clock, datagrams, signal } })
  return { gateway, clock, datagrams }
}

describe('a reply to MAP', () => {
  it('is awaited with resending: at 0, 250, 750, 1750 and 3750 ms, and 7.75 s in all', async () => {
    const { gateway, clock, datagrams, asked, nothingLeft } = pcp(() => undefined)
    const failure = failureOf(gateway.map(REQUEST))
    await clock.advance(7750)
    expect(await failure).toMatchObject({ code: 'NO_REPLY', action: 'MAP' })
    expect(datagrams.requests.map(({ atMs }) => atMs)).toEqual([0, 250, 750, 1750, 3750])
    expect(new Set(asked().map(({ nonce }) => nonce)).size).toBe(1)
    nothingLeft()
  })

  it.each<[string, Partial<MapAnswered>]>([
    ['another nonce', { nonce: 'ff'.repeat(12) }],
    ['another protocol', { protocol: 17 }],
    ['another internal port', { internalPort: 81 }],
    ['another nonce, a refusal', { nonce: 'ff'.repeat(12), resultCode: 2 }],
    ['another internal port, a refusal', { internalPort: 81, resultCode: 8 }],
  ])('with %s is for somebody else, and listened past', async (_name, other) => {
    const { gateway, clock, datagrams, nothingLeft } = pcp((request, { atMs }) =>
      mapReply(request, atMs === 0 ? other : {}),
    )
    const mapped = gateway.map(REQUEST)
    await clock.advance(250)
    expect(await mapped).toMatchObject({ externalPort: 8080 })
    expect(datagrams.requests).toHaveLength(2)
    nothingLeft()
  })

  it('is heard behind what is no reply to it', async () => {
    const { gateway, datagrams, nothingLeft } = pcp(() => undefined)
    const mapped = gateway.map(REQUEST)
    await settle()
    const request = datagrams.requests[0]?.bytes ?? new Uint8Array()
    const reply = mapReply(request)
    const peer = reply.slice()
    peer[1] = 0x82
    const passedOver = [
      request, // echoed
      announceReply(),
      announceReply(3600, 2),
      peer,
      reply.subarray(0, 59),
      reply.subarray(0, 24), // a success without the mapping
      bytesOf('0082'), // the beginning of one of NAT-PMP
      new Uint8Array(),
      new Uint8Array(1200),
    ]
    for (const each of passedOver) datagrams.connection().deliver(each)
    await settle()
    expect(datagrams.openCount).toBe(1)
    datagrams.connection().deliver(reply)
    expect(await mapped).toMatchObject({ externalPort: 8080 })
    nothingLeft()
  })

  it('may be a refusal in the 24 bytes of a head alone', async () => {
    const { gateway, clock } = pcp(() => bytesOf('02810008 0000001e 00000e10 000000000000000000000000'))
    const failure = failureOf(gateway.map(REQUEST))
    await clock.advance(1000)
    expect(await failure).toMatchObject({ number: 8, standardName: 'NO_RESOURCES' })
  })

  it.each([
    [2, 'NOT_AUTHORIZED'],
    [8, 'NO_RESOURCES'],
    [10, 'USER_EX_QUOTA'],
    [12, 'ADDRESS_MISMATCH'],
  ])('may be a refusal with %s, %s, that is final', async (number, standardName) => {
    const { gateway, datagrams, nothingLeft } = pcp((request) => pcpError(request, number))
    const failure = await failureOf(gateway.map(REQUEST))
    expect(failure).toMatchObject({ code: 'REFUSED', protocol: 'pcp', action: 'MAP', number, standardName })
    expect(datagrams.requests).toHaveLength(1)
    nothingLeft()
  })

  it('may say for how long it will be refused: RFC 6887 7.4', async () => {
    const { gateway } = pcp((request) => pcpError(request, 8))
    expect(await failureOf(gateway.map(REQUEST))).toMatchObject({ number: 8, lastsSeconds: 30 })
  })

  it('of a gateway that has been set back to NAT-PMP is a refusal', async () => {
    const { gateway, clock } = pcp(() => NAT_PMP_ONLY)
    const failure = failureOf(gateway.map(REQUEST))
    await clock.advance(1000)
    expect(await failure).toMatchObject({ number: 1, standardName: 'UNSUPP_VERSION' })
  })

  it.each([
    ['no port', { assignedExternalPort: 0 }, 'port 0, lifetime 3600 s'],
    ['no lifetime', { lifetimeSeconds: 0 }, 'port 8080, lifetime 0 s'],
  ])('that grants %s is not taken for a mapping', async (_name, granted, received) => {
    const { gateway, options } = pcp((request) => mapReply(request, granted))
    for (const work of [gateway.map(REQUEST), gateway.mapAny(REQUEST)]) {
      const failure = await failureOf(work)
      expect(failure).toBeInstanceOf(MalformedMessageError)
      expect(failure).toMatchObject({ received, action: 'MAP' })
    }
    expect(await options.memory.recall(REQUEST)).toBeUndefined()
  })

  it('tells the epoch', async () => {
    const { gateway } = pcp((request) => mapReply(request, { epochSeconds: 12 }))
    expect(gateway.epochSeconds).toBe(3600)
    await gateway.map(REQUEST)
    expect(gateway.epochSeconds).toBe(12)
  })

  it('comes from a port that nobody listens on any more: the end', async () => {
    const { gateway, nothingLeft } = pcp((_request, _sent, peer) => {
      peer.fail()
      return undefined
    })
    expect(await failureOf(gateway.map(REQUEST))).toMatchObject({ code: 'TRANSPORT', action: 'MAP' })
    nothingLeft()
  })
})

describe('a signal', () => {
  it('ends what is asked, and what is asked later, at once', async () => {
    const controller = new AbortController()
    const { gateway, clock, datagrams } = answeringNobody(controller.signal)
    const failure = failureOf(gateway.map(REQUEST))
    await clock.advance(300)
    controller.abort(new Error('enough'))
    expect(await failure).toMatchObject({ message: 'enough' })
    expect(await failureOf(gateway.unmap(REQUEST))).toMatchObject({ message: 'enough' })
    expect([clock.pending, datagrams.openCount, datagrams.requests.length]).toEqual([0, 0, 2])
  })
})

describe('what cannot be asked of PCP', () => {
  it.each([
    ['internal port 0', { internalPort: 0 }],
    ['external port 65536', { externalPort: 65_536 }],
    ['a lease of 0 s', { lease: { seconds: 0 } }],
    ['a computer that is a name', { internalClient: 'laptop' }],
    ['a remote host that is a name', { remoteHost: 'example.org' }],
  ])('%s is not sent', async (_name, flaw) => {
    const { gateway, datagrams } = pcp()
    for (const work of [gateway.map({ ...REQUEST, ...flaw }), gateway.mapAny({ ...REQUEST, ...flaw })]) {
      expect(await failureOf(work)).toBeInstanceOf(InvalidArgumentError)
    }
    expect(datagrams.connections).toEqual([])
  })
})

describe('the external address over PCP', () => {
  it('is learned by mapping a dynamic port for a moment, which is taken back; not one that somebody may use, as 9 is', async () => {
    const { gateway, asked, nothingLeft } = pcp((request) =>
      mapReply(request, mapAsked(request).lifetimeSeconds === 0 ? {} : { assignedExternalPort: 40_000 }),
    )
    expect(await gateway.externalAddress()).toBe(EXTERNAL)
    const common = { protocol: 17, internalPort: 57_344, options: [] }
    const [learning, removal] = asked()
    expect(asked()).toMatchObject([
      { ...common, lifetimeSeconds: 120, suggestedExternalPort: 0 },
      { ...common, lifetimeSeconds: 0, suggestedExternalPort: 40_000, nonce: learning?.nonce },
    ])
    expect(removal?.suggestedExternalAddress).toBe('0.0.0.0')
    expect(await gateway.externalAddress()).toBe(EXTERNAL)
    expect(asked()).toHaveLength(2)
    nothingLeft()
  })

  it('is known also where the removal is refused', async () => {
    const { gateway } = pcp((request) =>
      mapAsked(request).lifetimeSeconds === 0 ? pcpError(request, 2) : mapReply(request, { assignedExternalPort: 4 }),
    )
    expect(await gateway.externalAddress()).toBe(EXTERNAL)
  })

  it('is known from a mapping, and from what the search has told', async () => {
    const mapped = pcp()
    await mapped.gateway.map(REQUEST)
    expect(await mapped.gateway.externalAddress()).toBe(EXTERNAL)
    expect(mapped.asked()).toHaveLength(1)
    const told = pcp(undefined, { externalAddress: '11.22.33.99' })
    expect(await told.gateway.externalAddress()).toBe('11.22.33.99')
    expect(told.asked()).toHaveLength(0)
  })
})

describe('unmapping over PCP', () => {
  it('asks with the inside that is remembered and the nonce of the mapping, from another process too', async () => {
    const { gateway, another, asked, options } = pcp((request) =>
      mapReply(request, mapAsked(request).lifetimeSeconds === 0 ? {} : { assignedExternalPort: 40_000 }),
    )
    await gateway.mapAny(REQUEST)
    await another().unmap({ externalPort: 40_000, protocol: 'TCP', remoteHost: '' })
    const [map, removal] = asked()
    expect(removal).toMatchObject({ lifetimeSeconds: 0, internalPort: 80, suggestedExternalPort: 40_000, protocol: 6 })
    expect([removal?.nonce, removal?.options]).toEqual([map?.nonce, []])
    expect(await options.memory.recall({ externalPort: 40_000, protocol: 'TCP' })).toBeUndefined()
  })

  it('takes the external port for the internal one where nothing is remembered', async () => {
    const { gateway, asked } = pcp()
    await gateway.unmap({ externalPort: 8080, protocol: 'UDP', remoteHost: '' })
    expect(asked()).toMatchObject([{ lifetimeSeconds: 0, internalPort: 8080, protocol: 17, clientAddress: CLIENT }])
  })

  it('takes the inside that it is told before the one that it remembers', async () => {
    const { gateway, asked } = pcp()
    await gateway.map(REQUEST)
    await gateway.unmap({ ...REQUEST, internalClient: OTHER_CLIENT, internalPort: 81 })
    expect(asked().at(-1)).toMatchObject({
      internalPort: 81,
      options: [{ kind: 'THIRD_PARTY', internalAddress: OTHER_CLIENT }],
    })
  })

  it('remembers a mapping of TCP and one of UDP apart', async () => {
    const { gateway, asked } = pcp()
    await gateway.map(REQUEST)
    await gateway.map({ ...REQUEST, protocol: 'UDP', internalPort: 81 })
    const outside = { externalPort: 8080, remoteHost: '' }
    await gateway.unmap({ ...outside, protocol: 'UDP' })
    await gateway.unmap({ ...outside, protocol: 'TCP' })
    expect(asked().slice(2)).toMatchObject([
      { internalPort: 81, protocol: 17 },
      { internalPort: 80, protocol: 6 },
    ])
  })

  it('keeps what it remembers where the gateway refuses', async () => {
    const { gateway, options } = pcp((request) =>
      mapAsked(request).lifetimeSeconds === 0 ? pcpError(request, 2) : mapReply(request),
    )
    await gateway.map(REQUEST)
    expect(await failureOf(gateway.unmap({ externalPort: 8080, protocol: 'TCP', remoteHost: '' }))).toMatchObject({
      number: 2,
    })
    expect(await options.memory.recall(REQUEST)).toEqual({ internalClient: CLIENT, internalPort: 80 })
  })

  it('never asks for internal port 0, which would be all of them', async () => {
    const { gateway, datagrams } = pcp()
    const all = { externalPort: 0, protocol: 'TCP', remoteHost: '' } as const
    expect(await failureOf(gateway.unmap(all))).toBeInstanceOf(InvalidArgumentError)
    expect(await failureOf(gateway.unmap({ ...all, internalPort: 0 }))).toBeInstanceOf(InvalidArgumentError)
    expect(datagrams.connections).toEqual([])
  })
})

import { describe, expect, it } from 'vitest'
import { fixedNonce } from '../../../src/client/port-control/mapping-nonce.ts'
import { NotConfirmedError, RefusedError } from '../../../src/domain/errors.ts'
import { bytesOf } from '../../support/hex-bytes.ts'
import { mapAsked, mapReply, pcpError } from '../../support/port-control-replies.ts'
import { CLIENT, failureOf, OTHER_CLIENT, pcp, REQUEST } from './gateway-asked.ts'

const prefersFailure = (request: Uint8Array): boolean =>
  mapAsked(request).options.some(({ kind }) => kind === 'PREFER_FAILURE')

describe('mapping one port over PCP', () => {
  it('asks for that port and no other, byte for byte, and reports what is granted', async () => {
    const { gateway, datagrams, nothingLeft } = pcp(undefined, { nonces: fixedNonce('0102030405060708090a0b0c') })
    expect(await gateway.map(REQUEST)).toEqual({
      externalPort: 8080,
      protocol: 'TCP',
      remoteHost: '',
      internalClient: CLIENT,
      internalPort: 80,
      enabled: true,
      description: '',
      leaseSeconds: 3600,
    })
    expect(datagrams.requests.map(({ from, to }) => [from, to])).toEqual([[CLIENT, '192.168.1.1:5351']])
    const head = '02010000 00000e10 00000000000000000000ffffc0a8010a'
    const map = '0102030405060708090a0b0c 06000000 0050 1f90 00000000000000000000ffff00000000'
    expect(datagrams.requests[0]?.bytes).toEqual(bytesOf(`${head}${map}02000000`))
    nothingLeft()
  })

  it('asks for UDP by its number', async () => {
    const { gateway, asked } = pcp()
    expect(await gateway.map({ ...REQUEST, protocol: 'UDP' })).toMatchObject({ protocol: 'UDP' })
    expect(asked()).toMatchObject([{ protocol: 17 }])
  })

  it.each([60, 120, 86_400])(
    'reports the %s s that are granted, and not those that were asked for',
    async (granted) => {
      const { gateway } = pcp((request) => mapReply(request, { lifetimeSeconds: granted }))
      expect(await gateway.map(REQUEST)).toMatchObject({ leaseSeconds: granted })
    },
  )

  it('asks for 7200 s where the lease has no end, and never for 0, which deletes', async () => {
    const { gateway, asked } = pcp()
    expect(await gateway.map({ ...REQUEST, lease: 'unlimited' })).toMatchObject({ leaseSeconds: 7200 })
    await gateway.mapAny({ ...REQUEST, lease: 'unlimited' })
    expect(asked().map(({ lifetimeSeconds }) => lifetimeSeconds)).toEqual([7200, 7200])
  })

  it('is refused where the port cannot be had', async () => {
    const { gateway, asked, nothingLeft } = pcp((request) => pcpError(request, 11))
    const failure = await failureOf(gateway.map(REQUEST))
    expect(failure).toBeInstanceOf(RefusedError)
    expect(failure).toMatchObject({
      protocol: 'pcp',
      number: 11,
      standardName: 'CANNOT_PROVIDE_EXTERNAL',
      action: 'MAP',
    })
    expect(asked()).toHaveLength(1)
    nothingLeft()
  })

  it('asks again without PREFER_FAILURE where that is not known', async () => {
    const { gateway, asked } = pcp((request) => (prefersFailure(request) ? pcpError(request, 5) : mapReply(request)))
    expect(await gateway.map(REQUEST)).toMatchObject({ externalPort: 8080 })
    const [first, second, ...more] = asked()
    expect([first?.options, second?.options, more]).toEqual([[{ kind: 'PREFER_FAILURE' }], [], []])
    expect(second?.nonce).toBe(first?.nonce)
  })

  it('is refused where no option is known and one remote host is meant', async () => {
    const { gateway, asked } = pcp((request) => pcpError(request, 5))
    const failure = await failureOf(gateway.map({ ...REQUEST, remoteHost: '198.51.100.7' }))
    expect(failure).toMatchObject({ code: 'REFUSED', number: 5 })
    expect(asked().map(({ options }) => options.map(({ kind }) => kind))).toEqual([
      ['PREFER_FAILURE', 'FILTER'],
      ['FILTER'],
    ])
  })
})

describe('another port than the one that was asked for', () => {
  const another = (request: Uint8Array): Uint8Array =>
    mapReply(request, mapAsked(request).lifetimeSeconds === 0 ? {} : { assignedExternalPort: 40_000 })

  it('is taken back, and told', async () => {
    const { gateway, asked, options, nothingLeft } = pcp(another)
    const failure = await failureOf(gateway.map(REQUEST))
    expect(failure).toBeInstanceOf(NotConfirmedError)
    expect(failure).toMatchObject({
      belongsToAnother: true,
      mapping: { externalPort: 40_000 },
      message:
        'external port 8080 TCP is not available: 192.168.1.1:5351 offered 40000 instead; ' +
        "externalPort: 'any' takes what it offers",
    })
    const [map, isFree, isFreeNoMore, removal, ...more] = asked()
    expect([isFree, isFreeNoMore]).toMatchObject([
      { lifetimeSeconds: 120, internalPort: 57_344, suggestedExternalPort: 8080 },
      { lifetimeSeconds: 0, internalPort: 57_344 },
    ])
    expect(removal).toMatchObject({
      lifetimeSeconds: 0,
      nonce: map?.nonce,
      protocol: 6,
      internalPort: 80,
      suggestedExternalPort: 40_000,
      options: [], // PREFER_FAILURE with lifetime 0 is malformed (RFC 6887 13.2)
    })
    expect(more).toEqual([])
    expect(await options.memory.recall({ externalPort: 40_000, protocol: 'TCP' })).toBeUndefined()
    nothingLeft()
  })

  it('is taken back as UDP where it is UDP', async () => {
    const { gateway, asked } = pcp(another)
    await failureOf(gateway.map({ ...REQUEST, protocol: 'UDP' }))
    expect(asked().map(({ protocol, lifetimeSeconds }) => [protocol, lifetimeSeconds])).toEqual([
      [17, 3600],
      [17, 120],
      [17, 0],
      [17, 0],
    ])
  })

  it('is told also where it cannot be taken back', async () => {
    const { gateway, asked } = pcp((request) =>
      mapAsked(request).lifetimeSeconds === 0 ? pcpError(request, 2) : another(request),
    )
    const failure = await failureOf(gateway.map(REQUEST))
    expect(failure).toBeInstanceOf(NotConfirmedError)
    expect(failure).toMatchObject({ isClosedAgain: false })
    expect(asked()).toHaveLength(4)
  })

  it('is not taken back where that inside was mapped before: it may be that very mapping', async () => {
    const { gateway, asked } = pcp((request) => mapReply(request, { assignedExternalPort: 40_000 }))
    await gateway.mapAny(REQUEST)
    expect(await failureOf(gateway.map(REQUEST))).toBeInstanceOf(NotConfirmedError)
    expect(asked().map(({ lifetimeSeconds }) => lifetimeSeconds)).toEqual([3600, 3600])
  })

  it('is taken back where that inside was mapped before in the other protocol, or has ended', async () => {
    const { gateway, asked, clock } = pcp(another)
    await gateway.mapAny({ ...REQUEST, protocol: 'UDP' })
    await gateway.mapAny(REQUEST)
    await clock.advance(3600_000)
    await failureOf(gateway.map(REQUEST))
    expect(asked().at(-1)).toMatchObject({ lifetimeSeconds: 0, protocol: 6 })
  })

  it('is what mapping any port takes', async () => {
    const { gateway, asked } = pcp(another)
    expect(await gateway.mapAny(REQUEST)).toMatchObject({ externalPort: 40_000, internalPort: 80 })
    expect(asked()).toMatchObject([{ suggestedExternalPort: 8080, options: [] }])
  })

  it('is what asking for port 0 takes', async () => {
    const { gateway, asked } = pcp(another)
    expect(await gateway.map({ ...REQUEST, externalPort: 0 })).toMatchObject({ externalPort: 40_000 })
    expect(asked()).toMatchObject([{ suggestedExternalPort: 0, options: [] }])
  })
})

describe('the options of a mapping over PCP', () => {
  it('for another computer name it, and are asked for from this one', async () => {
    const { gateway, asked, datagrams } = pcp()
    expect(await gateway.map({ ...REQUEST, internalClient: OTHER_CLIENT })).toMatchObject({
      internalClient: OTHER_CLIENT,
    })
    expect(asked()).toMatchObject([
      {
        clientAddress: CLIENT,
        options: [{ kind: 'THIRD_PARTY', internalAddress: OTHER_CLIENT }, { kind: 'PREFER_FAILURE' }],
      },
    ])
    expect(datagrams.requests[0]?.from).toBe(CLIENT)
  })

  it('do not name another address of this computer, which is asked from instead', async () => {
    const { gateway, asked, datagrams } = pcp(undefined, { ownAddresses: () => [CLIENT, OTHER_CLIENT] })
    await gateway.mapAny({ ...REQUEST, internalClient: OTHER_CLIENT })
    expect(asked()).toMatchObject([{ clientAddress: OTHER_CLIENT, options: [] }])
    expect(datagrams.requests[0]?.from).toBe(OTHER_CLIENT)
  })

  it('name one remote host, any port of it, in the 128 bits of IPv4-mapped', async () => {
    const { gateway, asked } = pcp()
    const mapped = await gateway.mapAny({ ...REQUEST, remoteHost: '198.51.100.7' })
    expect(mapped.remoteHost).toBe('198.51.100.7')
    const filter = { kind: 'FILTER', prefixLength: 128, remotePort: 0, remoteAddress: '198.51.100.7' }
    expect(asked()).toMatchObject([{ options: [filter] }])
  })

  it('are refused for another computer where the gateway does not allow it', async () => {
    const { gateway } = pcp((request) => pcpError(request, 5))
    expect(await failureOf(gateway.mapAny({ ...REQUEST, internalClient: OTHER_CLIENT }))).toMatchObject({ number: 5 })
  })
})

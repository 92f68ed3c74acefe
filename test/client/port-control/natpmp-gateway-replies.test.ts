import { describe, expect, it } from 'vitest'
import { responseTo } from '../../../src/client/port-control/natpmp-gateway.ts'
import { settle } from '../../support/fake-clock.ts'
import { bytesOf } from '../../support/hex-bytes.ts'
import { addressReply, natPmpError, natPmpMapReply, PCP_ONLY } from '../../support/port-control-replies.ts'
import { failureOf, natPmp, REQUEST } from './gateway-asked.ts'

const NOTHING = new Uint8Array()

describe('a reply to a mapping request of NAT-PMP', () => {
  it('is awaited with resending: at 0, 250, 750, 1750 and 3750 ms, and 7.75 s in all', async () => {
    const { gateway, clock, datagrams, nothingLeft } = natPmp(() => undefined)
    const failure = failureOf(gateway.map(REQUEST))
    await clock.advance(7750)
    expect(await failure).toMatchObject({ code: 'NO_REPLY', action: 'mapping request' })
    expect(datagrams.requests.map(({ atMs }) => atMs)).toEqual([0, 250, 750, 1750, 3750])
    nothingLeft()
  })

  it('is heard behind what is no reply to it', async () => {
    const { gateway, datagrams, nothingLeft } = natPmp(() => undefined)
    const mapped = gateway.map(REQUEST)
    await settle()
    const request = datagrams.requests[0]?.bytes ?? NOTHING
    const reply = natPmpMapReply(request)
    const passedOver = [
      request, // echoed
      addressReply(),
      natPmpError(0, 3), // about the address
      natPmpError(1, 2), // about UDP
      natPmpError(2, 2, 81), // about another port
      natPmpMapReply(request, { internalPort: 81 }),
      natPmpMapReply(request, { protocol: 'UDP' }),
      reply.subarray(0, 15),
      reply.subarray(0, 8), // a success without the mapping
      bytesOf('0082'),
      bytesOf('0083 0000 00000e10 00501f90 00000e10'), // an opcode that there is not
      bytesOf('0182 0000 00000e10 00501f90 00000e10'), // a version that there is not
      PCP_ONLY,
      NOTHING,
    ]
    for (const each of passedOver) datagrams.connection().deliver(each)
    await settle()
    expect(datagrams.openCount).toBe(1)
    datagrams.connection().deliver(reply)
    expect(await mapped).toMatchObject({ externalPort: 8080 })
    nothingLeft()
  })

  it('may be longer than it has to be', async () => {
    const { gateway } = natPmp((request) => Uint8Array.of(...natPmpMapReply(request), 0, 0, 0, 0))
    expect(await gateway.map(REQUEST)).toMatchObject({ externalPort: 8080 })
  })

  it.each([
    ['in 8 bytes', natPmpError(2, 3)],
    ['in 16 bytes, about that port', natPmpError(2, 3, 80)],
  ])('may be a refusal %s, that is final', async (_name, reply) => {
    const { gateway, datagrams, nothingLeft } = natPmp(() => reply)
    expect(await failureOf(gateway.map(REQUEST))).toMatchObject({ number: 3, standardName: 'Network Failure' })
    expect(datagrams.requests).toHaveLength(1)
    nothingLeft()
  })

  it('that is a refusal leaves nothing pending: the next request is answered for itself', async () => {
    let count = 0
    const { gateway } = natPmp((request) => (count++ === 0 ? natPmpError(2, 3) : natPmpMapReply(request)))
    await failureOf(gateway.map(REQUEST))
    expect(await gateway.map({ ...REQUEST, externalPort: 8081 })).toMatchObject({ externalPort: 8081 })
  })

  it('tells the epoch', async () => {
    const { gateway } = natPmp((request) => natPmpMapReply(request, { epochSeconds: 12 }))
    expect(gateway.epochSeconds).toBe(3600)
    await gateway.map(REQUEST)
    expect(gateway.epochSeconds).toBe(12)
  })

  it('does not come where nobody listens any more', async () => {
    const { gateway, nothingLeft } = natPmp((_request, _sent, peer) => {
      peer.fail()
      return undefined
    })
    expect(await failureOf(gateway.map(REQUEST))).toMatchObject({ code: 'TRANSPORT', action: 'mapping request' })
    nothingLeft()
  })
})

describe('which response is for a request', () => {
  const address = { kind: 'external-address-response', externalAddress: '11.22.33.44', epochSeconds: 1 } as const
  const mapped = {
    kind: 'map-response',
    protocol: 'UDP',
    internalPort: 80,
    mappedExternalPort: 8080,
    lifetimeSeconds: 60,
    epochSeconds: 1,
  } as const
  const forAddress = { kind: 'external-address-request' } as const
  const forUdp80 = {
    kind: 'map-request',
    protocol: 'UDP',
    internalPort: 80,
    suggestedExternalPort: 0,
    lifetimeSeconds: 60,
  } as const

  it('is that of its kind, protocol and internal port', () => {
    expect(responseTo(forAddress, address)).toBe(address)
    expect(responseTo(forAddress, mapped)).toBeUndefined()
    expect(responseTo(forUdp80, address)).toBeUndefined()
    expect(responseTo(forUdp80, mapped)).toBe(mapped)
    expect(responseTo({ ...forUdp80, protocol: 'TCP' }, mapped)).toBeUndefined()
    expect(responseTo({ ...forUdp80, internalPort: 81 }, mapped)).toBeUndefined()
  })

  it('is of an error the one with its opcode, about its internal port where that is told', () => {
    const error = {
      kind: 'error-response',
      opcode: 1,
      resultCode: 2,
      epochSeconds: 1,
      internalPort: undefined,
    } as const
    expect(() => responseTo(forUdp80, error)).toThrow('mapping request was refused with 2 (Not Authorized/Refused)')
    expect(() => responseTo(forUdp80, { ...error, internalPort: 80 })).toThrow('refused')
    expect(responseTo(forUdp80, { ...error, internalPort: 81 })).toBeUndefined()
    expect(responseTo(forUdp80, { ...error, opcode: 2 })).toBeUndefined()
    expect(responseTo(forAddress, error)).toBeUndefined()
    expect(() => responseTo(forAddress, { ...error, opcode: 0, resultCode: 9 })).toThrow('9 (unknown result code)')
  })
})

describe('a router whose line is down', () => {
  it('refuses to tell its address, and tells its epoch all the same', async () => {
    const { gateway } = natPmp(() => natPmpError(0, 3, undefined, 3700))
    expect(await gateway.pulse()).toEqual({ externalAddress: undefined })
    expect(gateway.epochSeconds).toBe(3700)
  })

  it('tells its epoch with a mapping that it refuses, and not with a refusal of something else', async () => {
    const { gateway, datagrams } = natPmp(() => undefined)
    const failure = failureOf(gateway.map(REQUEST))
    await settle()
    datagrams.connection().deliver(natPmpError(1, 3, undefined, 1))
    await settle()
    expect(gateway.epochSeconds).toBe(3600)
    datagrams.connection().deliver(natPmpError(2, 3, undefined, 3700))
    expect(await failure).toMatchObject({ code: 'REFUSED', number: 3 })
    expect(gateway.epochSeconds).toBe(3700)
  })
})

import { describe, expect, it } from 'vitest'
import { reportedError } from '../../../src/cli/failure.ts'
import { responseTo } from '../../../src/client/port-control/natpmp-gateway.ts'
import { InvalidArgumentError, MalformedMessageError, NotConfirmedError } from '../../../src/domain/errors.ts'
import {
  addressReply,
  EXTERNAL,
  natPmpError,
  natPmpMapAsked,
  natPmpMapReply,
} from '../../support/port-control-replies.ts'
import { CLIENT, failureOf, natPmp, OTHER_CLIENT, REQUEST } from './gateway-asked.ts'

/** RFC 6886 3.4: success, external port 0, lifetime 0. */
const removed = (request: Uint8Array): Uint8Array => natPmpMapReply(request, { mappedExternalPort: 0 })
const isRemoval = (request: Uint8Array): boolean => natPmpMapAsked(request).lifetimeSeconds === 0

describe('mapping one port over NAT-PMP', () => {
  it('asks for it, byte for byte, and reports what is granted', async () => {
    const { gateway, datagrams, hex, nothingLeft } = natPmp()
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
    expect(hex()).toEqual(['000200000050' + '1f90' + '00000e10'])
    expect(datagrams.requests[0]).toMatchObject({ from: CLIENT, to: '192.168.1.1:5351' })
    nothingLeft()
  })

  it('asks for UDP by its opcode', async () => {
    const { gateway, hex } = natPmp()
    await gateway.map({ ...REQUEST, protocol: 'UDP' })
    expect(hex()).toEqual(['0001000000501f9000000e10'])
  })

  it('asks for 7200 s where the lease has no end, and never for 0, which deletes', async () => {
    const { gateway, asked } = natPmp()
    expect(await gateway.map({ ...REQUEST, lease: 'unlimited' })).toMatchObject({ leaseSeconds: 7200 })
    await gateway.mapAny({ ...REQUEST, lease: 'unlimited' })
    expect(asked().map(({ lifetimeSeconds }) => lifetimeSeconds)).toEqual([7200, 7200])
  })

  it.each([
    ['internal port 65536', { internalPort: 65_536 }],
    ['a lease of 0 s', { lease: { seconds: 0 } }],
    ['external port 65536', { externalPort: 65_536 }],
  ])('does not ask for %s', async (_name, flaw) => {
    const { gateway, datagrams } = natPmp()
    expect(await failureOf(gateway.map({ ...REQUEST, ...flaw }))).toBeInstanceOf(InvalidArgumentError)
    expect(datagrams.connections).toEqual([])
  })

  it('takes back another port than was asked for, and tells', async () => {
    const { gateway, hex, options, nothingLeft } = natPmp((request) =>
      isRemoval(request) ? removed(request) : natPmpMapReply(request, { mappedExternalPort: 40_000 }),
    )
    const failure = await failureOf(gateway.map(REQUEST))
    expect(failure).toBeInstanceOf(NotConfirmedError)
    expect(failure).toMatchObject({ belongsToAnother: true, mapping: { externalPort: 40_000 } })
    const [asking, ...more] = hex()
    expect([asking, more.at(-1)]).toEqual(['0002000000501f9000000e10', '000200000050000000000000'])
    const isFree = ['0002 0000 e000 1f90 00000078', '0002 0000 e000 0000 00000000'].map((text) =>
      text.replaceAll(' ', ''),
    )
    expect(more.slice(0, -1), 'whether the port is free').toEqual(isFree)
    expect(await options.memory.recall({ externalPort: 40_000, protocol: 'TCP' })).toBeUndefined()
    nothingLeft()
  })

  it('does not believe a port cut to 8 bits', async () => {
    const { gateway } = natPmp((request) =>
      isRemoval(request) ? removed(request) : natPmpMapReply(request, { mappedExternalPort: 8080 & 0xff }),
    )
    expect(await failureOf(gateway.map(REQUEST))).toMatchObject({ mapping: { externalPort: 144 } })
  })

  it('tells also where the other port cannot be taken back', async () => {
    const { gateway } = natPmp((request) =>
      isRemoval(request) ? natPmpError(2, 2) : natPmpMapReply(request, { mappedExternalPort: 40_000 }),
    )
    expect(await failureOf(gateway.map(REQUEST))).toBeInstanceOf(NotConfirmedError)
  })

  it('does not take back what was mapped before: all ports of that inside would go with it', async () => {
    const { gateway, another, asked } = natPmp((request) => natPmpMapReply(request, { mappedExternalPort: 40_000 }))
    await gateway.mapAny(REQUEST)
    expect(await failureOf(another().map(REQUEST))).toBeInstanceOf(NotConfirmedError)
    expect(asked().map(({ lifetimeSeconds }) => lifetimeSeconds)).toEqual([3600, 3600])
  })
})

describe('mapping any port over NAT-PMP', () => {
  it('takes what is granted, port and lifetime', async () => {
    const granted = { mappedExternalPort: 40_000, lifetimeSeconds: 500 }
    const { gateway, options } = natPmp((request) => natPmpMapReply(request, granted))
    expect(await gateway.mapAny(REQUEST)).toMatchObject({ externalPort: 40_000, leaseSeconds: 500 })
    const inside = { internalClient: CLIENT, internalPort: 80 }
    expect(await options.memory.recall({ externalPort: 40_000, protocol: 'TCP' })).toEqual(inside)
  })

  it('to internal port 1 is a redirection to it, also if any external port will do', async () => {
    const granted = { mappedExternalPort: 51_234, lifetimeSeconds: 60 }
    const { gateway, hex } = natPmp((request) => natPmpMapReply(request, granted))
    const mapped = await gateway.map({ ...REQUEST, internalPort: 1, externalPort: 0, lease: 'unlimited' })
    expect(mapped).toMatchObject({ externalPort: 51_234, internalPort: 1, leaseSeconds: 60 })
    expect(hex()).toEqual(['000200000001000000001c20'])
  })

  it('of MikroTik suggests the internal port where none is given for 0', async () => {
    const { gateway, asked } = natPmp((request) =>
      natPmpMapAsked(request).suggestedExternalPort === 0 ? natPmpError(2, 4) : natPmpMapReply(request),
    )
    expect(await gateway.mapAny({ ...REQUEST, externalPort: 0 })).toMatchObject({ externalPort: 80 })
    expect(asked().map(({ suggestedExternalPort }) => suggestedExternalPort)).toEqual([0, 80])
  })

  it('is refused where there are none, and suggests nothing else where a port was suggested', async () => {
    const { gateway, asked } = natPmp(() => natPmpError(2, 4))
    expect(await failureOf(gateway.mapAny({ ...REQUEST, externalPort: 0 }))).toMatchObject({ number: 4 })
    expect(asked()).toHaveLength(2)
    expect(await failureOf(gateway.mapAny(REQUEST))).toMatchObject({ number: 4, standardName: 'Out of resources' })
    expect(asked()).toHaveLength(3)
  })

  it('is refused otherwise at once', async () => {
    const { gateway, asked } = natPmp(() => natPmpError(2, 2))
    const failure = await failureOf(gateway.mapAny({ ...REQUEST, externalPort: 0 }))
    expect(failure).toMatchObject({ code: 'REFUSED', protocol: 'nat-pmp', action: 'mapping request', number: 2 })
    expect(asked()).toHaveLength(1)
  })

  it.each([
    ['no port', { mappedExternalPort: 0 }],
    ['no lifetime', { lifetimeSeconds: 0 }],
  ])('does not take a success with %s for a mapping', async (_name, granted) => {
    const { gateway, options } = natPmp((request) => natPmpMapReply(request, granted))
    expect(await failureOf(gateway.mapAny(REQUEST))).toBeInstanceOf(MalformedMessageError)
    expect(await options.memory.recall(REQUEST)).toBeUndefined()
  })
})

describe('another address of this computer', () => {
  it('is mapped and unmapped over NAT-PMP by asking from it', async () => {
    const { gateway, datagrams } = natPmp(undefined, { ownAddresses: () => [CLIENT, OTHER_CLIENT] })
    const mapped = await gateway.map({ ...REQUEST, internalClient: OTHER_CLIENT })
    expect(mapped).toMatchObject({ internalClient: OTHER_CLIENT })
    await gateway.unmap({ externalPort: 8080, protocol: 'TCP', remoteHost: '' })
    expect(datagrams.requests.map(({ from }) => from)).toEqual([OTHER_CLIENT, OTHER_CLIENT])
  })
})

describe('what NAT-PMP cannot do', () => {
  it.each([
    [
      'another computer',
      { internalClient: OTHER_CLIENT },
      `NAT-PMP opens ports for the computer that asks (${CLIENT}) and not for ${OTHER_CLIENT}; --via igd and --via pcp may`,
    ],
    [
      'one remote host',
      { remoteHost: '198.51.100.7' },
      'NAT-PMP cannot limit a port to one remote host; --via igd and --via pcp may',
    ],
  ])('for %s is refused in one line, and nothing is sent', async (_name, changes, message) => {
    const { gateway, datagrams } = natPmp()
    for (const work of [gateway.map({ ...REQUEST, ...changes }), gateway.mapAny({ ...REQUEST, ...changes })]) {
      const failure = await failureOf(work)
      expect(failure).toBeInstanceOf(InvalidArgumentError)
      expect(reportedError(failure)).toMatchObject({ message })
    }
    expect(datagrams.connections).toEqual([])
  })

  it('is to unmap for another computer', async () => {
    const { gateway, datagrams } = natPmp()
    const failure = await failureOf(gateway.unmap({ ...REQUEST, internalClient: OTHER_CLIENT }))
    expect(failure).toBeInstanceOf(InvalidArgumentError)
    expect(datagrams.connections).toEqual([])
  })

  it('is to open pinholes', () => {
    expect(natPmp().gateway.pinholes).toBeUndefined()
  })
})

describe('unmapping over NAT-PMP', () => {
  const outside = { externalPort: 40_000, protocol: 'TCP', remoteHost: '' } as const

  it('asks with lifetime 0, external port 0 and the inside that is remembered', async () => {
    const { gateway, another, hex, options } = natPmp((request) =>
      isRemoval(request) ? removed(request) : natPmpMapReply(request, { mappedExternalPort: 40_000 }),
    )
    await gateway.mapAny(REQUEST)
    await another().unmap(outside)
    expect(hex()[1]).toBe('000200000050000000000000')
    expect(await options.memory.recall(outside)).toBeUndefined()
  })

  it('takes the external port for the internal one where nothing is remembered, and UDP where it is UDP', async () => {
    const { gateway, hex } = natPmp(removed)
    await gateway.unmap({ ...outside, protocol: 'UDP' })
    expect(hex()).toEqual(['000100009c40000000000000'])
  })

  it('is refused by a gateway that says so', async () => {
    const { gateway } = natPmp(() => natPmpError(2, 2, 40_000))
    expect(await failureOf(gateway.unmap(outside))).toMatchObject({ code: 'REFUSED', number: 2 })
  })

  it('never asks for internal port 0, which would be all of them', async () => {
    const { gateway, datagrams } = natPmp(removed)
    const all = { ...outside, externalPort: 0 }
    expect(await failureOf(gateway.unmap(all))).toBeInstanceOf(InvalidArgumentError)
    expect(await failureOf(gateway.unmap({ ...all, internalPort: 0 }))).toBeInstanceOf(InvalidArgumentError)
    expect(datagrams.connections).toEqual([])
  })
})

describe('the external address over NAT-PMP', () => {
  it('is what the search has told, or else asked for, once', async () => {
    const told = natPmp(undefined, { externalAddress: '11.22.33.99' })
    expect(await told.gateway.externalAddress()).toBe('11.22.33.99')
    expect(told.hex()).toEqual([])
    const { gateway, hex } = natPmp(() => addressReply())
    expect([await gateway.externalAddress(), await gateway.externalAddress()]).toEqual([EXTERNAL, EXTERNAL])
    expect(hex()).toEqual(['0000'])
  })

  it('is refused where there is none now, and asked for again the next time', async () => {
    let count = 0
    const { gateway } = natPmp(() => (count++ === 0 ? natPmpError(0, 3) : addressReply()))
    const failure = await failureOf(gateway.externalAddress())
    expect(failure).toMatchObject({ code: 'REFUSED', number: 3, standardName: 'Network Failure' })
    expect(await gateway.externalAddress()).toBe(EXTERNAL)
  })
})

/** `natpmpc -a 1 0 udp 60`: what it sends, and what the gateway of a VPN makes of it. */
const SAME_PORT = { ...REQUEST, internalPort: 0, externalPort: 1, lease: { seconds: 60 } } as const
const GIVEN = { mappedExternalPort: 41_001, lifetimeSeconds: 60 }
const STORED = { externalPort: 41_001, protocol: 'UDP', remoteHost: '' } as const

describe('internal port 0, the same port inside and outside', () => {
  const vpn = (reply = GIVEN) => natPmp((request) => natPmpMapReply(request, reply))

  it.each([
    ['UDP', '0001' + '0000' + '0000' + '0001' + '0000003c'],
    ['TCP', '0002' + '0000' + '0000' + '0001' + '0000003c'],
  ] as const)('is asked for as natpmpc does: %s', async (protocol, bytes) => {
    const { gateway, hex, nothingLeft } = vpn()
    expect(await gateway.mapAny({ ...SAME_PORT, protocol })).toMatchObject({
      externalPort: 41_001,
      internalPort: 41_001,
      internalClient: CLIENT,
      leaseSeconds: 60,
    })
    expect(hex()).toEqual([bytes])
    nothingLeft()
  })

  it('is asked for again with internal port 0 and the port that was given', async () => {
    const { gateway, hex } = vpn()
    const mapped = await gateway.map({ ...SAME_PORT, protocol: 'UDP', externalPort: 41_001 })
    expect(mapped).toMatchObject({ externalPort: 41_001, internalPort: 41_001 })
    expect(hex()).toEqual(['0001' + '0000' + '0000' + 'a029' + '0000003c'])
  })

  it('is also given by a gateway that answers with the port in place of 0, and by none that means another', () => {
    const request = { kind: 'map-request', protocol: 'UDP', internalPort: 0, suggestedExternalPort: 1 } as const
    const isTaken = (internalPort: number): boolean => {
      const response = { kind: 'map-response', protocol: 'UDP', epochSeconds: 1, internalPort, ...GIVEN } as const
      return responseTo({ ...request, lifetimeSeconds: 60 }, response) !== undefined
    }
    expect([0, 41_001, 5000].map(isTaken)).toEqual([true, true, false])
  })

  it('is never deleted: that would close every port of this computer and protocol', async () => {
    const { gateway, another, asked, options } = vpn()
    const mapped = await gateway.mapAny({ ...SAME_PORT, protocol: 'UDP' })
    expect(await options.memory.recall(STORED)).toEqual({ internalClient: CLIENT, internalPort: 0 })
    const shown = { ...STORED, internalClient: CLIENT, internalPort: mapped.internalPort ?? 0 }
    for (const mapping of [STORED, shown, { ...shown, internalPort: 0 }]) {
      const failure = await failureOf(another().unmap(mapping))
      expect(failure).toBeInstanceOf(InvalidArgumentError)
    }
    expect(await failureOf(gateway.unmap(STORED))).toMatchObject({
      message: expect.stringContaining('external port 41001 UDP ends with its lease'),
    })
    expect(asked().map(({ lifetimeSeconds }) => lifetimeSeconds)).toEqual([60])
  })

  it('is not taken back if it is another than the other protocol has, which is told', async () => {
    const { gateway, asked, options } = vpn()
    const failure = await failureOf(gateway.map({ ...SAME_PORT, protocol: 'UDP', externalPort: 41_002 }))
    expect(failure).toBeInstanceOf(NotConfirmedError)
    expect(failure).toMatchObject({ message: expect.stringMatching(/offered 41001 instead; .* its lease in 60 s$/) })
    expect(asked()).toHaveLength(1)
    expect(await options.memory.recall(STORED)).toMatchObject({ internalPort: 0 })
  })

  it('is refused by other gateways, and asked for once', async () => {
    const { gateway, asked } = natPmp(() => natPmpError(2, 2))
    expect(await failureOf(gateway.mapAny(SAME_PORT))).toMatchObject({ code: 'REFUSED', number: 2 })
    expect(asked()).toHaveLength(1)
  })
})

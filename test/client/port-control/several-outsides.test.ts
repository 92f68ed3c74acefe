import { describe, expect, it } from 'vitest'
import {
  mapAsked,
  mapReply,
  natPmpError,
  natPmpMapAsked,
  natPmpMapReply,
  type PortControlAnswering,
  pcpError,
} from '../../support/port-control-replies.ts'
import { failureOf, natPmp, pcp, REQUEST } from './gateway-asked.ts'

const OTHER = { ...REQUEST, externalPort: 8081 }
const outside = { externalPort: 8080, protocol: 'TCP', remoteHost: '' } as const

/** A gateway of either protocol: what it was asked for, as `port lifetime`. */
interface Both {
  readonly name: string
  begin(answer?: PortControlAnswering): ReturnType<typeof pcp> | ReturnType<typeof natPmp>
  readonly reply: PortControlAnswering
  readonly refusal: (request: Uint8Array) => Uint8Array
  readonly isRemoval: (request: Uint8Array) => boolean
  /** What a removal suggests. */
  readonly removal: string
}

const PCP: Both = {
  name: 'PCP',
  begin: (answer) => pcp(answer),
  reply: (request) => mapReply(request),
  refusal: (request) => pcpError(request, 8),
  isRemoval: (request) => mapAsked(request).lifetimeSeconds === 0,
  removal: '8080 0',
}
const NAT_PMP: Both = {
  name: 'NAT-PMP',
  begin: (answer) => natPmp(answer),
  reply: (request) => natPmpMapReply(request),
  refusal: () => natPmpError(2, 4),
  isRemoval: (request) => natPmpMapAsked(request).lifetimeSeconds === 0,
  removal: '0 0',
}

const logOf = ({ asked }: ReturnType<Both['begin']>): string[] =>
  asked().map(({ suggestedExternalPort, lifetimeSeconds }) => `${suggestedExternalPort} ${lifetimeSeconds}`)

describe.each([PCP, NAT_PMP])('one of several external ports of an inside, over $name', ({ begin, ...both }) => {
  it('is closed alone: all are, and the others made again for what is left of their leases', async () => {
    const net = begin()
    await net.gateway.map(REQUEST)
    await net.gateway.map(OTHER)
    await net.clock.advance(600_000)
    await net.another().unmap(outside)
    expect(logOf(net).slice(2)).toEqual([both.removal, both.removal, '8081 3000'])
    expect(net.asked().every(({ internalPort }) => internalPort === 80)).toBe(true)
    expect([await net.gateway.remembers(outside), await net.gateway.remembers(OTHER)]).toEqual([false, true])
    net.nothingLeft()
  })

  it('is closed with one request where it is the only one', async () => {
    const net = begin()
    await net.gateway.map(REQUEST)
    await net.gateway.map({ ...OTHER, internalPort: 81 })
    await net.gateway.map({ ...OTHER, protocol: 'UDP' })
    await net.gateway.unmap(outside)
    expect(logOf(net).slice(3)).toEqual([both.removal])
  })

  it('is not closed where the gateway refuses the first removal, and nothing else is touched', async () => {
    const net = begin((request, ...rest) =>
      both.isRemoval(request) ? both.refusal(request) : both.reply(request, ...rest),
    )
    await net.gateway.map(REQUEST)
    await net.gateway.map(OTHER)
    expect(await failureOf(net.gateway.unmap(outside))).toMatchObject({ code: 'REFUSED' })
    expect(logOf(net).slice(2)).toEqual([both.removal])
    expect(await net.gateway.remembers(outside)).toBe(true)
  })

  it('is closed also where the second removal is refused: there is nothing left', async () => {
    let removals = 0
    const net = begin((request, ...rest) =>
      both.isRemoval(request) && removals++ > 0 ? both.refusal(request) : both.reply(request, ...rest),
    )
    await net.gateway.map(REQUEST)
    await net.gateway.map(OTHER)
    await net.gateway.unmap(outside)
    expect(logOf(net).slice(2)).toEqual([both.removal, both.removal, '8081 3600'])
  })

  it('tells where another one cannot be made again, and still tries the rest', async () => {
    let isOver = false
    const net = begin((request, ...rest) => {
      isOver ||= both.isRemoval(request)
      const isOther = isOver && !both.isRemoval(request) && JSON.stringify([...request]).includes('31,145') // 8081
      return isOther ? both.refusal(request) : both.reply(request, ...rest)
    })
    await net.gateway.map(REQUEST)
    await net.gateway.map(OTHER)
    await net.gateway.map({ ...OTHER, externalPort: 8082 })
    expect(await failureOf(net.gateway.unmap(outside))).toMatchObject({
      code: 'TRANSPORT',
      message: expect.stringMatching(
        /^external port 8081 TCP, .* was closed too and could not be opened again: .* was refused/,
      ),
    })
    expect(await net.gateway.remembers(outside)).toBe(false)
    expect(logOf(net).slice(3)).toEqual([...Array(3).fill(both.removal), '8081 3600', '8082 3600'])
  })

  it('leaves alone what the gateway has lost since, or what has ended', async () => {
    const net = begin()
    await net.gateway.map(REQUEST)
    await net.gateway.map({ ...OTHER, lease: { seconds: 60 } })
    await net.clock.advance(61_000)
    await net.gateway.unmap(outside)
    expect(logOf(net).slice(2)).toEqual([both.removal])
  })

  it('is not made again at the end if another computer has it since', async () => {
    const elsewhere = { assignedExternalPort: 40_000, mappedExternalPort: 40_000 }
    let isTaken = false
    const net = begin((request, ...rest) => {
      if (both.isRemoval(request) || !isTaken) return both.reply(request, ...rest)
      return both.name === 'PCP' ? mapReply(request, elsewhere) : natPmpMapReply(request, elsewhere)
    })
    await net.gateway.map(REQUEST)
    isTaken = true
    await net.gateway.mapAny(REQUEST)
    expect(await net.gateway.remembers(outside)).toBe(false)
    await net.gateway.unmap({ ...outside, externalPort: 40_000, internalPort: REQUEST.internalPort })
    expect(logOf(net).slice(2)).toEqual([both.name === 'PCP' ? '40000 0' : '0 0'])
  })

  it('is not made again when another port is offered in its place, and taken back', async () => {
    const elsewhere = { assignedExternalPort: 40_000, mappedExternalPort: 40_000 }
    let isTaken = false
    const net = begin((request, ...rest) => {
      if (both.isRemoval(request) || !isTaken) return both.reply(request, ...rest)
      return both.name === 'PCP' ? mapReply(request, elsewhere) : natPmpMapReply(request, elsewhere)
    })
    await net.gateway.map(REQUEST)
    isTaken = true
    expect(await failureOf(net.gateway.map(REQUEST))).toMatchObject({ code: 'NOT_CONFIRMED' })
    // From an inside that nobody uses it is asked whether the port is free, and both are closed again.
    const removal = both.name === 'PCP' ? '40000 0' : '0 0'
    expect(logOf(net).slice(2)).toEqual(['8080 120', removal, removal])
    expect(await net.gateway.remembers(outside)).toBe(false)
  })

  it('is taken back if an earlier request without an answer may have made it, although the other port is free', async () => {
    const elsewhere = { assignedExternalPort: 40_000, mappedExternalPort: 40_000 }
    const net = begin((request, ...rest) => {
      if (both.isRemoval(request)) return both.reply(request, ...rest)
      return both.name === 'PCP' ? mapReply(request, elsewhere) : natPmpMapReply(request, elsewhere)
    })
    const failure = await failureOf(net.gateway.map(REQUEST, { mayBeMade: true }))
    expect(failure).toMatchObject({ code: 'NOT_CONFIRMED', isClosedAgain: true })
    expect(logOf(net).slice(1)).toEqual([both.name === 'PCP' ? '40000 0' : '0 0']) // nobody is asked whether it is free
  })

  it('that comes in the place of another is taken back, and those before it are made again', async () => {
    let granted = 0
    const net = begin((request, ...rest) => {
      if (both.isRemoval(request) || granted++ === 0 || granted > 3) return both.reply(request, ...rest)
      const port = { assignedExternalPort: 40_000, mappedExternalPort: 40_000 }
      return both.name === 'PCP' ? mapReply(request, port) : natPmpMapReply(request, port)
    })
    await net.gateway.map(OTHER)
    expect(await failureOf(net.gateway.map(REQUEST))).toMatchObject({ code: 'NOT_CONFIRMED' })
    const takenBack = both.name === 'PCP' ? '40000 0' : '0 0'
    const isFree = ['8080 120', takenBack] // it is not
    expect(logOf(net)).toEqual(['8081 3600', '8080 3600', ...isFree, takenBack, takenBack, '8081 3600'])
  })

  it('that another program has had before is left alone, because the one that was asked for is free', async () => {
    // It has one external port for an inside, as RFC 6886 3.3 wants it.
    const net = begin((request, ...rest) => {
      const { internalPort } = both.name === 'PCP' ? mapAsked(request) : natPmpMapAsked(request)
      if (internalPort !== 80 || both.isRemoval(request)) return both.reply(request, ...rest)
      const port = { assignedExternalPort: 8081, mappedExternalPort: 8081 }
      return both.name === 'PCP' ? mapReply(request, port) : natPmpMapReply(request, port)
    })
    const failure = await failureOf(net.gateway.map(REQUEST))
    expect(failure).toMatchObject({
      message:
        'external port 8080 TCP is not available: 192.168.1.1:5351 has port 80 of this computer open at 8081 already; ' +
        "externalPort: 'any' takes what it offers",
      isClosedAgain: true,
    })
    expect(
      net.asked().filter(({ internalPort, lifetimeSeconds }) => internalPort === 80 && lifetimeSeconds === 0),
    ).toEqual([])
    expect(logOf(net)).toEqual(['8080 3600', '8080 120', both.name === 'PCP' ? '8080 0' : '0 0'])
    net.nothingLeft()
  })
})

describe('what a gateway has told of its epoch', () => {
  it.each([PCP, NAT_PMP])('over $name tells which mappings it has lost', async ({ name, removal }) => {
    const epochs = [1000, 1001, 3] // it has begun anew before the third
    const told = () => ({ epochSeconds: epochs.shift() ?? 3 })
    const net =
      name === 'PCP'
        ? pcp((request) => mapReply(request, told()))
        : natPmp((request) => natPmpMapReply(request, told()))
    await net.gateway.map(REQUEST)
    await net.gateway.map(OTHER)
    await net.clock.advance(100_000)
    await net.gateway.map({ ...OTHER, externalPort: 8082 })
    await net.gateway.unmap(outside)
    expect(logOf(net).slice(3)).toEqual([removal, removal, '8082 3600'])
  })

  it.each([
    ['PCP', () => pcp(undefined, { epochSeconds: 5 })],
    ['NAT-PMP', () => natPmp(undefined, { epochSeconds: 5 })],
  ])('over %s grows old: a mapping is not lost because nothing has been asked for an hour', async (_name, begin) => {
    const net = begin()
    const young = { epochSeconds: 5 }
    net.datagrams.onRequest = ({ bytes }, peer) =>
      peer.deliver(bytes[0] === 2 ? mapReply(bytes, young) : natPmpMapReply(bytes, young))
    await net.gateway.map({ ...REQUEST, lease: 'unlimited' })
    await net.gateway.map({ ...OTHER, lease: 'unlimited' })
    await net.clock.advance(3_600_000)
    await net.gateway.unmap(outside)
    expect(logOf(net).at(-1)).toBe('8081 3600')
  })
})

describe('whether a mapping is remembered', () => {
  it.each([
    ['PCP', pcp],
    ['NAT-PMP', natPmp],
  ])('is known over %s until its lease ends', async (_name, begin) => {
    const net = begin()
    expect(await net.gateway.remembers(outside)).toBe(false)
    await net.gateway.map(REQUEST)
    expect(await net.another().remembers(outside)).toBe(true)
    expect(await net.gateway.remembers({ ...outside, protocol: 'UDP' })).toBe(false)
    await net.clock.advance(3_600_000)
    expect(await net.gateway.remembers(outside)).toBe(false)
  })
})

describe('a mapping for one remote host', () => {
  it('is made again for that one only', async () => {
    const net = pcp((request) => mapReply(request))
    await net.gateway.map({ ...OTHER, remoteHost: '198.51.100.7' })
    await net.gateway.map(REQUEST)
    await net.another().unmap(outside)
    const again = net.asked().at(-1)
    expect(again?.suggestedExternalPort).toBe(8081)
    expect(again?.options).toEqual([
      { kind: 'FILTER', prefixLength: 128, remotePort: 0, remoteAddress: '198.51.100.7' },
    ])
  })
})

describe('another port than the one that was asked for', () => {
  it.each([
    {
      name: 'PCP',
      net: pcp((request) =>
        PCP.isRemoval(request) ? pcpError(request, 2) : mapReply(request, { assignedExternalPort: 40_000 }),
      ),
    },
    {
      name: 'NAT-PMP',
      net: natPmp((request) =>
        NAT_PMP.isRemoval(request) ? natPmpError(2, 2) : natPmpMapReply(request, { mappedExternalPort: 40_000 }),
      ),
    },
  ])('is told to be open where it cannot be taken back, over $name', async ({ net }) => {
    expect(await failureOf(net.gateway.map(REQUEST))).toMatchObject({
      code: 'NOT_CONFIRMED',
      message: expect.stringMatching(
        / offered 40000 instead; .*; 40000 is open and could not be closed: .* was refused/,
      ),
    })
  })
})

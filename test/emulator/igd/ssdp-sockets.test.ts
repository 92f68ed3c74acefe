import { describe, expect, it } from 'vitest'
import { TransportError } from '../../../src/domain/errors.ts'
import { createCounters } from '../../../src/emulator/gateway-state.ts'
import type { SsdpResponder } from '../../../src/emulator/igd/ssdp-responder.ts'
import { MAX_SEARCHES_PER_SECOND, openSsdp, type SsdpOptions } from '../../../src/emulator/igd/ssdp-responder.ts'
import { encodeSearch } from '../../../src/wire/ssdp.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { ServerDatagrams } from '../server-datagrams.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const SEARCH = encodeSearch({ ST: 'ssdp:all', MX: 2, HOST: '239.255.255.250:1900' })
const NEIGHBOUR = { address: '127.0.0.1', port: 40_000 }

const responder: SsdpResponder = {
  answer: (search) => (search.ST === 'ssdp:all' ? [bytes('one'), bytes('two')] : []),
  alive: () => [bytes('alive')],
  byebye: () => [bytes('byebye')],
}

function setup(datagrams: ServerDatagrams, changes: Partial<SsdpOptions> = {}) {
  const options: SsdpOptions = {
    address: '127.0.0.1',
    port: 0,
    responder,
    searchDelayMs: 0,
    isNeighbour: (address) => address.startsWith('127.'),
    counters: createCounters(),
    clock: new FakeClock(),
    datagrams,
    ...changes,
  }
  return options
}

describe('SSDP on a port of its own', () => {
  it('sends the answer to the sender of the search, and nothing else', async () => {
    const datagrams = new ServerDatagrams()
    const options = setup(datagrams)
    const ssdp = await openSsdp(options)
    expect(ssdp.local).toEqual({ address: '127.0.0.1', port: 50_000 })
    expect(datagrams.opened).toMatchObject([{ address: '127.0.0.1', port: 0, shared: false }])
    datagrams.opened[0]?.onMessage(SEARCH, NEIGHBOUR)
    await ssdp.close()
    expect(datagrams.sentTexts).toEqual(['one to 127.0.0.1:40000', 'two to 127.0.0.1:40000'])
    expect(options.counters.searches).toBe(1)
    expect(datagrams.openCount).toBe(0)
  })

  it('answers a search only after searchDelayMs, and not at all after close()', async () => {
    const datagrams = new ServerDatagrams()
    const clock = new FakeClock()
    const ssdp = await openSsdp(setup(datagrams, { clock, searchDelayMs: 300 }))
    datagrams.opened[0]?.onMessage(SEARCH, NEIGHBOUR)
    await clock.advance(299)
    expect(datagrams.sentTexts).toEqual([])
    await clock.advance(1)
    expect(datagrams.sentTexts).toEqual(['one to 127.0.0.1:40000', 'two to 127.0.0.1:40000'])
    datagrams.opened[0]?.onMessage(SEARCH, NEIGHBOUR)
    await ssdp.close()
    expect(clock.pending).toBe(0)
  })

  it('drops messages that are not searches, and counts datagrams that are not SSDP', async () => {
    const datagrams = new ServerDatagrams()
    const { counters } = setup(datagrams)
    await openSsdp(setup(datagrams, { counters }))
    const receive = (datagram: Uint8Array): void => datagrams.opened[0]?.onMessage(datagram, NEIGHBOUR)
    receive(bytes('NOTIFY * HTTP/1.1\r\nNT: a\r\nNTS: ssdp:alive\r\n\r\n'))
    receive(new Uint8Array())
    receive(new Uint8Array(9000))
    receive(bytes('M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n\r\n')) // without MAN
    for (let length = 1; length < 20; length++) receive(SEARCH.subarray(0, length))
    expect(datagrams.sentTexts).toEqual([])
    expect(counters).toMatchObject({ searches: 0, malformedDatagrams: 22, ignoredDatagrams: 0 })
  })

  it('ignores senders that are not in the subnet, or cannot be answered', async () => {
    const datagrams = new ServerDatagrams()
    const { counters } = setup(datagrams)
    await openSsdp(setup(datagrams, { counters }))
    datagrams.opened[0]?.onMessage(SEARCH, { address: '192.168.1.5', port: 40_000 })
    datagrams.opened[0]?.onMessage(SEARCH, { address: '127.0.0.1', port: 0 })
    expect(datagrams.sentTexts).toEqual([])
    expect(counters).toMatchObject({ searches: 0, ignoredDatagrams: 2 })
  })

  it('answers a limited number of searches in a second, and goes on in the next', async () => {
    const datagrams = new ServerDatagrams()
    const clock = new FakeClock()
    const { counters } = setup(datagrams)
    await openSsdp(setup(datagrams, { counters, clock }))
    const flood = (): void => {
      for (let n = 0; n < MAX_SEARCHES_PER_SECOND + 5; n++) datagrams.opened[0]?.onMessage(SEARCH, NEIGHBOUR)
    }
    flood()
    await clock.advance(999)
    flood()
    expect(counters).toMatchObject({
      searches: MAX_SEARCHES_PER_SECOND,
      ignoredDatagrams: MAX_SEARCHES_PER_SECOND + 10,
    })
    await clock.advance(1)
    flood()
    expect(counters.searches).toBe(2 * MAX_SEARCHES_PER_SECOND)
  })

  it('fails if the port cannot be opened', async () => {
    await expect(openSsdp(setup(new ServerDatagrams('127.0.0.1')))).rejects.toThrow('taken: 127.0.0.1')
  })

  it('reports a socket that fails later', async () => {
    const datagrams = new ServerDatagrams()
    const ssdp = await openSsdp(setup(datagrams))
    expect(ssdp.failure).toBeUndefined()
    datagrams.opened[0]?.onError?.(new TransportError('gone'))
    expect(ssdp.failure?.message).toBe('gone')
  })
})

describe('SSDP on port 1900', () => {
  it('listens to the group on its own interface, and answers from its own address', async () => {
    const datagrams = new ServerDatagrams()
    await openSsdp(setup(datagrams, { port: 1900 }))
    expect(datagrams.opened).toMatchObject([
      { address: '127.0.0.1', port: 1900, shared: true, multicastInterface: '127.0.0.1', multicastTtl: 2 },
      {
        address: '239.255.255.250',
        port: 1900,
        shared: true,
        multicastInterface: '127.0.0.1',
        multicastGroup: '239.255.255.250',
      },
    ])
    datagrams.messages.length = 0
    datagrams.opened[1]?.onMessage(SEARCH, NEIGHBOUR)
    expect(datagrams.sentTexts).toEqual(['one to 127.0.0.1:40000', 'two to 127.0.0.1:40000'])
  })

  it('announces itself at the start and every 15 minutes, and says goodbye at the end', async () => {
    const datagrams = new ServerDatagrams()
    const clock = new FakeClock()
    const ssdp = await openSsdp(setup(datagrams, { port: 1900, clock }))
    expect(datagrams.sentTexts).toEqual(['alive to 239.255.255.250:1900'])
    await clock.advance(1_799_999)
    expect(datagrams.sentTexts).toHaveLength(2)
    await ssdp.close()
    expect(datagrams.sentTexts[2]).toBe('byebye to 239.255.255.250:1900')
    expect([datagrams.openCount, clock.pending]).toEqual([0, 0])
  })

  it('listens on all addresses if the system cannot bind to a group address', async () => {
    const datagrams = new ServerDatagrams('239.255.255.250')
    await openSsdp(setup(datagrams, { port: 1900 }))
    expect(datagrams.opened[2]).toMatchObject({ address: '0.0.0.0', multicastGroup: '239.255.255.250' })
    expect(datagrams.openCount).toBe(2)
  })

  it('leaves nothing open if the group cannot be joined', async () => {
    const datagrams = new ServerDatagrams('239.255.255.250', '0.0.0.0')
    const clock = new FakeClock()
    await expect(openSsdp(setup(datagrams, { port: 1900, clock }))).rejects.toThrow('taken: 0.0.0.0')
    expect([datagrams.openCount, clock.pending, datagrams.sentTexts]).toEqual([0, 0, []])
  })
})

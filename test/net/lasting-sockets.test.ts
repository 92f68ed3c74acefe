import { describe, expect, it } from 'vitest'
import type { ConnectedSocket } from '../../src/net/datagrams.ts'
import { LastingSockets } from '../../src/net/lasting-sockets.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ScriptedDatagrams } from '../support/scripted-datagrams.ts'

const REMOTE = { address: '192.168.1.1', port: 5351 }
const REQUEST = Uint8Array.of(0, 0)
const REPLY = Uint8Array.of(0, 128)

function lasting() {
  const clock = new FakeClock()
  const network = new ScriptedDatagrams(clock)
  const sockets = new LastingSockets(network, clock)
  const heard: string[] = []
  const ask = (name = '', remote = REMOTE, localAddress?: string): Promise<ConnectedSocket> =>
    sockets.connect({
      remote,
      localAddress,
      onMessage: () => heard.push(name),
      onError: () => heard.push(`${name} failed`),
    })
  /** One question, and so many replies. */
  const asked = async (name = '', replies = 1): Promise<void> => {
    const socket = await ask(name)
    socket.send(REQUEST)
    for (let at = 0; at < replies; at++) network.connection().deliver(REPLY)
    socket.close()
  }
  return { clock, network, sockets, heard, ask, asked }
}

describe('a socket that lasts', () => {
  it('serves a thousand questions, one after the other, and is closed after a second without one', async () => {
    const { clock, network, asked, heard } = lasting()
    for (let at = 0; at < 1000; at++) await asked(String(at))
    expect(heard).toEqual(Array.from({ length: 1000 }, (_, at) => String(at)))
    expect([network.connections.length, network.openCount, clock.pending]).toEqual([1, 1, 1])
    await clock.advance(999)
    await asked()
    await clock.advance(999)
    expect(network.openCount).toBe(1)
    await clock.advance(1)
    expect([network.connections.length, network.openCount, clock.pending]).toEqual([1, 0, 0])
    await asked()
    expect(network.connections).toHaveLength(2)
  })

  it.each([
    ['there was no reply', 0],
    ['there were two replies', 2],
  ])('is not used again if %s', async (_, replies) => {
    const { network, asked } = lasting()
    await asked('first', replies)
    expect(network.openCount).toBe(0)
    await asked('second')
    expect(network.connections).toHaveLength(2)
  })

  it('is not used again if a request was sent twice: the other reply may come late', async () => {
    const { network, ask } = lasting()
    const socket = await ask()
    for (const _ of [1, 2]) socket.send(REQUEST)
    network.connection().deliver(REPLY)
    socket.close()
    expect(network.openCount).toBe(0)
  })

  it('is closed if something comes while nobody asks', async () => {
    const { clock, network, asked, heard } = lasting()
    await asked('first')
    network.connection().deliver(REPLY)
    expect([heard, network.openCount, clock.pending]).toEqual([['first'], 0, 0])
  })

  it('fails for whoever uses it, and is not used again', async () => {
    const { clock, network, ask, asked, heard } = lasting()
    const socket = await ask('one')
    socket.send(REQUEST)
    network.connection().fail()
    socket.close()
    await asked('other')
    expect([heard, network.connections.length]).toEqual([['one failed', 'other'], 2])
    network.connection().fail()
    await asked('third')
    expect([heard.at(-1), network.connections.length, clock.pending]).toEqual(['third', 3, 1])
  })

  it('sends nothing more for a question that is over', async () => {
    const { network, ask } = lasting()
    const over = await ask('over')
    over.send(REQUEST)
    network.connection().deliver(REPLY)
    over.close()
    const socket = await ask('next')
    over.send(REQUEST)
    over.close()
    socket.send(REQUEST)
    expect([network.connections.length, network.requests.length, network.openCount]).toEqual([1, 2, 1])
  })

  it('serves one question at a time, one gateway, and one local address', async () => {
    const { network, ask } = lasting()
    const open = [
      await ask('one'),
      await ask('at the same time'),
      await ask('another gateway', { address: '192.168.1.2', port: 5351 }),
      await ask('another address', REMOTE, '192.168.1.11'),
    ]
    expect(network.connections).toHaveLength(4)
    for (const socket of open) socket.close()
    expect(network.openCount).toBe(3) // of two to the same gateway one is enough
  })

  it('serves no new question after half a minute', async () => {
    const { clock, network, asked } = lasting()
    for (let second = 0; second <= 32; second++) {
      await asked()
      await clock.advance(999)
    }
    expect(network.connections).toHaveLength(2)
  })

  it('keeps nothing alive at the end', async () => {
    const { clock, network, sockets, ask, asked } = lasting()
    const used = await ask()
    await asked()
    sockets.close()
    expect([network.openCount, clock.pending]).toEqual([1, 0])
    used.close()
    await asked()
    expect([network.openCount, clock.pending]).toEqual([0, 0])
  })
})

/** Many ports: what --keep does for each of them does not grow with how many there are. It is counted, not timed. */
import { describe, expect, it } from 'vitest'
import { FIRST_DYNAMIC_PORT } from '../../../src/domain/ports.ts'
import { memoryFiles, type PrivateFiles } from '../../../src/net/files/private-files.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { addressReply, announceReply, mapReply, natPmpMapReply } from '../../support/port-control-replies.ts'
import { runCli } from '../../support/run-cli.ts'
import { ScriptedDatagrams } from '../../support/scripted-datagrams.ts'

const LAN = { name: 'eth0', address: '192.168.1.10', netmask: '255.255.255.0', loopback: false }
const GATEWAYS = {
  pcp: (request: Uint8Array, epochSeconds: number) =>
    request[1] === 0 ? announceReply(epochSeconds) : mapReply(request, { epochSeconds }),
  'nat-pmp': (request: Uint8Array, epochSeconds: number) =>
    request[1] === 0 ? addressReply(undefined, epochSeconds) : natPmpMapReply(request, { epochSeconds }),
}
const MINUTE_MS = 60_000
/** By then all are open. */
const FIRST_LOOK_MS = 8000
/** How long a gateway takes for an answer. */
const ANSWER_MS = 3

/** Keeps so many ports for three minutes, and counts. */
async function kept(count: number, via: keyof typeof GATEWAYS) {
  const clock = new FakeClock()
  const datagrams = new ScriptedDatagrams(clock)
  datagrams.onRequest = ({ bytes, atMs }, peer) => {
    const reply = GATEWAYS[via](bytes, 3600 + Math.floor(atMs / 1000))
    clock.schedule(ANSWER_MS, () => peer.deliver(reply))
  }
  const files = memoryFiles()
  const counts = { lists: 0, saidBytes: 0, hardwareAddresses: 0 }
  const counting: PrivateFiles = {
    ...files,
    list(prefix) {
      counts.lists++
      return files.list(prefix)
    },
    write(name, text) {
      if (name.startsWith('keeper-')) counts.saidBytes += text.length
      return files.write(name, text)
    },
  }
  let end = (): void => {}
  const ports = Array.from({ length: count }, (_, at) => [String(FIRST_DYNAMIC_PORT + at), 'TCP']).flat()
  const running = runCli(['-r', ...ports, '--keep', '--via', via, '--gateway', '192.168.1.1'], {
    clock,
    datagrams,
    files: counting,
    interfaces: () => [LAN],
    hardwareAddress: async () => {
      counts.hardwareAddresses++
      return '02005e100001'
    },
    onSignal: (_, listener) => {
      end = () => listener('SIGTERM')
      return () => {}
    },
  })
  while (datagrams.requests.filter(({ bytes }) => bytes[1] !== 0).length < count) await clock.advance(100)
  const opening = { ...counts, sockets: datagrams.connections.length }
  await clock.advance(3 * MINUTE_MS)
  const open = datagrams.connections.filter(({ isOpen }) => isOpen).length
  end()
  let isOver = false
  const over = running.finally(() => {
    isOver = true
  })
  while (!isOver) await clock.advance(10)
  const { stdout, exitCode } = await over
  const closed = stdout.split('\n').filter((line) => line.endsWith('closed')).length
  return { opening, counts, exitCode, closed, open, left: datagrams.openCount, pending: clock.pending, datagrams }
}

describe.each(['pcp', 'nat-pmp'] as const)('1000 ports over %s', (via) => {
  it('are opened, looked at and closed over one socket for each series of questions', async () => {
    const { opening, datagrams, exitCode, closed, open, left, pending } = await kept(1000, via)
    expect([exitCode, closed, left, pending]).toEqual([0, 1000, 0, 0])
    expect(open).toBeLessThan(2)
    expect(opening.sockets).toBeLessThanOrEqual(2)
    // There are routers that drop what is more than 200 in a second.
    const beganMs = datagrams.requests[0]?.atMs ?? 0 // the program was being loaded until then
    const later = datagrams.requests
      .map(({ atMs }) => atMs - beganMs)
      .filter((atMs) => atMs > FIRST_LOOK_MS && atMs < 3 * MINUTE_MS)
    const perSecond = new Map<number, number>()
    for (const atMs of later) {
      const second = Math.floor(atMs / 1000)
      perSecond.set(second, 1 + (perSecond.get(second) ?? 0))
    }
    expect(later.length).toBeGreaterThan(3000)
    expect(Math.max(...perSecond.values())).toBeLessThan(150)
    const pauses = datagrams.requests.filter(({ atMs }, at) => atMs > 1000 + (datagrams.requests[at - 1]?.atMs ?? 0))
    expect(datagrams.connections.length).toBeLessThanOrEqual(opening.sockets + pauses.length)
  }, 60_000)
})

describe('the work of a keeper', () => {
  it('that lists, asks who the router is, and says what it keeps is not more for each of more ports', async () => {
    const [few, many] = [await kept(200, 'pcp'), await kept(400, 'pcp')]
    for (const name of ['lists', 'hardwareAddresses', 'saidBytes'] as const) {
      expect(few.opening[name]).toBeGreaterThan(0)
      expect(many.opening[name]).toBeLessThan(3 * few.opening[name])
      expect(many.counts[name]).toBeLessThan(3 * few.counts[name])
    }
    expect(many.opening.lists).toBeLessThan(20)
  }, 60_000)
})

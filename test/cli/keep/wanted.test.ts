/** What is kept of a command line, and the marks of what a keeper has made. */

import { describe, expect, it } from 'vitest'
import { keptOf } from '../../../src/cli/keep/wanted.ts'
import { type GatewayInvocation, parseInvocation } from '../../../src/cli/parse/invocation.ts'
import { TransportError } from '../../../src/domain/errors.ts'
import type { Gateway } from '../../../src/domain/gateway.ts'
import type { GatewayProtocol } from '../../../src/domain/port-mapping.ts'
import type { HeldEither, KeptEither } from '../../../src/keeper/kept-either.ts'
import { OwnMarks } from '../../../src/library/own-marks.ts'
import { memoryFiles } from '../../../src/net/files/memory-files.ts'
import type { PrivateFiles } from '../../../src/net/files/private-files.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { ASKED, MAPPING } from '../../support/report-parts.ts'
import { SimulatedRouter } from '../../support/simulated-gateway.ts'

const NO_MARKS = { has: () => Promise.resolve(false) }

function wantedBy(argv: readonly string[], interfaces: readonly string[] = []): readonly KeptEither[] {
  const invocation = parseInvocation([...argv, '--keep']) as GatewayInvocation
  const ours = interfaces.map((address, at) => ({ name: `eth${at}`, address, netmask: '', loopback: false }))
  return keptOf(invocation, { interfaces: () => ours }, NO_MARKS)
}

async function made(kept: readonly KeptEither[], protocol: GatewayProtocol = 'igd') {
  const router = new SimulatedRouter(new FakeClock(), protocol)
  const gateway = await router.open()
  for (const each of kept) await each.make(gateway)
  return router
}

describe('what is kept', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['-r', ['-r', '80', '8080', 'TCP', '53', 'UDP'], ['external port 8080 TCP', 'external port 53 UDP']],
    ['-r of both', ['-r', '22', 'TCP+UDP'], ['external port 22 UDP', 'external port 22 TCP']],
    ['any port', ['--via', 'nat-pmp', '-r', '1', '0', 'TCP'], ['external port (any) TCP']],
    ['-a', ['-a', '@', '80', '8080', 'TCP'], ['external port 8080 TCP']],
    ['-A', ['-A', '', '0', '@', '22', 'TCP', '60'], ['pinhole for port 22 TCP']],
    ['-A for another', ['-A', '', '0', '2001:db8::7', '22', 'UDP', '60'], ['pinhole for port 22 UDP of 2001:db8::7']],
  ])('has a name for people: %s', (_, argv, names) => {
    expect(wantedBy(argv).map(({ name }) => name)).toEqual(names)
  })

  it('is for this computer, whatever its address, or for the one that was named', async () => {
    expect((await made(wantedBy(['-r', '80', '8080', 'TCP']))).table).toEqual(['8080/TCP -> 192.168.1.10:80'])
    const other = await made(wantedBy(['-a', '192.168.1.77', '80', '8080', 'TCP']))
    expect(other.table).toEqual(['8080/TCP -> 192.168.1.77:80'])
  })

  it('of TCP+UDP is on one port, whichever the router gives', async () => {
    const kept = wantedBy(['--via', 'nat-pmp', '-r', '1', '0', 'TCP+UDP'])
    const { table } = await made(kept, 'nat-pmp')
    const ports = new Set(table.map((line) => line.split('/')[0]))
    expect([table.length, ports.size]).toEqual([2, 1])
    expect(kept.map(({ name }) => name)).toEqual(
      [...ports].flatMap((p) => [`external port ${p} UDP`, `external port ${p} TCP`]),
    )
  })

  it('of a pinhole is for an address of this computer that the internet can reach', async () => {
    const addresses = ['fe80::1', 'fd00::1', '2a00::1']
    const { pinholes } = await made(wantedBy(['-A', '', '0', '@', '22', 'TCP', '60'], addresses))
    expect(pinholes).toEqual(['1: 22 -> 2a00::1'])
  })

  it('is nothing for other commands', () => {
    const invocation = parseInvocation(['-l']) as GatewayInvocation
    expect(keptOf(invocation, { interfaces: () => [] }, NO_MARKS)).toEqual([])
  })
})

function gatewayAt(address: string, protocol: GatewayProtocol = 'igd'): Gateway {
  return { protocol, address } as Gateway
}

function held(
  externalPort: number,
  more: { wasThere?: boolean; leaseSeconds?: number; remoteHost?: string } = {},
): HeldEither {
  const { wasThere = false, leaseSeconds = 3600, remoteHost = '' } = more
  const mapping = { ...MAPPING, protocol: 'TCP', externalPort, leaseSeconds, remoteHost }
  return { mapping, asked: ASKED, leaseMs: 1000, wasThere }
}

const KEPT = { name: 'one' } as KeptEither
const OTHER = { name: 'other' } as KeptEither
const key = (externalPort: number, remoteHost = '') => ({ externalPort, protocol: 'TCP', remoteHost }) as const

function marking(files = memoryFiles(), clock = new FakeClock()) {
  const marks = new OwnMarks(files, clock)
  marks.meet(gatewayAt('192.168.1.1'))
  return { files, clock, marks, next: () => marking(files, clock).marks, list: () => files.list('') }
}

describe('a mark of what a keeper has made', () => {
  it('tells the next keeper, until it is removed', async () => {
    const { marks, next, list } = marking()
    expect(await marks.has(key(22))).toBe(false)
    marks.set(KEPT, held(22))
    expect([await next().has(key(22)), await next().has(key(23))]).toEqual([true, false])
    marks.remove(KEPT)
    expect(await next().has(key(22))).toBe(false)
    expect(await list()).toEqual([])
  })

  it('moves with the port, and leaves none behind', async () => {
    const { marks, next, list } = marking()
    marks.set(KEPT, held(22))
    marks.set(OTHER, held(30))
    marks.set(KEPT, held(23))
    expect([await next().has(key(22)), await next().has(key(23))]).toEqual([false, true])
    marks.remove(KEPT)
    marks.remove(OTHER)
    expect(await list()).toEqual([])
  })

  it('is about one gateway; what was left on another is known there', async () => {
    const { marks, next } = marking()
    marks.set(KEPT, held(22))
    marks.meet(gatewayAt('fe80::1%eth0'))
    expect(await marks.has(key(22))).toBe(false)
    marks.set(KEPT, held(22))
    expect(await marks.has(key(22))).toBe(true)
    marks.remove(KEPT)
    expect(await next().has(key(22))).toBe(true)
  })

  it('is about one remote host', async () => {
    const { marks, next } = marking()
    marks.set(KEPT, held(22, { remoteHost: '1.2.3.4' }))
    expect([await next().has(key(22, '1.2.3.4')), await next().has(key(22))]).toEqual([true, false])
  })

  it('is not made for what was there before', async () => {
    const { marks, list } = marking()
    marks.set(KEPT, held(22, { wasThere: true }))
    expect(await list()).toEqual([])
  })

  it.each(['pcp', 'nat-pmp'] as const)(
    'is not made over %s, which does not show what was there before',
    async (protocol) => {
      const { marks, list } = marking()
      marks.meet(gatewayAt('192.168.1.1', protocol))
      marks.set(KEPT, held(22))
      expect([await list(), await marks.has(key(22))]).toEqual([[], false])
    },
  )

  it('is worth nothing when the lease is over, which a renewal puts off, and is tidied away', async () => {
    const { marks, clock, next, list } = marking()
    marks.set(KEPT, held(22))
    await clock.advance(3_000_000)
    marks.set(KEPT, held(22))
    await clock.advance(3_000_000)
    expect(await next().has(key(22))).toBe(true)
    await clock.advance(600_000)
    expect(await next().has(key(22))).toBe(false)
    marks.set(KEPT, held(22))
    await clock.advance(3_600_000)
    next().set(OTHER, held(99))
    await settle()
    expect(await list()).toEqual([expect.stringMatching(/-TCP-99$/)])
  })

  it('lasts where the gateway does not show how long the lease does', async () => {
    const { marks, clock, next } = marking()
    marks.set(KEPT, held(22, { leaseSeconds: 0 }))
    await clock.advance(1e10)
    expect(await next().has(key(22))).toBe(true)
  })

  it('is worth nothing where the gateway shows what somebody else has made since; routers cut descriptions', async () => {
    const { description } = MAPPING
    const { marks, next, list } = marking()
    marks.set(KEPT, held(22))
    expect(await next().has(key(22), description.slice(0, -1))).toBe(true)
    expect(await next().has(key(22), `not ${description}`)).toBe(false)
    expect(await list()).toEqual([])
  })

  it.each(['', 'x', 'null', '[]', '{"endsWallMs":"x"}'])('that makes no sense is none: %j', async (text) => {
    const { marks, files, list, next } = marking()
    marks.set(KEPT, held(22))
    const [file = ''] = await list()
    await files.write(file, text)
    expect(await next().has(key(22))).toBe(false)
  })

  it('of the first keepers has no version, and counts', async () => {
    const { marks, files, list, next } = marking()
    marks.set(KEPT, held(22))
    const [file = ''] = await list()
    const { version, ...first } = JSON.parse((await files.read(file)) ?? '')
    expect(version).toBe(1)
    await files.write(file, JSON.stringify(first))
    expect(await next().has(key(22))).toBe(true)
  })

  it.each([2, 0, '1', null, {}])('of another version is neither counted nor tidied away: %j', async (version) => {
    const { marks, files, list, next } = marking()
    marks.set(KEPT, held(22))
    const [file = ''] = await list()
    const text = JSON.stringify({ version, endsWallMs: null, description: MAPPING.description })
    await files.write(file, text)
    expect(await next().has(key(22))).toBe(false)
    next().set(OTHER, held(99))
    await settle()
    expect([await files.read(file), await list()]).toEqual([text, [file, expect.stringMatching(/-TCP-99$/)]])
  })

  it('cannot be made or read where nothing can be written, and nothing else suffers', async () => {
    const fails = (): Promise<never> => Promise.reject(new TransportError('read-only'))
    const files: PrivateFiles = { ...memoryFiles(), read: fails, write: fails, remove: fails, list: fails }
    const { marks } = marking(files)
    marks.set(KEPT, held(22))
    marks.set(KEPT, held(23))
    marks.remove(KEPT)
    expect(await marks.has(key(22))).toBe(false)
    await settle()
  })
})

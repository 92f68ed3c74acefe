import { describe, expect, it } from 'vitest'
import { TransportError } from '../../../src/domain/errors.ts'
import type { Gateway } from '../../../src/domain/gateway.ts'
import type { GatewayProtocol } from '../../../src/domain/port-mapping.ts'
import type { HeldEither, KeptEither } from '../../../src/keeper/kept-pinhole.ts'
import { forgetMark, OwnMarks } from '../../../src/library/keeping/own-marks.ts'
import { memoryFiles, type PrivateFiles, privateFiles } from '../../../src/net/files/private-files.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { ignoredLog } from '../../support/ignored.ts'
import { ASKED, MAPPING } from '../../support/report-parts.ts'

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

  it('of another gateway is tidied away when its lease is over', async () => {
    const { marks, clock, next, list } = marking()
    marks.meet(gatewayAt('10.0.0.138'))
    marks.set(KEPT, held(22))
    marks.set(OTHER, held(23, { leaseSeconds: 0 })) // of which nobody knows when it ends
    marks.meet(gatewayAt('192.168.1.1'))
    marks.set(KEPT, held(24, { leaseSeconds: 0 }))
    const left = async (ms: number) => {
      await clock.advance(ms)
      next().set(KEPT, held(99))
      await settle()
      return (await list()).map((file) => file.replace('kept-', ''))
    }
    const here = ['192.168.1.1-TCP-24', '192.168.1.1-TCP-99']
    expect(await left(0)).toEqual(['10.0.0.138-TCP-22', '10.0.0.138-TCP-23', ...here])
    expect(await left(3_600_000)).toEqual(['10.0.0.138-TCP-23', ...here])
    expect(await left(604_800_000)).toEqual(here)
  })

  it('is forgotten when somebody closes the mapping, and no other is', async () => {
    const { files, marks, list } = marking()
    for (const port of [22, 23]) marks.set({ ...KEPT }, held(port))
    await forgetMark(files, gatewayAt('192.168.1.1'), key(22))
    for (const other of [key(23, '1.2.3.4'), { ...key(23), protocol: 'UDP' } as const])
      await forgetMark(files, gatewayAt('192.168.1.1'), other)
    await forgetMark(files, gatewayAt('192.168.1.2'), key(23))
    await forgetMark(files, gatewayAt(`${'router.'.repeat(30)}lan`), key(23))
    expect(await list()).toEqual(['kept-192.168.1.1-TCP-23'])
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
    await forgetMark(files, gatewayAt('192.168.1.1'), key(22))
    expect(await marks.has(key(22))).toBe(false)
    await settle()
  })

  it('is left out where the gateway has a name that no file can have', async () => {
    const marks = new OwnMarks(privateFiles('/nowhere'), new FakeClock())
    marks.meet({ protocol: 'igd', address: `${'router.'.repeat(30)}lan` } as Gateway)
    expect(await marks.has({ externalPort: 22, protocol: 'TCP', remoteHost: '' })).toBe(false)
    await settle()
  })
})

it('a mark that meets a defect costs the keeper nothing, and is told of', async () => {
  const log = ignoredLog()
  const { marks } = marking({ ...memoryFiles(), write: () => Promise.reject(new RangeError('not a name')) })
  marks.set(KEPT, held(22))
  await settle()
  expect(log.told()).toEqual(['turn the marks of a keeper: RangeError: not a name'])
  log.end()
})

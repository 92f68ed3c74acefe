import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  keptMappings,
  MAX_REMEMBERED,
  type MappingMemory,
  type MappingPlace,
  mappingsMadeAt,
  type RememberedMapping,
} from '../../src/client/mapping-memory.ts'
import { TransportError } from '../../src/domain/errors.ts'
import { memoryFiles, type PrivateFiles, privateFiles } from '../../src/net/files/private-files.ts'
import { FakeClock } from '../support/fake-clock.ts'

const GATEWAY: MappingPlace = { address: '192.168.1.1', via: 'pcp', identity: async () => '0200c0a80101' }
const INSIDE = { internalClient: '192.168.1.10', internalPort: 80 }
const OUTSIDE = { externalPort: 8080, protocol: 'TCP' } as const
const MAPPING: RememberedMapping = { ...OUTSIDE, ...INSIDE, leaseSeconds: 3600 }

function begin(files: PrivateFiles = memoryFiles()) {
  const clock = new FakeClock()
  return { clock, files, memory: keptMappings(files, clock, GATEWAY) }
}

/** The external ports of that inside, whenever they were made. */
async function portsOf(memory: MappingMemory, inside = INSIDE, protocol: 'TCP' | 'UDP' = 'TCP'): Promise<number[]> {
  return (await memory.outsidesOf(protocol, inside, 0)).map(({ externalPort }) => externalPort)
}

let place: string
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'upnp-ts-memory-'))
})
afterAll(() => rmSync(place, { recursive: true, force: true }))

describe('what is remembered of a mapping', () => {
  it('is its inside, in another process too', async () => {
    const { clock, files, memory } = begin()
    await memory.remember(MAPPING)
    expect(await keptMappings(files, clock, GATEWAY).recall(OUTSIDE)).toEqual(INSIDE)
  })

  it('is what was told last', async () => {
    const { memory } = begin()
    await memory.remember(MAPPING)
    await memory.remember({ ...MAPPING, internalPort: 81 })
    expect(await memory.recall(OUTSIDE)).toEqual({ ...INSIDE, internalPort: 81 })
  })

  it('is nothing of another port, protocol or gateway', async () => {
    const { clock, files, memory } = begin()
    await memory.remember(MAPPING)
    expect(await memory.recall({ ...OUTSIDE, externalPort: 808 })).toBeUndefined()
    expect(await memory.recall({ ...OUTSIDE, protocol: 'UDP' })).toBeUndefined()
    const others: readonly Partial<MappingPlace>[] = [
      { via: 'nat-pmp' },
      { address: '192.168.1.11' },
      { address: '192.168.1' },
      { address: '' },
      { identity: async () => '0200c0a80102' },
      { identity: async () => '' },
    ]
    for (const other of others) {
      const elsewhere = keptMappings(files, clock, { ...GATEWAY, ...other })
      expect(await elsewhere.recall(OUTSIDE)).toBeUndefined()
      expect(await portsOf(elsewhere)).toEqual([])
    }
  })

  it('ends with the lease, to the millisecond', async () => {
    const { clock, memory } = begin()
    await memory.remember(MAPPING)
    await clock.advance(3_600_000 - 1)
    expect(await memory.recall(OUTSIDE)).toEqual(INSIDE)
    expect(await portsOf(memory)).toEqual([8080])
    await clock.advance(1)
    expect(await memory.recall(OUTSIDE)).toBeUndefined()
    expect(await portsOf(memory)).toEqual([])
  })

  it('is gone once forgotten, and only that', async () => {
    const { memory } = begin()
    await memory.remember(MAPPING)
    await memory.remember({ ...MAPPING, protocol: 'UDP' })
    await memory.forget(OUTSIDE)
    await memory.forget(OUTSIDE)
    expect(await memory.recall(OUTSIDE)).toBeUndefined()
    expect(await memory.recall({ ...OUTSIDE, protocol: 'UDP' })).toEqual(INSIDE)
  })

  it('can be asked by the inside, for all its external ports and the seconds that are left of each', async () => {
    const { clock, memory } = begin()
    await memory.remember({ ...MAPPING, externalPort: 40_000 })
    await memory.remember({ ...MAPPING, externalPort: 500, leaseSeconds: 100 })
    await memory.remember({ ...MAPPING, externalPort: 501, internalPort: 81 })
    await clock.advance(10_500)
    const of = { protocol: 'TCP', ...INSIDE }
    expect((await memory.outsidesOf('TCP', INSIDE, 0)).toSorted((a, b) => a.externalPort - b.externalPort)).toEqual([
      { ...of, externalPort: 500, leaseSeconds: 90 },
      { ...of, externalPort: 40_000, leaseSeconds: 3590 },
    ])
    expect(await portsOf(memory, INSIDE, 'UDP')).toEqual([])
    expect(await portsOf(memory, { ...INSIDE, internalPort: 81 })).toEqual([501])
    expect(await portsOf(memory, { ...INSIDE, internalClient: '192.168.1.11' })).toEqual([])
    await clock.advance(90_000)
    expect(await portsOf(memory)).toEqual([40_000])
  })

  it('can be asked for what has been made since a moment', async () => {
    const { clock, memory } = begin()
    await memory.remember(MAPPING)
    const madeMs = clock.wallMs()
    await clock.advance(1000)
    await memory.remember({ ...MAPPING, externalPort: 8081 })
    const since = async (wallMs: number) => (await memory.outsidesOf('TCP', INSIDE, wallMs)).length
    expect([await since(madeMs), await since(madeMs + 1), await since(madeMs + 1001)]).toEqual([2, 1, 0])
    await memory.remember(MAPPING) // renewed
    expect(await since(madeMs + 1)).toBe(2)
  })

  it('is the computer that made it for itself, if that has a name', async () => {
    const { clock, files } = begin()
    const madeBy = async (computer: string | undefined, isForThisComputer: boolean) => {
      await keptMappings(files, clock, { ...GATEWAY, computer }).remember({ ...MAPPING, isForThisComputer })
      return (await mappingsMadeAt(files, clock, '192.168.1.1', OUTSIDE)).map((made) => made.computer)
    }
    expect(await madeBy('here', true)).toEqual(['here'])
    expect(await madeBy('here', false)).toEqual([undefined])
    expect(await madeBy(undefined, true)).toEqual([undefined])
  })

  it('is which protocol made it, at which router, until it ends', async () => {
    const { clock, files, memory } = begin()
    await memory.remember(MAPPING)
    const igd = keptMappings(files, clock, { ...GATEWAY, via: 'igd', identity: async () => 'uuid:1' })
    await igd.remember({ ...MAPPING, leaseSeconds: 0, remoteHost: '203.0.113.9' })
    await igd.remember({ ...MAPPING, externalPort: 808, leaseSeconds: 0 })
    const made = () => mappingsMadeAt(files, clock, '192.168.1.1', OUTSIDE)
    const inside = { ...INSIDE, computer: undefined }
    const [overIgd, overPcp] = [
      {
        via: 'igd',
        identity: 'uuid:1',
        ...inside,
        remoteHost: '203.0.113.9',
        madeWallMs: clock.wallMs(),
        endsWallMs: Number.POSITIVE_INFINITY,
      },
      {
        via: 'pcp',
        identity: '0200c0a80101',
        ...inside,
        remoteHost: '',
        madeWallMs: clock.wallMs(),
        endsWallMs: clock.wallMs() + 3_600_000,
      },
    ]
    expect(await made()).toEqual([overIgd, overPcp])
    await clock.advance(3_600_000)
    expect(await made()).toEqual([overIgd])
    expect(await mappingsMadeAt(files, clock, '192.168.1.2', OUTSIDE)).toEqual([])
  })

  it.each([
    '192.168.1.1',
    '10.0.0.138',
    'fe80::1%eth0',
    'fe80::1%12',
    "fe80::1%br-(lan)!'*~",
    `fe80::1%${'\u00e9'.repeat(200)}`,
  ])('of the gateway %s can be kept on a disk', async (address) => {
    const identity = async () => `uuid:!"/é${'x'.repeat(200)}`
    const memory = keptMappings(privateFiles(join(place, 'upnp-ts')), new FakeClock(), {
      ...GATEWAY,
      address,
      identity,
    })
    await memory.remember(MAPPING)
    expect(await memory.recall(OUTSIDE)).toEqual(INSIDE)
    expect(await portsOf(memory)).toEqual([8080])
    await memory.forget(OUTSIDE)
    expect(await memory.recall(OUTSIDE)).toBeUndefined()
  })
})

describe('a memory that is not as it should be', () => {
  const times = { madeWallMs: Date.UTC(2026, 0, 1), endsWallMs: Date.UTC(2030, 0, 1) }
  const kept = { version: 2, via: 'pcp', identity: '0200c0a80101', ...INSIDE, ...times }

  it('is as it should be where a file is as it should be', async () => {
    const { files, memory } = begin()
    await memory.remember(MAPPING)
    const [name = ''] = await files.list('')
    await files.write(name, JSON.stringify({ ...kept, internalPort: 81 }))
    expect(await memory.recall(OUTSIDE)).toEqual({ ...INSIDE, internalPort: 81 })
  })

  it.each([
    ['empty', ''],
    ['cut', JSON.stringify(kept).slice(0, 20)],
    ['null', 'null'],
    ['a list', '[]'],
    ['without a version', JSON.stringify({ ...kept, version: undefined })],
    ['of a protocol that there is not', JSON.stringify({ ...kept, via: 'upnp' })],
    ['without a router', JSON.stringify({ ...kept, identity: undefined })],
    ['of another router', JSON.stringify({ ...kept, identity: 'uuid:2' })],
    ['without a client', JSON.stringify({ ...kept, internalClient: undefined })],
    ['of a client that is a name', JSON.stringify({ ...kept, internalClient: 'laptop' })],
    ['of a client that is nobody', JSON.stringify({ ...kept, internalClient: '255.255.255.255' })],
    ['of the same port over another protocol than NAT-PMP', JSON.stringify({ ...kept, internalPort: 0 })],
    ['of a port that is a text', JSON.stringify({ ...kept, internalPort: '80' })],
    ['of a port that there is not', JSON.stringify({ ...kept, internalPort: 65_536 })],
    ['without a beginning', JSON.stringify({ ...kept, madeWallMs: undefined })],
    ['without an end', JSON.stringify({ ...kept, endsWallMs: undefined })],
    ['of an end that never comes', JSON.stringify({ ...kept, endsWallMs: 'never' }).replace('"never"', '1e999')],
  ])('is none where a file is %s', async (_name, text) => {
    const { files, memory } = begin()
    await memory.remember(MAPPING)
    const [name = ''] = await files.list('')
    await files.write(name, text)
    expect(await memory.recall(OUTSIDE)).toBeUndefined()
    expect(await portsOf(memory)).toEqual([])
    await memory.remember(MAPPING)
    expect(await memory.recall(OUTSIDE)).toEqual(INSIDE)
  })

  it('is not read in another version', async () => {
    const { files, memory } = begin()
    await memory.remember(MAPPING)
    const [name = ''] = await files.list('mapping-')
    for (const version of [1, 3, 0, '2', null]) {
      await files.write(name, JSON.stringify({ ...kept, version }))
      expect([await memory.recall(OUTSIDE), await portsOf(memory)]).toEqual([undefined, []])
    }
  })

  it('takes an address of IPv6', async () => {
    const { memory } = begin()
    await memory.remember({ ...MAPPING, internalClient: '2001:db8::10' })
    expect(await memory.recall(OUTSIDE)).toEqual({ internalClient: '2001:db8::10', internalPort: 80 })
  })

  it('never fails where the files cannot be had', async () => {
    const fail = (): Promise<never> => Promise.reject(new TransportError('the disk is full'))
    const files = { ...memoryFiles(), read: fail, write: fail, remove: fail, list: fail }
    const { memory } = begin(files)
    await memory.remember(MAPPING)
    await memory.forget(OUTSIDE)
    expect([await memory.recall(OUTSIDE), await portsOf(memory)]).toEqual([undefined, []])
  })

  it('does not hide a defect', async () => {
    const defect = new RangeError('not a name')
    const files = memoryFiles()
    await begin(files).memory.remember(MAPPING)
    const { memory } = begin({ ...files, read: () => Promise.reject(defect) })
    await expect(memory.recall(OUTSIDE)).rejects.toBe(defect)
  })
})

describe('a memory that is full', () => {
  /** Remembers one, and writes the others as that one is, because each call of remember() looks at all of them. */
  async function fill(count: number) {
    const begun = begin()
    const { clock, files, memory } = begun
    await memory.remember({ ...MAPPING, externalPort: 1000, leaseSeconds: 1000 })
    const [name = ''] = await files.list('mapping-')
    const kept = JSON.parse((await files.read(name)) ?? '')
    for (let at = 1; at < count - 1; at++) {
      const endsWallMs = clock.wallMs() + (1000 + at) * 1000
      await files.write(name.replace('-1000-', `-${1000 + at}-`), JSON.stringify({ ...kept, endsWallMs }))
    }
    const last = 1000 + count - 1
    await memory.remember({ ...MAPPING, externalPort: last, leaseSeconds: last })
    return begun
  }

  it('has room for 4096', async () => {
    const { memory } = await fill(MAX_REMEMBERED)
    expect(await memory.recall({ ...OUTSIDE, externalPort: 1000 })).toEqual(INSIDE)
  })

  it('forgets what ends first for one more, and some others, because it has to read all of them', async () => {
    const { files, memory } = await fill(MAX_REMEMBERED + 1)
    expect(await files.list('')).toHaveLength(MAX_REMEMBERED - 256)
    expect(await memory.recall({ ...OUTSIDE, externalPort: 1256 })).toBeUndefined()
    expect(await memory.recall({ ...OUTSIDE, externalPort: 1257 })).toEqual(INSIDE)
  })

  it('forgets all that has ended then', async () => {
    const { clock, files, memory } = await fill(MAX_REMEMBERED)
    await clock.advance(1_100_000) // 101 of them
    await memory.remember({ ...MAPPING, externalPort: 9000 })
    expect(await files.list('')).toHaveLength(MAX_REMEMBERED - 256)
    expect(await memory.recall({ ...OUTSIDE, externalPort: 9000 })).toEqual(INSIDE)
  })

  it('leaves alone what another version has written, and what it has of its own still fits', async () => {
    const { files, memory } = await fill(MAX_REMEMBERED)
    const [name = ''] = await files.list('mapping-')
    const text = JSON.stringify({ ...JSON.parse((await files.read(name)) ?? ''), version: 3, endsWallMs: 0 })
    await files.write(name, text)
    await memory.remember({ ...MAPPING, externalPort: 9000 })
    expect(await files.read(name)).toBe(text)
    expect(await files.list('mapping-')).toHaveLength(MAX_REMEMBERED - 256 + 1)
  })

  it('forgets broken files first, and leaves alone what is not of it', async () => {
    const { files, memory } = await fill(MAX_REMEMBERED)
    await files.write('pcp-nonce-key', 'key')
    const [name = ''] = await files.list('mapping-')
    await files.write(name, 'broken')
    await memory.remember({ ...MAPPING, externalPort: 9000 })
    expect(await files.read(name)).toBeUndefined()
    expect(await files.list('mapping-')).toHaveLength(MAX_REMEMBERED - 256)
    expect(await files.read('pcp-nonce-key')).toBe('key')
  })
})

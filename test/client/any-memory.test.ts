/** Any program with this user's rights may write anything into the files of a memory: nothing there ends the program. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keptMappings, mappingsMadeAt } from '../../src/client/mapping-memory.ts'
import { derivedNonces } from '../../src/client/port-control/mapping-nonce.ts'
import { isWithoutUpnp, rememberedRouters } from '../../src/client/search/router-memory.ts'
import type { PrivateFiles } from '../../src/net/files/private-files.ts'
import { FakeClock } from '../support/fake-clock.ts'

const RUNS = { seed: 13, numRuns: 300 } as const
const ADDRESS = '192.168.1.1'
const OUTSIDE = { protocol: 'TCP', externalPort: 22 } as const

const field = fc.oneof(
  fc.constantFrom(1, 2, 'igd', 'pcp', 'nat-pmp', '192.168.1.2', '2001:db8::1', 22, 0, null, '', 'x', true, 1e308),
  fc.integer(),
  fc.string(),
  fc.jsonValue(),
)
const fields = (...names: readonly string[]) =>
  fc.record(Object.fromEntries(names.map((name) => [name, field])), { requiredKeys: [] })
const inFiles = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.json(),
  fields(
    'version',
    'via',
    'identity',
    'internalClient',
    'internalPort',
    'madeWallMs',
    'endsWallMs',
    'remoteHost',
    'computer',
  ).map((kept) =>
    JSON.stringify({
      version: 2,
      identity: 'x',
      internalClient: '192.168.1.2',
      internalPort: 22,
      madeWallMs: 1,
      via: 'igd',
      ...kept,
    }),
  ),
  fc
    .record({
      igd: fields('location', 'searchTarget', 'server'),
      silence: fields('hardwareAddress', 'firstWallMs', 'untilWallMs'),
    })
    .map((router) => JSON.stringify({ version: 1, ...router })),
)

/** Every file has this text. */
function filesWith(text: string): PrivateFiles {
  return {
    directory: '/none',
    read: () => Promise.resolve(text),
    write: () => Promise.resolve(),
    createOnce: () => Promise.resolve(text),
    remove: () => Promise.resolve(),
    list: (prefix) => Promise.resolve([`${prefix}22-22-igd-x`, `${prefix}-igd-x`, prefix]),
  }
}

describe('whatever is in the files', () => {
  it('of mappings, a mapping is read that can be one, or none', async () => {
    const clock = new FakeClock()
    const read = async (text: string): Promise<void> => {
      const place = { address: ADDRESS, via: 'igd', identity: () => Promise.resolve('x') } as const
      const memory = keptMappings(filesWith(text), clock, place)
      const inside = await memory.recall(OUTSIDE)
      if (inside !== undefined) expect(inside.internalPort).toBeGreaterThan(0)
      await memory.outsidesOf('TCP', { internalClient: '192.168.1.2', internalPort: 22 }, 0)
      await mappingsMadeAt(filesWith(text), clock, ADDRESS, OUTSIDE)
      await memory.remember({ ...OUTSIDE, internalClient: '192.168.1.2', internalPort: 22, leaseSeconds: 60 }, 0)
    }
    await fc.assert(fc.asyncProperty(inFiles, read), RUNS)
  })

  it('of routers, it is what can be known of a router, or nothing', async () => {
    const clock = new FakeClock()
    const read = async (text: string): Promise<void> => {
      const memory = rememberedRouters(filesWith(text), clock)
      const { igd, silence } = await memory.recall(ADDRESS)
      for (const value of Object.values(igd ?? {})) expect(typeof value).toBe('string')
      expect(typeof (silence?.firstWallMs ?? 0)).toBe('number')
      expect(typeof isWithoutUpnp({ silence }, '02:00', clock.wallMs())).toBe('boolean')
      await memory.rememberSilence(ADDRESS, 'pcp', '02:00')
    }
    await fc.assert(fc.asyncProperty(inFiles, read), RUNS)
  })

  it('of the key, there is a nonce', async () => {
    const inside = { gateway: ADDRESS, protocol: 6, internalAddress: '192.168.1.2', internalPort: 22 }
    const read = async (text: string): Promise<void> => {
      expect(await derivedNonces(filesWith(text))(inside)).toMatch(/^[\da-f]{24}$/)
    }
    await fc.assert(fc.asyncProperty(fc.oneof(inFiles, fc.stringMatching(/^[\da-f]{64}$/)), read), RUNS)
  })
})

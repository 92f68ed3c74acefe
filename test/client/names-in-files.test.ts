/** A file on disk may have any name that every object has: it hides nothing, and what stands below it is not believed. */
import { describe, expect, it } from 'vitest'
import { keptMappings } from '../../src/client/mapping-memory.ts'
import { rememberedRouters } from '../../src/client/search/router-memory.ts'
import { isKept, RunningKeeper } from '../../src/library/keeping/running-keepers.ts'
import { memoryFiles, type PrivateFiles } from '../../src/net/files/private-files.ts'
import { NAMES_OF_OBJECTS } from '../fuzz/xml-differential.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'

const ROUTER = '192.168.1.1'
const KEY = { externalPort: 22, protocol: 'TCP' } as const
const IGD = { location: 'http://192.168.1.1/', searchTarget: 'x', server: 'y' }
const clock = new FakeClock()

const mappings = (files: PrivateFiles) =>
  keptMappings(files, clock, { address: ROUTER, via: 'igd', identity: async () => 'uuid:1', computer: undefined })

const MEMORIES: readonly (readonly [
  string,
  (files: PrivateFiles) => unknown,
  (files: PrivateFiles) => Promise<unknown>,
])[] = [
  [
    'a router',
    (files) => rememberedRouters(files, clock).rememberIgd(ROUTER, IGD),
    async (files) => (await rememberedRouters(files, clock).recall(ROUTER)).igd,
  ],
  [
    'a mapping',
    (files) =>
      mappings(files).remember({
        ...{ ...KEY, internalClient: '192.168.1.10', internalPort: 22, leaseSeconds: 3600, remoteHost: '' },
        isForThisComputer: true,
      }),
    (files) => mappings(files).recall(KEY),
  ],
  [
    'a keeper',
    (files) => new RunningKeeper(files, clock, 'one').hold(ROUTER, [{ ...KEY, remoteHost: '', isOpen: true }]),
    async (files) => (await isKept(files, clock, ROUTER, { ...KEY, remoteHost: '' })) || undefined,
  ],
]

describe.each(MEMORIES)('the file of %s', (_, remember, recall) => {
  async function written(change: (text: string) => string): Promise<unknown> {
    const files = memoryFiles()
    await remember(files)
    await settle()
    const [name = ''] = await files.list('')
    await files.write(name, change((await files.read(name)) ?? ''))
    return recall(files)
  }

  it.each(NAMES_OF_OBJECTS)('is read as before with %s in it', async (name) => {
    const asBefore = await written((text) => text)
    expect(asBefore).toBeDefined()
    for (const value of ['"x"', '1', 'null', '[]', '{"version":2}'])
      expect(await written((text) => text.replace('{', `{"${name}":${value},`))).toEqual(asBefore)
  })

  it.each(NAMES_OF_OBJECTS)('is not believed below %s', async (name) => {
    expect(await written((text) => `{"${name}":${text}}`)).toBeUndefined()
    expect(Object.keys(Object.prototype)).toEqual([])
  })
})

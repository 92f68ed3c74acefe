/**
 * What is remembered of mappings and routers, on a real disk: several processes at once, a crash in between, a full disk
 * and one that cannot be written. What is wrong there costs only the memory.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { buildSync } from 'esbuild'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { keptMappings, type MappingPlace, mappingsMadeAt } from '../../src/client/mapping-memory.ts'
import { rememberedRouters } from '../../src/client/search/router-memory.ts'
import { TransportError } from '../../src/domain/errors.ts'
import { systemClock } from '../../src/net/clock.ts'
import { memoryFiles, type PrivateFiles, privateFiles } from '../../src/net/files/private-files.ts'
import { FakeClock } from '../support/fake-clock.ts'

const ROOT = process.getuid?.() === 0
const NOBODY = 65_534
const ROUTER = '192.168.1.1'
const PLACE: MappingPlace = { address: ROUTER, via: 'pcp', identity: async () => '02005e100001' }
const OUTSIDE = { externalPort: 8080, protocol: 'TCP' } as const
const inside = (internalPort: number) => ({ internalClient: '192.168.1.10', internalPort })
const mapping = (internalPort: number, externalPort = 8080) =>
  ({ ...OUTSIDE, externalPort, ...inside(internalPort), leaseSeconds: 3600 }) as const
const IGD = { location: 'http://192.168.1.1:5000/rootDesc.xml', searchTarget: 'upnp:rootdevice', server: 'miniupnpd' }

let place: string
let bundle: string
let count = 0
let directory: string
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'upnp-ts-on-disk-'))
  chmodSync(place, 0o755)
  bundle = join(place, 'memory.mjs')
  const contents = `export { keptMappings } from './src/client/mapping-memory.ts'
    export { rememberedRouters } from './src/client/search/router-memory.ts'
    export { systemClock } from './src/net/clock.ts'
    export { privateFiles } from './src/net/files/private-files.ts'`
  const stdin = { contents, resolveDir: join(import.meta.dirname, '../..'), loader: 'ts' } as const
  buildSync({ stdin, outfile: bundle, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' })
})
afterAll(() => rmSync(place, { recursive: true, force: true }))
beforeEach(() => {
  directory = join(place, `${count++}`)
})

function start(program: string, user?: number): ChildProcess {
  const source = `import { keptMappings, privateFiles, rememberedRouters, systemClock } from ${JSON.stringify(pathToFileURL(bundle).href)}
    const files = privateFiles(${JSON.stringify(directory)})
    const memory = keptMappings(files, systemClock, { address: '${ROUTER}', via: 'pcp', identity: async () => '02005e100001' })
    const routers = rememberedRouters(files, systemClock)
    const mapping = (internalPort, externalPort) =>
      ({ protocol: 'TCP', externalPort, internalClient: '192.168.1.10', internalPort, leaseSeconds: 3600 })
    ${program}`
  const by = user === undefined ? {} : { uid: user, gid: user }
  return spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: '/',
    ...by,
  })
}

async function outputOf({ stdout, stderr }: ChildProcess): Promise<string> {
  const [said, failed] = await Promise.all([stdout, stderr].map((each) => (each === null ? '' : textOf(each))))
  expect(failed).toBe('')
  return said ?? ''
}

const memoryOn = (files: PrivateFiles = privateFiles(directory)) => keptMappings(files, systemClock, PLACE)
const routersOn = (files: PrivateFiles = privateFiles(directory)) => rememberedRouters(files, systemClock)

describe('several processes at once', { timeout: 30_000 }, () => {
  it('that remember and forget lose nothing, and nothing of it is wrong', async () => {
    mkdirSync(directory, { mode: 0o700 })
    const processes = [1, 2, 3, 4]
    const children = processes.map((number) =>
      start(`for (let at = 0; at < 15; at++) {
        await memory.remember(mapping(at + 1, ${number * 1000} + at))
        if (at % 2 === 0) await memory.forget(mapping(at + 1, ${number * 1000} + at))
        await memory.remember(mapping(80, 443)) // the same by all
        await memory.remember(mapping(${number}, 8080)) // the same outside, and each its own inside
        await memory.remember(mapping(at + 1, 22))
        await memory.forget(mapping(at + 1, 22))
        await routers.rememberIgd('${ROUTER}', { location: 'http://192.168.1.1:5000/${'x'.repeat(number * 100)}', searchTarget: '', server: '' })
        await routers.rememberSilence('10.0.0.138', 'pcp', '02005e10008a')
        await routers.rememberIgd('10.${number}.0.1', ${JSON.stringify(IGD)})
      }`),
    )
    let isOver = false
    const ended = Promise.all(children.map(outputOf)).finally(() => {
      isOver = true
    })
    const seen = new Set<string>()
    while (!isOver) {
      for (const name of readdirSync(directory, { encoding: 'utf8' }).filter((each) => !each.startsWith('.'))) {
        const text = await privateFiles(directory).read(name)
        if (text !== undefined) seen.add(typeof JSON.parse(text)) // whole, at every moment
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await ended
    expect(seen).toEqual(new Set(['object']))
    const memory = memoryOn()
    for (const number of processes)
      for (let at = 0; at < 15; at++) {
        const expected = at % 2 === 0 ? undefined : inside(at + 1)
        expect(await memory.recall({ ...OUTSIDE, externalPort: number * 1000 + at })).toEqual(expected)
      }
    expect(await memory.recall({ ...OUTSIDE, externalPort: 443 })).toEqual(inside(80))
    expect(processes).toContain((await memory.recall(OUTSIDE))?.internalPort)
    const routers = routersOn()
    expect((await routers.recall(ROUTER)).igd?.location).toMatch(/^http:\/\/192\.168\.1\.1:5000\/(x{100})+$/)
    expect((await routers.recall('10.0.0.138')).silence?.hardwareAddress).toBe('02005e10008a')
    for (const number of processes) expect(await routers.recall(`10.${number}.0.1`)).toEqual({ igd: IGD })
    expect(readdirSync(directory).filter((name) => name.startsWith('.'))).toEqual([])
  })

  it('of which one is killed while it writes leave only whole files', async () => {
    const child = start(`for (let at = 0; ; at++) {
        if (at === 1) console.log('ready')
        await memory.remember(mapping(at % 50 + 1, 8080))
        await routers.rememberIgd('${ROUTER}', { location: String(at), searchTarget: '', server: '' })
      }`)
    await new Promise((resolve) => child.stdout?.once('data', resolve))
    await new Promise((resolve) => setTimeout(resolve, 30))
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('close', resolve))
    expect(await memoryOn().recall(OUTSIDE)).toEqual(inside(expect.any(Number) as unknown as number))
    expect((await routersOn().recall(ROUTER)).igd?.location).toMatch(/^\d+$/)
    await memoryOn().remember(mapping(9999))
    expect(await memoryOn().recall(OUTSIDE)).toEqual(inside(9999))
  })
})

describe('a crash in between', () => {
  /** Its process ends before the first removal. */
  const crashing = (files: PrivateFiles): PrivateFiles => ({ ...files, remove: () => new Promise(() => {}) })

  async function crashed() {
    const [files, clock] = [memoryFiles(), new FakeClock()]
    const memory = keptMappings(files, clock, PLACE)
    await memory.remember({ ...mapping(80), leaseSeconds: 7200 })
    await clock.advance(1000)
    keptMappings(crashing(files), clock, PLACE).remember(mapping(9))
    keptMappings(crashing(files), clock, PLACE).remember(mapping(9000))
    await clock.advance(0)
    expect(await files.list('')).toHaveLength(3)
    return { files, clock, memory }
  }

  it('leaves the older inside too, and the newer one counts', async () => {
    const { files, clock, memory } = await crashed()
    keptMappings(crashing(files), clock, PLACE).remember(mapping(8))
    await clock.advance(1000)
    keptMappings(crashing(files), clock, PLACE).remember(mapping(100))
    await clock.advance(0)
    expect(await memory.recall(OUTSIDE)).toEqual(inside(100))
    expect(await memory.outsidesOf('TCP', inside(80), 0)).toEqual([])
    expect(await memory.outsidesOf('TCP', inside(100), 0)).toMatchObject([{ externalPort: 8080 }])
    expect(new Set((await mappingsMadeAt(files, clock, ROUTER, OUTSIDE)).map(({ via }) => via))).toEqual(
      new Set(['pcp']),
    )
  })

  it('does not bring the older inside back when the newer one ends', async () => {
    const { clock, memory } = await crashed()
    await clock.advance(3_600_000)
    expect(await memory.recall(OUTSIDE)).toBeUndefined()
    expect(await memory.outsidesOf('TCP', inside(80), 0)).toEqual([])
  })

  it('is mended by the next one', async () => {
    const { files, memory } = await crashed()
    await memory.remember(mapping(81))
    expect([await files.list(''), await memory.recall(OUTSIDE)]).toEqual([[expect.any(String)], inside(81)])
    const again = await crashed()
    await again.memory.forget(OUTSIDE)
    expect(await again.files.list('')).toEqual([])
  })

  it('or another process that did the same a moment later does not lose both', async () => {
    const [files, clock] = [memoryFiles(), new FakeClock()]
    const [one, other] = [keptMappings(files, clock, PLACE), keptMappings(files, clock, PLACE)]
    let isFirst = true
    const write = async (name: string, text: string): Promise<void> => {
      await files.write(name, text)
      if (!isFirst) return
      isFirst = false
      await clock.advance(1)
      await other.remember(mapping(81))
      await files.write(name, text) // as if it had been written after the other one had looked
    }
    await keptMappings({ ...files, write }, clock, PLACE).remember(mapping(80))
    expect(await one.recall(OUTSIDE)).toEqual(inside(81))
  })

  it('of a clock that was set back does not keep what is not true any more', async () => {
    const files = memoryFiles()
    await keptMappings(files, new FakeClock(Date.UTC(2026, 5, 1)), PLACE).remember(mapping(80))
    const memory = keptMappings(files, new FakeClock(Date.UTC(2026, 4, 1)), PLACE)
    await memory.remember(mapping(81))
    expect(await memory.recall(OUTSIDE)).toEqual(inside(81))
  })

  it.each([0, 0.5, 0.95])('that left %d of a file costs what was in it', async (share) => {
    await memoryOn().remember(mapping(80))
    await memoryOn().remember(mapping(81, 8081))
    await routersOn().rememberIgd(ROUTER, IGD)
    for (const name of readdirSync(directory).filter((each) => !each.includes('8081'))) {
      const path = join(directory, name)
      truncateSync(path, Math.floor(readFileSync(path).length * share))
    }
    const memory = memoryOn()
    expect([await memory.recall(OUTSIDE), await routersOn().recall(ROUTER)]).toEqual([undefined, {}])
    expect(await memory.outsidesOf('TCP', inside(80), 0)).toEqual([])
    expect(await mappingsMadeAt(privateFiles(directory), systemClock, ROUTER, OUTSIDE)).toEqual([])
    expect(await memory.recall({ ...OUTSIDE, externalPort: 8081 })).toEqual(inside(81))
    await memory.remember(mapping(82))
    await routersOn().rememberIgd(ROUTER, IGD)
    expect([await memory.recall(OUTSIDE), await routersOn().recall(ROUTER)]).toEqual([inside(82), { igd: IGD }])
  })
})

describe('a full disk', () => {
  const full = (files: PrivateFiles): PrivateFiles => ({
    ...files,
    write: () => Promise.reject(new TransportError('cannot write: ENOSPC')),
  })

  it('remembers nothing new of a mapping, and forgets what is not true any more', async () => {
    const [files, clock] = [memoryFiles(), new FakeClock()]
    const memory = keptMappings(full(files), clock, PLACE)
    await memory.remember(mapping(80))
    expect(await memory.recall(OUTSIDE)).toBeUndefined()
    await keptMappings(files, clock, PLACE).remember(mapping(80))
    await keptMappings(files, clock, PLACE).remember(mapping(1, 8081))
    await memory.remember(mapping(80)) // a renewal
    expect(await memory.recall(OUTSIDE)).toEqual(inside(80))
    await memory.remember(mapping(81))
    expect(await memory.recall(OUTSIDE)).toBeUndefined()
    await memory.forget({ ...OUTSIDE, externalPort: 8081 })
    expect(await files.list('')).toEqual([])
  })

  it('remembers nothing new of a router, and forgets what is not true any more', async () => {
    const [files, clock] = [memoryFiles(), new FakeClock()]
    const routers = rememberedRouters(full(files), clock)
    await routers.rememberIgd(ROUTER, IGD)
    expect(await routers.recall(ROUTER)).toEqual({})
    for (const forget of ['forgetSilence', 'rememberIgd'] as const) {
      await rememberedRouters(files, clock).rememberSilence(ROUTER, 'pcp', '02005e100001')
      await (forget === 'forgetSilence' ? routers.forgetSilence(ROUTER) : routers.rememberIgd(ROUTER, IGD))
      expect(await routers.recall(ROUTER)).toEqual({})
    }
  })
})

describe('a directory that cannot be written', () => {
  it.runIf(process.platform !== 'win32')('can be read, and costs nothing else', async () => {
    mkdirSync(directory, { mode: 0o700 })
    if (ROOT) chownSync(directory, NOBODY, NOBODY)
    directory = join(directory, 'upnp-ts')
    const program = `import { chmodSync } from 'node:fs'
      await memory.remember(mapping(80, 8080))
      await routers.rememberIgd('${ROUTER}', ${JSON.stringify(IGD)})
      chmodSync(${JSON.stringify(directory)}, 0o500)
      await memory.remember(mapping(81, 8081))
      await memory.remember(mapping(81, 8080))
      await memory.forget(mapping(80, 8080))
      await routers.rememberSilence('${ROUTER}', 'pcp', '02005e100001')
      await routers.rememberIgd('10.0.0.138', ${JSON.stringify(IGD)})
      const known = [mapping(80, 8080), mapping(81, 8081)].map((each) => memory.recall(each))
      console.log(JSON.stringify([await Promise.all(known), await routers.recall('${ROUTER}'), await routers.recall('10.0.0.138')]))
      chmodSync(${JSON.stringify(directory)}, 0o700)`
    const output = await outputOf(start(program, ROOT ? NOBODY : undefined))
    expect(JSON.parse(output)).toEqual([[inside(80), null], { igd: IGD }, {}])
  })

  it('because a file is in its place is as none', async () => {
    directory = join(bundle, 'upnp-ts')
    await memoryOn().remember(mapping(80))
    await memoryOn().forget(OUTSIDE)
    await routersOn().rememberIgd(ROUTER, IGD)
    await routersOn().forgetSilence(ROUTER)
    expect([await memoryOn().recall(OUTSIDE), await routersOn().recall(ROUTER)]).toEqual([undefined, {}])
    expect(await mappingsMadeAt(privateFiles(directory), systemClock, ROUTER, OUTSIDE)).toEqual([])
  })
})

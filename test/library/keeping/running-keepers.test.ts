import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { TransportError } from '../../../src/domain/errors.ts'
import type { MappingKey } from '../../../src/domain/port-mapping.ts'
import { isKept, RunningKeeper, SAY_AGAIN_MS, SILENT_MS } from '../../../src/library/keeping/running-keepers.ts'
import { memoryFiles, type PrivateFiles } from '../../../src/net/files/private-files.ts'
import { MAX_FILE_BYTES } from '../../../src/net/files/regular-file.ts'
import { processMark } from '../../../src/net/process-mark.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { ignoredLog } from '../../support/ignored.ts'

const ROUTER = '192.168.1.1'
const key = (externalPort: number, more: Partial<MappingKey> = {}): MappingKey => ({
  externalPort,
  protocol: 'TCP',
  remoteHost: '',
  ...more,
})

function begin(files: PrivateFiles = memoryFiles()) {
  const clock = new FakeClock()
  return {
    clock,
    files,
    keeper: (id = 'one') => new RunningKeeper(files, clock, id),
    isKept: (port: number, more: Partial<MappingKey> = {}, address = ROUTER) =>
      isKept(files, clock, address, key(port, more)),
  }
}

describe('a running keeper', () => {
  it('holds its ports at one gateway, and no others', async () => {
    const { keeper, isKept } = begin()
    expect(await isKept(22)).toBe(false)
    keeper().hold(ROUTER, [key(22), key(53, { protocol: 'UDP', remoteHost: '203.0.113.9' })])
    expect([await isKept(22), await isKept(53, { protocol: 'UDP', remoteHost: '203.0.113.9' })]).toEqual([true, true])
    expect([await isKept(2), await isKept(22, { protocol: 'UDP' }), await isKept(53, { protocol: 'UDP' })]).toEqual([
      false,
      false,
      false,
    ])
    expect(await isKept(22, { remoteHost: '203.0.113.9' })).toBe(false)
    expect([await isKept(22, {}, '192.168.1.2'), await isKept(22, {}, '192.168.1.11')]).toEqual([false, false])
  })

  it('holds what it said last: another port, or at another gateway', async () => {
    const { files, keeper, isKept } = begin()
    const one = keeper()
    one.hold(ROUTER, [key(22)])
    one.hold(ROUTER, [key(23)])
    expect([await isKept(22), await isKept(23)]).toEqual([false, true])
    one.hold('10.0.0.138', [key(23)])
    expect([await isKept(23), await isKept(23, {}, '10.0.0.138')]).toEqual([false, true])
    expect(await files.list('')).toHaveLength(1)
  })

  it('says so again every minute, with one timer, and ends with all that it left', async () => {
    const { clock, files, keeper, isKept } = begin()
    const one = keeper()
    one.hold(ROUTER, [key(22)])
    one.hold(ROUTER, [key(22)])
    for (let minute = 0; minute < 10; minute++) {
      await clock.advance(SAY_AGAIN_MS)
      expect([await isKept(22), clock.pending]).toEqual([true, 1])
    }
    one.end()
    one.end()
    expect([await isKept(22), clock.pending, await files.list('')]).toEqual([false, 0, []])
  })

  it('that holds nothing leaves nothing', async () => {
    const { clock, files, keeper } = begin()
    keeper().end()
    expect([clock.pending, await files.list('')]).toEqual([0, []])
  })

  it('writes nothing if nothing has changed', () => {
    let written = 0
    const count = async (): Promise<void> => void written++
    const one = begin({ ...memoryFiles(), write: count }).keeper()
    for (let at = 0; at < 5; at++) one.hold(ROUTER, [key(22)])
    expect(written).toBe(1)
  })

  it('knows what the others keep, and does not count itself', async () => {
    const { keeper } = begin()
    const [one, two] = [keeper('one'), keeper('two')]
    one.hold(ROUTER, [{ ...key(22), isOpen: false }])
    expect(await one.isKeptByAnother(ROUTER, key(22))).toBe(false)
    expect(await two.isKeptByAnother(ROUTER, key(22))).toBe(true)
    expect([await two.isKeptByAnother(ROUTER, key(23)), await two.isKeptByAnother('10.0.0.138', key(22))]).toEqual([
      false,
      false,
    ])
    one.end()
    expect(await two.isKeptByAnother(ROUTER, key(22))).toBe(false)
  })

  it('is one of several, and each ends alone', async () => {
    const { keeper, isKept } = begin()
    const [one, two] = [keeper('one'), keeper('two')]
    for (const each of [one, two]) each.hold(ROUTER, [key(22)])
    one.end()
    expect(await isKept(22)).toBe(true)
    two.end()
    expect(await isKept(22)).toBe(false)
  })

  it('can say that it holds four ranges', () => {
    let bytes = 0
    const measure = async (_name: string, text: string): Promise<void> => {
      bytes = text.length
    }
    const ports = Array.from({ length: 4096 }, (_, at) => key(60_000 - at, { protocol: 'UDP' }))
    begin({ ...memoryFiles(), write: measure })
      .keeper()
      .hold(ROUTER, ports)
    expect(bytes).toBeGreaterThan(40_000)
    expect(bytes).toBeLessThan(MAX_FILE_BYTES)
  })
})

describe('a keeper that was killed', () => {
  const files = memoryFiles()
  const keptBy = async (mark: unknown) => {
    const one = begin(files)
    one.keeper().hold(ROUTER, [key(22)])
    const [name = ''] = await files.list('keeper-')
    const said = JSON.parse((await files.read(name)) ?? '')
    expect(said.process).toBe(processMark())
    await files.write(name, JSON.stringify({ ...said, process: mark }))
    return [await one.isKept(22), (await files.list('keeper-')).length]
  }

  it('keeps nothing any more, where its number tells that', async () => {
    const ended = spawnSync(process.execPath, ['--version'])
    expect(await keptBy(processMark(ended.pid))).toEqual([false, 0])
  })

  it.each([processMark(), `elsewhere ${2 ** 22}`, '', undefined])('is waited for otherwise: %s', async (mark) => {
    expect(await keptBy(mark)).toEqual([true, 1])
  })
})

describe('at its end a keeper', () => {
  async function ended(other: (two: RunningKeeper) => void, client = '10.0.0.2') {
    const { clock, keeper } = begin()
    const [one, two] = [keeper('one'), keeper('two')]
    await clock.advance(1000)
    one.hold(ROUTER, [key(22), key(23)], client)
    await clock.advance(1000)
    other(two)
    one.end()
    return [await one.isOpenElsewhere(key(22)), await one.isOpenElsewhere(key(23))]
  }

  it('leaves the ports that another one has open, and no others', async () => {
    expect(await ended((two) => two.hold(ROUTER, [key(22)], '10.0.0.2'))).toEqual([true, false])
    const lost = { ...key(22), isOpen: false }
    expect(await ended((two) => two.hold(ROUTER, [lost, key(23)], '10.0.0.2'))).toEqual([false, true])
  })

  it('leaves nothing to a keeper of another router or computer, or that has ended too', async () => {
    expect(await ended((two) => two.hold('192.168.1.2', [key(22)], '10.0.0.2'))).toEqual([false, false])
    expect(await ended((two) => two.hold(ROUTER, [key(22)], '10.0.0.3'))).toEqual([false, false])
    const endsToo = (two: RunningKeeper): void => {
      two.hold(ROUTER, [key(22)], '10.0.0.2')
      two.end()
      two.hold(ROUTER, [key(22), key(23)], '10.0.0.2')
    }
    expect(await ended(endsToo)).toEqual([false, false])
  })

  /** The other one began before it, and has said nothing since. */
  async function endedBeside(process?: string) {
    const { clock, files, keeper } = begin()
    keeper('earlier').hold(ROUTER, [key(22)], '10.0.0.2')
    const said = JSON.parse((await files.read('keeper-earlier')) ?? '')
    await clock.advance(1000)
    await files.write('keeper-earlier', JSON.stringify({ ...said, process }))
    const one = keeper('one')
    one.hold(ROUTER, [key(22)], '10.0.0.2')
    one.end()
    return one.isOpenElsewhere(key(22))
  }

  it('leaves a port to one that said long ago that it has it, if that is seen to run', async () => {
    expect(await endedBeside(processMark(process.ppid))).toBe(true)
  })

  it.each([undefined, `elsewhere ${process.ppid}`])(
    'leaves nothing to one that may have been killed: %s',
    async (mark) => {
      expect(await endedBeside(mark)).toBe(false)
    },
  )

  it('leaves nothing to one that had its own number, in a container that was started anew', async () => {
    expect(await endedBeside(processMark())).toBe(false)
  })
})

describe('a keeper that was killed', () => {
  /** Its last word came as long ago as that. */
  async function silentFor(ms: number) {
    const { clock, files, isKept, keeper } = begin()
    keeper().hold(ROUTER, [key(22)])
    const [name = ''] = await files.list('')
    const text = await files.read(name)
    await clock.advance(ms)
    await files.write(name, text ?? '')
    return { files, isKept }
  }

  it('is believed for two and a half minutes, and then its file is removed', async () => {
    const before = await silentFor(SILENT_MS - 1)
    expect([await before.isKept(22), await before.files.list('')]).toEqual([true, [expect.any(String)]])
    const after = await silentFor(SILENT_MS)
    expect([await after.isKept(22), await after.files.list('')]).toEqual([false, []])
  })

  it('is not believed if it spoke in the future: a clock was wrong', async () => {
    const files = memoryFiles()
    new RunningKeeper(files, new FakeClock(Date.UTC(2027, 0, 1)), 'one').hold(ROUTER, [key(22)])
    expect([await begin(files).isKept(22), await files.list('')]).toEqual([false, []])
  })
})

describe('a file that is not as it should be', () => {
  const nowMs = new FakeClock().wallMs()
  const said = { version: 1, saidWallMs: nowMs, address: ROUTER, ports: ['22/TCP/'] }

  it('is as it should be if it is as a keeper writes it', async () => {
    const { files, isKept } = begin()
    await files.write('keeper-one', JSON.stringify(said))
    expect(await isKept(22)).toBe(true)
  })

  it.each([
    ['empty', ''],
    ['cut', JSON.stringify(said).slice(0, 40)],
    ['null', 'null'],
    ['without a time', JSON.stringify({ ...said, saidWallMs: undefined })],
    ['of an endless time', JSON.stringify(said).replace(String(nowMs), '1e999')],
    ['without an address', JSON.stringify({ ...said, address: 1 })],
    ['without ports', JSON.stringify({ ...said, ports: '22/TCP/' })],
  ])('holds nothing, hides no other, and is removed: %s', async (_name, text) => {
    const { files, isKept, keeper } = begin()
    await files.write('keeper-a', text)
    keeper('z').hold(ROUTER, [key(23)])
    expect([await isKept(22), await isKept(23), await files.list('')]).toEqual([false, true, ['keeper-z']])
  })

  it('of another version is neither read nor removed', async () => {
    const { files, isKept } = begin()
    await files.write('keeper-a', JSON.stringify({ ...said, version: 2 }))
    expect([await isKept(22), await files.list('')]).toEqual([false, ['keeper-a']])
  })

  it('that cannot be read hides no other', async () => {
    const files = memoryFiles()
    const read = (name: string) =>
      name === 'keeper-a' ? Promise.reject(new TransportError('it belongs to user 1')) : files.read(name)
    const { isKept, keeper } = begin({ ...files, read })
    await files.write('keeper-a', '')
    keeper('z').hold(ROUTER, [key(23)])
    expect(await isKept(23)).toBe(true)
  })
})

describe('files that cannot be had', () => {
  const fail = (): Promise<never> => Promise.reject(new TransportError('the disk is full'))

  it('cost the keeper nothing, and nothing is kept', async () => {
    const { clock, keeper, isKept } = begin({ ...memoryFiles(), write: fail, remove: fail, list: fail, read: fail })
    const one = keeper()
    one.hold(ROUTER, [key(22)])
    await clock.advance(SAY_AGAIN_MS)
    expect(await isKept(22)).toBe(false)
    one.end()
    expect(clock.pending).toBe(0)
  })

  it('of a keeper that was killed are passed over if they cannot be removed', async () => {
    const { clock, files, keeper, isKept } = begin({ ...memoryFiles(), remove: fail })
    await files.write('keeper-a', 'broken')
    keeper('z').hold(ROUTER, [key(23)])
    await clock.advance(0)
    expect(await isKept(23)).toBe(true)
  })

  it('that meet a defect cost the keeper nothing, and are told of', async () => {
    const log = ignoredLog()
    const { keeper } = begin({ ...memoryFiles(), write: () => Promise.reject(new RangeError('not a name')) })
    const one = keeper()
    one.hold(ROUTER, [key(22)])
    await settle()
    one.end()
    expect(log.told()).toEqual(['turn keeper-one: RangeError: not a name'])
    log.end()
  })

  it('do not hide a defect', async () => {
    const defect = new RangeError('not a name')
    const { files, isKept } = begin({ ...memoryFiles(), read: () => Promise.reject(defect) })
    await files.write('keeper-a', '')
    await expect(isKept(22)).rejects.toBe(defect)
  })
})

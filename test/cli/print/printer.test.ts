/** Reports -> streams: colour only for a person, JSON and nothing else, and a reader that may leave. */
import { EventEmitter } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Output } from '../../../src/cli/parse/output-options.ts'
import { Printer } from '../../../src/cli/print/printer.ts'
import { DEVICES_HEADING } from '../../../src/cli/print/text.ts'
import type { Report } from '../../../src/cli/report.ts'
import { type Emulator, startEmulator } from '../../../src/emulator.ts'
import { ALL_REPORTS, ASKED, REFUSED } from '../../support/reports.ts'
import { runCli } from '../../support/run-cli.ts'

class FakeStream extends EventEmitter {
  text = ''
  readonly isTTY: boolean

  constructor(isTTY = false) {
    super()
    this.isTTY = isTTY
  }

  write(text: string): void {
    this.text += text
  }
}

/** A pipe whose reader goes after the first line, as Node tells of it: in a later turn. */
class ClosingStream extends FakeStream {
  readonly #code: string

  constructor(code = 'EPIPE') {
    super()
    this.#code = code
  }

  override write(text: string): void {
    super.write(text)
    process.nextTick(() => this.emit('error', Object.assign(new Error(`write ${this.#code}`), { code: this.#code })))
  }
}

const FAILURE: Report = { type: 'map-failed', via: 'igd', asked: ASKED, error: REFUSED }
const DEVICE: Report = { type: 'device', location: 'http://a/', searchTarget: 'x', server: '' }
const ESC = '\x1b['
const PLAIN: Output = { json: false, compat: '2.3.3', color: 'auto', quiet: false, verbose: false }

interface Setting {
  readonly out?: boolean
  readonly err?: boolean
  readonly env?: Record<string, string>
  readonly json?: boolean
  readonly color?: Output['color']
}

async function printed(reports: readonly Report[], setting: Setting = {}): Promise<{ stdout: string; stderr: string }> {
  const { json = false, color = 'auto' } = setting
  const stdout = new FakeStream(setting.out)
  const stderr = new FakeStream(setting.err)
  const printer = new Printer({ ...PLAIN, json, color }, { stdout, stderr, env: setting.env ?? {} })
  await printer.prepare()
  for (const report of reports) printer.report(report)
  return { stdout: stdout.text, stderr: stderr.text }
}

describe('colour', () => {
  it.each<[string, Setting, [boolean, boolean]]>([
    ['nowhere, where nobody looks', {}, [false, false]],
    ['on both streams of a terminal', { out: true, err: true }, [true, true]],
    ['on stderr alone where stdout is a file', { err: true }, [false, true]],
    ['on stdout alone where stderr is a file', { out: true }, [true, false]],
    ['nowhere with --color never', { out: true, err: true, color: 'never' }, [false, false]],
    ['everywhere with --color always', { color: 'always' }, [true, true]],
    ['everywhere with FORCE_COLOR', { env: { FORCE_COLOR: '1' } }, [true, true]],
  ])('is %s', async (_, setting, [onStdout, onStderr]) => {
    const { stdout, stderr } = await printed([FAILURE], setting)
    expect([stdout.includes(ESC), stderr.includes(ESC)]).toEqual([onStdout, onStderr])
  })

  it('changes no word, and begins and ends within the line', async () => {
    const plain = await printed(ALL_REPORTS)
    const painted = await printed(ALL_REPORTS, { out: true, err: true })
    const bare = (text: string): string => text.replaceAll(/\x1b\[\d+m/g, '')
    expect({ stdout: bare(painted.stdout), stderr: bare(painted.stderr) }).toEqual(plain)
    for (const line of `${painted.stdout}${painted.stderr}`.split('\n')) {
      const codes = line.match(/\x1b\[\d+m/g) ?? []
      expect(codes.length === 0 || codes.at(-1) === '\x1b[39m').toBe(true)
    }
  })

  it('is green for what was done, red for what was not, yellow for a hint', async () => {
    const key = { externalPort: 1, protocol: 'TCP', remoteHost: '' } as const
    const done: Report = { type: 'unmapped', via: 'igd', key }
    const { stdout, stderr } = await printed([done, FAILURE], { out: true, err: true })
    expect(stdout).toBe(
      '\x1b[32mUPNP_DeletePortMapping() returned : 0\x1b[39m\n' +
        '\x1b[31mAddPortMapping(8080, 80, 192.168.1.5) failed with code 718 (ConflictInMappingEntry)\x1b[39m\n',
    )
    expect(stderr).toMatch(/^\x1b\[33mhint: .*\x1b\[39m\n$/)
  })
})

describe('the sign of life', () => {
  const signed = ({ out = false, err = true, env = {}, ...output }: Partial<Output> & Setting) => {
    const [stdout, stderr] = [new FakeStream(out), new FakeStream(err)]
    const printer = new Printer({ ...PLAIN, ...output }, { stdout, stderr, env })
    const erased: string[] = []
    const sign = { erase: () => void erased.push(`${stdout.text}${stderr.text}`) }
    return { printer, stderr, erased, place: printer.placeFor(sign) }
  }

  it.each<[string, Partial<Output> & Setting]>([
    ['with --json', { json: true }],
    ['with --quiet', { quiet: true }],
    ['with --verbose', { verbose: true }],
    ['if stderr is no terminal', { out: true, err: false }],
    ['on a dumb terminal', { env: { TERM: 'dumb' } }],
  ])('has no place %s', (_, setting) => {
    expect(signed(setting).place).toBeUndefined()
  })

  it.each([[{ out: true }], [{}]])('has its place on stderr, even if stdout is a pipe: %j', (setting) => {
    const { place, stderr } = signed(setting)
    expect(place).toBe(stderr)
  })

  it('is erased before a line of either stream', () => {
    const { printer, erased } = signed({})
    printer.report({ type: 'listing' })
    printer.report({ type: 'notice', kind: 'no-presentation-url' })
    printer.text('banner\n')
    expect(erased[0]).toBe('')
    expect(erased).toHaveLength(3)
  })
})

describe('text', () => {
  it('has the heading of the devices once, before the first one', async () => {
    const { stdout } = await printed([DEVICE, DEVICE])
    expect(stdout).toBe(`${DEVICES_HEADING}${' desc: http://a/\n st: x\n\n'.repeat(2)}`)
  })

  it('has a renewal that changes nothing only with --verbose, and JSON has it always', () => {
    const port = { protocol: 'TCP', externalPort: 22, internalPort: 22, internalClient: 'a', endsWallMs: undefined }
    const renewed = { type: 'renewed', timeMs: 0, name: 'external port 22 TCP', port, leaseSeconds: 60 } as const
    const printedWith = (output: Partial<Output>, changesNothing: boolean): string => {
      const [stdout, stderr] = [new FakeStream(), new FakeStream()]
      new Printer({ ...PLAIN, ...output }, { stdout, stderr, env: {} }).report({ ...renewed, changesNothing })
      return stdout.text + stderr.text
    }
    const line = '1970-01-01T00:00:00.000Z external port 22 TCP: renewed for 60 s\n'
    expect([printedWith({}, true), printedWith({ quiet: true }, true)]).toEqual(['', ''])
    expect([printedWith({}, false), printedWith({ verbose: true }, true)]).toEqual([line, line])
    expect(JSON.parse(printedWith({ json: true }, true))).toMatchObject({ type: 'renewed', leaseSeconds: 60 })
  })

  it('has no heading if no device answered', async () => {
    expect((await printed([{ type: 'listing' }])).stdout).not.toContain(DEVICES_HEADING)
  })
})

describe('JSON', () => {
  it('is all that stdout gets, one object a line; stderr gets nothing; and it is never painted', async () => {
    const { stdout, stderr } = await printed(ALL_REPORTS, {
      json: true,
      out: true,
      err: true,
      env: { FORCE_COLOR: '1' },
    })
    const lines = stdout.split('\n')
    expect(lines.pop()).toBe('')
    expect(lines.map((line) => JSON.parse(line).type)).toEqual(ALL_REPORTS.map(({ type }) => type))
    expect(stderr).toBe('')
    expect(stdout).not.toContain('\x1b')
  })

  it('has its version in the first object, whatever that is, right after the type', async () => {
    for (const report of ALL_REPORTS) {
      const [first = '', second = ''] = (await printed([report, DEVICE], { json: true })).stdout.split('\n')
      expect(first.startsWith(`{"type":"${report.type}","version":1`)).toBe(true)
      expect(second).not.toContain('version')
    }
  })

  it('has no banner', () => {
    const stdout = new FakeStream()
    const printer = new Printer({ ...PLAIN, json: true }, { stdout, stderr: new FakeStream(), env: {} })
    printer.text('banner\n')
    expect(stdout.text).toBe('')
  })
})

describe('lines that were dropped', () => {
  const droppedBy = (output: Partial<Output>): string => {
    const streams = { stdout: new FakeStream(), stderr: new FakeStream(), env: {} }
    return new Printer({ ...PLAIN, ...output }, streams).droppedLine(0, 12)
  }

  it('are counted in one line of their stream, with --quiet too', () => {
    const line = '1970-01-01T00:00:00.000Z 12 lines were dropped, because nobody read them\n'
    expect([droppedBy({}), droppedBy({ quiet: true })]).toEqual([line, line])
  })

  it('are one object with --json', () => {
    expect(droppedBy({ json: true })).toBe('{"type":"lines-dropped","time":"1970-01-01T00:00:00.000Z","count":12}\n')
  })
})

describe('a reader that has gone', () => {
  let emulator: Emulator
  beforeAll(async () => {
    emulator = await startEmulator()
  })
  afterAll(() => emulator.close())

  it('is noticed, and nothing is thrown or written any more', () => {
    const stdout = new FakeStream()
    const printer = new Printer(PLAIN, { stdout, stderr: new FakeStream(), env: {} })
    printer.report(DEVICE)
    const before = stdout.text
    stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    printer.report(DEVICE)
    printer.text('more\n')
    expect(printer.readerIsGone).toBe(true)
    expect(printer.failure).toBeUndefined()
    expect(stdout.text).toBe(before)
  })

  it('does not silence the other stream', () => {
    const stderr = new FakeStream()
    const stdout = new FakeStream()
    const printer = new Printer(PLAIN, { stdout, stderr, env: {} })
    stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    printer.report({ type: 'notice', kind: 'no-presentation-url' })
    expect(stderr.text).toMatch(/^hint: the router does not give/)
  })

  it('may be that of stderr', () => {
    const stderr = new FakeStream()
    const printer = new Printer(PLAIN, { stdout: new FakeStream(), stderr, env: {} })
    stderr.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    expect(printer.readerIsGone).toBe(false)
  })

  it.each(['-l', '-s', '-P'])('ends %s early, with 0: nothing is lost', async (command) => {
    const requestsBefore = emulator.counters.requests
    const stdout = new ClosingStream()
    const { exitCode } = await runCli(['-u', emulator.descriptionUrl, command], { stdout })
    expect(exitCode).toBe(0)
    expect(stdout.text.split('\n').length).toBeLessThan(7)
    expect(emulator.counters.requests - requestsBefore).toBeLessThanOrEqual(2)
  })

  it('does not keep -r from mapping, all of it', async () => {
    const line = ['-u', emulator.descriptionUrl, '-r', '22', 'TCP', '80', '8080', 'UDP']
    expect((await runCli(line, { stdout: new ClosingStream() })).exitCode).toBe(0)
    expect(emulator.mappings().map(({ externalPort }) => externalPort)).toEqual([22, 8080])
  })

  it('does not change the exit code of -r or -d', async () => {
    const stdout = new ClosingStream()
    const taken = ['-u', emulator.descriptionUrl, '-a', '127.0.0.9', '22', '22', 'TCP']
    expect((await runCli(taken, { stdout })).exitCode).toBe(2)
    const missing = ['-u', emulator.descriptionUrl, '-d', '9', 'TCP']
    expect((await runCli(missing, { stdout: new ClosingStream() })).exitCode).toBe(2)
    const there = ['-u', emulator.descriptionUrl, '-d', '22', 'TCP']
    expect((await runCli(there, { stdout: new ClosingStream() })).exitCode).toBe(0)
  })

  it.each(['-l', '-h', '-V'])('is something else than a disk that is full: %s says so and fails', async (command) => {
    const argv = ['-u', emulator.descriptionUrl, command]
    const { stderr, exitCode } = await runCli(argv, { stdout: new ClosingStream('ENOSPC') })
    expect(stderr).toBe('the output could not be written: write ENOSPC\n')
    expect(exitCode).toBe(2)
  })
})

describe('--verbose', () => {
  function verbose() {
    const stderr = new FakeStream()
    const printer = new Printer({ ...PLAIN, verbose: true }, { stdout: new FakeStream(), stderr, env: {} })
    return { printer, stderr }
  }
  const ignored = (nth: number, kind: 'datagram' | 'turn' = 'datagram') => {
    return { kind, from: `192.168.1.66:${nth}`, error: new TypeError(`defect\x1b ${nth}`) }
  }

  it('tells of what was ignored: the first of each kind, then whenever there are twice as many, and the sum', () => {
    const { printer, stderr } = verbose()
    for (let nth = 1; nth <= 7; nth++) printer.ignored(ignored(nth), 0)
    printer.ignored(ignored(1, 'turn'), 0)
    const line = (kind: string, nth: number): string =>
      `ignored a ${kind} (192.168.1.66:${nth}), for a defect of upnp-ts: TypeError: defect\\x1b ${nth}`
    const before = [
      ...[1, 2, 4].map((nth) => `1970-01-01T00:00:00.000Z ! ${line('datagram', nth)} (${nth} so far)`),
      `1970-01-01T00:00:00.000Z ! ${line('turn', 1)} (1 so far)`,
    ]
    expect(stderr.text.trimEnd().split('\n')).toEqual(before)
    printer.tellIgnored()
    expect(stderr.text.trimEnd().split('\n')).toEqual([...before, `7 times ${line('datagram', 1)}`])
  })

  it('cuts the texts of a message, and of what was ignored', () => {
    const { printer, stderr } = verbose()
    const long = 'x'.repeat(100_000)
    printer.trace({
      ...{ timeMs: 0, direction: 'received', protocol: 'SSDP', bytes: 1 },
      ...{ peer: long, action: long, result: long },
    })
    printer.ignored({ kind: 'device', from: long, error: new Error(long) }, 0)
    printer.tellIgnored()
    expect(stderr.text).toMatch(/x{1000}/)
    expect(stderr.text).not.toMatch(/x{1025}/)
  })
})

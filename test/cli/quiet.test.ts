/** --quiet: prints nothing unless the command fails, and then what went wrong, on stderr. Exit codes stay the same. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Printer } from '../../src/cli/print/printer.ts'
import type { Report } from '../../src/cli/report.ts'
import { type Emulator, type EmulatorOptions, startEmulator } from '../../src/emulator.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ALL_REPORTS } from '../support/reports.ts'
import { runCli } from '../support/run-cli.ts'

let emulator: Emulator
beforeAll(async () => {
  emulator = await startEmulator()
})
afterAll(() => emulator.close())

const SILENT = { stdout: '', stderr: '', exitCode: 0 }
const TAKEN = ['-a', '127.0.0.9', '22', '22', 'TCP']

function quiet(...words: string[]) {
  return runCli(['--quiet', '-u', emulator.descriptionUrl, ...words])
}

async function on(options: EmulatorOptions, ...words: string[]) {
  const other = await startEmulator(options)
  try {
    return await runCli(['-u', other.descriptionUrl, ...words])
  } finally {
    await other.close()
  }
}

describe('--quiet', () => {
  it.each([['-r', '22', 'TCP'], ['-l'], ['-s'], ['-s', '--json'], ['-n', '@', '22', '22', 'TCP'], ['-P']])(
    'says nothing of what is done: %s %s %s',
    async (...words) => {
      expect(await quiet(...words.filter((word) => word !== undefined))).toEqual(SILENT)
    },
  )

  it('says nothing about a part that is missing if the command succeeds anyway', async () => {
    const quirks = [{ name: 'refuse', operation: 'GetConnectionTypeInfo', code: 501 }] as const
    expect((await on({ quirks }, '-s')).stdout).toContain('GetConnectionTypeInfo failed.\n')
    expect(await on({ quirks }, '-s', '--quiet')).toEqual(SILENT)
  })

  it('says what was refused, and what to do about it', async () => {
    await quiet('-r', '22', 'TCP')
    const { stdout, stderr, exitCode } = await quiet(...TAKEN)
    expect(stderr).toMatch(/^[^\n]*AddPortMapping\(22, 22, 127\.0\.0\.9\) failed with code \d+ [^\n]*\nhint: [^\n]*\n$/)
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 })
  })

  it('says with --json what failed, and nothing else', async () => {
    const { stdout, stderr, exitCode } = await quiet('--json', ...TAKEN)
    const objects = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(objects).toMatchObject([{ type: 'map-failed', version: 1, error: { code: 'REFUSED' } }])
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 2 })
  })

  it('says that nothing was found', async () => {
    const clock = new FakeClock()
    const { stdout, stderr, exitCode } = await runCli(['--quiet', '-l'], { clock })
    expect(stderr).toMatch(/^No IGD UPnP Device found on the network !\nhint: /)
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 })
  })

  it.each([[['--quiet']], [['--quiet', '--bad']], [['--quiet', '-r', '0', 'TCP']]])(
    'says in one line what is wrong with the command line: %j',
    async (argv) => {
      const { stdout, stderr, exitCode } = await runCli(argv)
      expect(stderr).toMatch(/^[^\n]+\n$/)
      expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 })
    },
  )
})

describe('a quiet printer', () => {
  function printing(json: boolean) {
    const written = { stdout: '', stderr: '' }
    const stream = (name: 'stdout' | 'stderr') => ({
      write: (text: string) => {
        written[name] += text
      },
      on: () => {},
    })
    const output = { json, compat: '2.3.3', color: 'auto', quiet: true, verbose: false } as const
    return { written, printer: new Printer(output, { stdout: stream('stdout'), stderr: stream('stderr'), env: {} }) }
  }
  const typesWritten = (reports: readonly Report[]): string[] => {
    const { written, printer } = printing(true)
    for (const report of reports) printer.report(report)
    printer.complain()
    const lines = written.stdout.split('\n').slice(0, -1)
    return [...new Set(lines.map((line) => JSON.parse(line).type))]
  }

  it('says nothing until the command has failed, and says each thing once', () => {
    const { written, printer } = printing(false)
    printer.text('banner\n')
    for (const report of ALL_REPORTS) printer.report(report)
    expect(written).toEqual({ stdout: '', stderr: '' })
    printer.complain()
    expect(written.stdout).toBe('')
    expect(written.stderr).toContain('AddPortMapping(8080, 80, 192.168.1.5) failed with code 718')
    const once = written.stderr
    printer.complain()
    expect(written.stderr).toBe(once)
  })

  it('complains, while ports are kept open, of what goes wrong, and not of what is well again or new', () => {
    const kept = ALL_REPORTS.filter((report) => 'timeMs' in report)
    expect(typesWritten(kept)).toEqual([
      'searching',
      'gateway-lost',
      'lost',
      'keep-failed',
      'lines-dropped',
      'not-removed',
    ])
  })

  it('keeps of all others what failed, what is worth knowing about it, and what ended the command', () => {
    const rest = ALL_REPORTS.filter((report) => !('timeMs' in report) && (!('ok' in report) || report.ok))
    expect(typesWritten(rest)).toEqual([
      'external-address', // an empty one
      'listing-end',
      'listing-failed',
      'map-failed',
      'unmap-failed',
      'list-at-once-failed',
      'range-unmap-failed',
      'notice',
      'error',
    ])
  })
})

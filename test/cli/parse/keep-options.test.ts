/** --keep and what goes with it, on the command line. */
import { describe, expect, it } from 'vitest'
import { parseInvocation } from '../../../src/cli/parse/invocation.ts'
import type { KeepOptions } from '../../../src/cli/parse/option-values.ts'
import { outputOf } from '../../../src/cli/parse/output-options.ts'
import { UsageError } from '../../../src/cli/parse/words.ts'

const MAP = ['-r', '22', 'TCP'] as const
const PLAIN: KeepOptions = {
  program: [],
  onChange: undefined,
  require: false,
  stateFile: undefined,
  forMs: undefined,
  checkMs: undefined,
}

function keepOf(argv: readonly string[]): KeepOptions | undefined {
  const invocation = parseInvocation(argv)
  expect(invocation.kind).toBe('gateway')
  return invocation.kind === 'gateway' ? invocation.keep : undefined
}

describe('--keep', () => {
  it.each<[string, readonly string[], KeepOptions | undefined]>([
    ['is not there unless it is given', MAP, undefined],
    ['goes with -r', [...MAP, '--keep'], PLAIN],
    ['may come first', ['--keep', ...MAP], PLAIN],
    ['goes with -a', ['--keep', '-a', '@', '22', '22', 'TCP'], PLAIN],
    ['goes with -n', ['--keep', '-n', '@', '22', '22', 'TCP'], PLAIN],
    ['goes with -A', ['--keep', '-A', '', '0', '@', '22', 'TCP', '60'], PLAIN],
    ['has a hook', ['--keep', '--on-change', 'a b | c', ...MAP], { ...PLAIN, onChange: 'a b | c' }],
    ['has a file', ['--keep', '--state', 's.json', ...MAP], { ...PLAIN, stateFile: 's.json' }],
    ['looks as often as it is told to', ['--keep', '--check', '5', ...MAP], { ...PLAIN, checkMs: 5000 }],
    ['runs a program', [...MAP, '--keep', '--', 'sh', '-c', 'x'], { ...PLAIN, program: ['sh', '-c', 'x'] }],
    [
      'leaves its words alone',
      [...MAP, '--keep', '--', 'x', '--', '--keep', '-h'],
      { ...PLAIN, program: ['x', '--', '--keep', '-h'] },
    ],
    ['may require the ports', ['--keep', '--require', ...MAP, '--', 'x'], { ...PLAIN, require: true, program: ['x'] }],
    ['takes -- for a value where one is due', ['--keep', '--on-change', '--', ...MAP], { ...PLAIN, onChange: '--' }],
  ])('%s', (_, argv, expected) => {
    expect(keepOf(argv)).toEqual(expected)
  })

  it('gives a program its time', () => {
    expect(parseInvocation([...MAP, '--keep', '--timeout', '5000', '--', 'x'])).toMatchObject({ timeoutMs: 5000 })
    expect(parseInvocation([...MAP, '--keep', '--', 'x'])).toMatchObject({ timeoutMs: 60_000 })
    expect(parseInvocation([...MAP, '--keep'])).toMatchObject({ timeoutMs: 60_000 })
  })

  it.each<[readonly string[], string]>([
    [['-l', '--keep'], '--keep goes with -r, -a, -n and -A'],
    [['-d', '22', 'TCP', '--keep'], '--keep goes with -r, -a, -n and -A'],
    [['--discovery-time', '5', '--keep'], '--keep goes with -r, -a, -n and -A'],
    [[...MAP, '--on-change', 'x'], '--on-change goes with --keep'],
    [[...MAP, '--require'], '--require goes with --keep'],
    [[...MAP, '--state', 'x'], '--state goes with --keep'],
    [[...MAP, '--check', '5'], '--check goes with --keep'],
    [[...MAP, '--', 'x'], 'a program after -- runs only with --keep, while the ports are open: add --keep'],
    [[...MAP, '--keep', '--'], 'nothing follows --; it takes a program and its arguments'],
    [[...MAP, '--keep', '--require'], '--require goes with a program after --'],
    [
      [...MAP, '--keep', '--timeout', '5000'],
      '--timeout with --keep needs a program after --, or --on-change: --keep itself never gives up',
    ],
    [[...MAP, '--keep', '--on-change', ''], '--on-change takes a command, and --state a file'],
    [[...MAP, '--keep', '--state', ''], '--on-change takes a command, and --state a file'],
    [[...MAP, '--keep', '--on-change'], 'nothing follows --on-change; it takes a command for the shell'],
    [[...MAP, '--keep', '--state'], 'nothing follows --state; it takes a file'],
    [[...MAP, '--keep', '--check'], 'nothing follows --check; it takes a number of seconds'],
  ])('refuses %j', (argv, message) => {
    expect(() => parseInvocation(argv)).toThrow(expect.objectContaining({ name: 'UsageError', message }))
  })

  it.each(['0', '86401', 'x', '1.5', '-5'])(
    'looks every second at most, and once a day at least: not %s',
    (seconds) => {
      expect(() => parseInvocation([...MAP, '--keep', `--check=${seconds}`])).toThrow(UsageError)
    },
  )

  it('takes --json for its own before -- only', () => {
    expect(outputOf([...MAP, '--keep', '--json', '--', 'x']).json).toBe(true)
    expect(outputOf([...MAP, '--keep', '--', 'x', '--json']).json).toBe(false)
    expect(outputOf([...MAP, '--keep', '--on-change', '--json']).json).toBe(false)
  })
})

/**
 * What a new command and a new option cost: one row and one function that runs it, and one row. The parser, what is read
 * before it, the messages and the usage text know of them by these.
 */
import { describe, expect, it } from 'vitest'
import type { Chosen, RunContext } from '../../../src/cli/context.ts'
import { COMMANDS, type GatewayCommand, row } from '../../../src/cli/parse/command-table.ts'
import { parseWith } from '../../../src/cli/parse/invocation.ts'
import { OPTIONS, type OptionRow } from '../../../src/cli/parse/option-table.ts'
import { outputOf, type Tables } from '../../../src/cli/parse/output-options.ts'
import { VERBS } from '../../../src/cli/parse/verb-table.ts'
import { UsageError } from '../../../src/cli/parse/words.ts'
import { helpOn } from '../../../src/cli/print/help/help.ts'
import type { Report } from '../../../src/cli/report.ts'
import { RUNS, waysOf } from '../../../src/cli/run/run.ts'

interface Greet {
  readonly name: 'greet'
  readonly whom: string
}

const GREET = row<Greet>({
  flag: 'greet',
  form: 'NAME',
  help: 'greet the router by the name NAME',
  parse: ([name = '']) => ({ name: 'greet', whom: name }),
})
const GREETING = {
  igd: async function* (_chosen: Chosen, _context: RunContext, { whom }: Greet): AsyncGenerator<Report, 0> {
    yield { type: 'presentation-url', url: `http://${whom}/` }
    return 0
  },
}
const TONE: OptionRow = {
  flag: 'tone',
  letter: '-o',
  form: 'TONE',
  wanted: 'a tone of voice',
  goesWith: ['--greet'],
  help: 'how to say it [politely]',
}

const tables: Tables<GatewayCommand | Greet> = {
  commands: [...COMMANDS, GREET],
  options: [...OPTIONS, TONE],
  verbs: VERBS,
}

function complaintAbout(...argv: string[]): string {
  try {
    parseWith(tables, argv)
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  return 'it was obeyed'
}

describe('a made-up command', () => {
  it('is parsed, with its facts', () => {
    expect(parseWith(tables, ['--greet', 'Fritz'])).toMatchObject({
      command: { name: 'greet', whom: 'Fritz' },
      facts: { protocols: ['igd'], waitsForIgd: true, changes: false },
    })
    expect(parseWith(tables, ['-l'])).toMatchObject({ command: { name: 'list' } })
  })

  it('is refused in the usual words', () => {
    expect(complaintAbout('--greet')).toBe('nothing follows --greet; it takes NAME')
    expect(complaintAbout('--greet', 'Fritz', '-l')).toBe('-l and --greet: one command at a time')
    expect(complaintAbout('--greet', 'Fritz', '--via', 'pcp')).toBe(
      '--greet cannot be done over PCP: UPnP can (--via igd)',
    )
    expect(complaintAbout('--greet', 'Fritz', '--lease', '9')).toBe('--lease goes with -r, -a and -n, not with --greet')
  })

  it('is run', () => {
    const runs = { ...RUNS, greet: GREETING }
    const invocation = parseWith(tables, ['--greet', 'Fritz'])
    expect(invocation.kind === 'gateway' && waysOf(runs, invocation.command)).toBe(GREETING)
    const known = parseWith(tables, ['-l'])
    expect(known.kind === 'gateway' && waysOf(runs, known.command)).toBe(RUNS.list)
  })

  it('is in the help', () => {
    expect(addedTo('letters')).toMatch(/^ {2}--greet NAME +greet the router by the name NAME$/m)
    expect(helpOn('--greet', 80, tables)).toContain('upnp-ts --greet NAME\n\nGreet the router by the name NAME.\n')
  })
})

describe('a made-up option', () => {
  it('is parsed with its value, which is never an option', () => {
    expect(parseWith(tables, ['--greet', 'Fritz', '-o', '--json'])).toMatchObject({ command: { whom: 'Fritz' } })
    expect(outputOf(['--tone', '--json'], tables).json).toBe(false)
    expect(outputOf(['--tone=x', '--json'], tables).json).toBe(true)
    expect(parseWith(tables, ['--keep', '-r', '22', 'TCP', '--', '-o', '--'])).toMatchObject({
      keep: { program: ['-o', '--'] },
    })
  })

  it('is refused in the usual words', () => {
    expect(complaintAbout('--greet', 'Fritz', '-o')).toBe('nothing follows -o; it takes a tone of voice')
    expect(complaintAbout('-l', '--tone', 'x')).toBe('-o goes with --greet')
    expect(complaintAbout('--greet', 'Fritz', '--tonr', 'x')).toBe('Unknown switch --tonr; did you mean --tone?')
  })

  it('is in the help', () => {
    expect(addedTo('options')).toMatch(/^ {2}-o TONE +how to say it \[politely\] \(letters only: with --greet\)$/m)
    expect(helpOn('-o', 80, tables)).toContain('It goes with letters only: --greet.')
  })
})

/** The lines of a topic that are there because of the made-up rows. */
function addedTo(topic: string): string {
  const known = new Set(helpOn(topic, 80)?.split('\n'))
  const lines = helpOn(topic, 80, tables)?.split('\n') ?? []
  return lines.filter((line) => !known.has(line)).join('\n')
}

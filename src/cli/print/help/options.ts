/** The topic `options`, and which options go with which command. */
import type { VerbToldOf } from '../../parse/help-words.js'
import { verbsOf } from '../../parse/help-words.js'
import { labelOf, type OptionRow } from '../../parse/option-table.js'
import type { Tables } from '../../parse/output-options.js'
import { headOf } from './brief.js'
import type { Block } from './layout.js'

/** With which of the two ways of writing a command the option goes. */
export function sideOf(row: OptionRow, tables: Tables): 'verbs' | 'letters' | 'both' {
  if (row.only !== undefined) return row.only
  const labels = commandsWith(row, tables)
  if (labels === undefined) return 'both'
  const verbs = labels.filter((label) => verbsOf(tables).some((verb) => labelOf(verb) === label))
  return verbs.length === labels.length ? 'verbs' : verbs.length === 0 ? 'letters' : 'both'
}

/**
 * The labels of the commands with which the option goes; undefined if with all that ask a router. An option that goes
 * with another one goes with the commands of that one.
 */
export function commandsWith({ goesWith }: OptionRow, tables: Tables): readonly string[] | undefined {
  if (goesWith === undefined) return undefined
  const labels: string[] = []
  for (const label of goesWith) {
    const option = tables.options.find((row) => labelOf(row) === label)
    const ofOption = option === undefined ? [label] : commandsWith(option, tables)
    if (ofOption === undefined) return undefined
    labels.push(...ofOption)
  }
  return labels
}

/** The options of a command: its own, and those that go with all. */
export function optionsOf(command: VerbToldOf, tables: Tables) {
  const label = labelOf(command)
  const others = command.isVerb === true ? 'letters' : 'verbs'
  const fitting = tables.options.filter(({ only }) => only !== others)
  const own = fitting.filter((row) => [...(row.goesWith ?? []), ...(commandsWith(row, tables) ?? [])].includes(label))
  const isTaken = ({ flag }: OptionRow): boolean => command.takes?.includes(flag) !== false
  const shared = fitting.filter((row) => !own.includes(row) && commandsWith(row, tables) === undefined && isTaken(row))
  return { own, shared }
}

function told(row: OptionRow, tables: Tables): string {
  const side = sideOf(row, tables)
  const which = side === 'both' ? 'both' : `${side} only`
  return `${row.help} (${row.goesWith === undefined ? which : `${which}: with ${row.goesWith.join(', ')}`})`
}

export function optionsText(tables: Tables): readonly Block[] {
  return [
    'Options may stand anywhere, before and after a command. Behind each one: whether it goes with verbs (open), with letters (-r) or with both. What is used if nothing is said stands in square brackets.',
    tables.options.map((row) => [headOf(row), told(row, tables)] as const),
    [
      [
        '-- PROGRAM ARGUMENT ...',
        'with --keep: run this when the ports are open, pass signals on to it, and close the ports when it ends; after --timeout, run it even if not every port is open',
      ],
    ],
    'What some of these words mean:',
    [
      ['IGD', 'a router that speaks UPnP'],
      ['lease', 'how long the router keeps a port open'],
      ['mapping', 'a port of the router that leads to a computer at home'],
      ['pinhole', "the same over IPv6: a hole in the router's firewall"],
      ['nonce', 'a secret number: who knows it may change what was opened with it over PCP'],
      ['description', 'the name that the router shows beside a port'],
    ],
  ]
}

/**
 * Every refusal names the command to try next, complete and to copy: what was typed, with what is wrong put right if
 * that is known, or else the example of the row that it is about.
 */
import type { AnyCommand, CommandRow } from './command-table.js'
import { exampleOf, type Flag, labelOf, longOf, type OptionRow } from './option-table.js'
import type { Tables } from './output-options.js'
import { shellLine } from './shell-words.js'
import { UsageError } from './words.js'

/** Whether the message names a command already. */
function namesOne(message: string): boolean {
  const last = message.slice(message.lastIndexOf(';') + 1)
  return last.includes(': upnp-ts ') || message.endsWith('upnp-ts -h shows all of them')
}

/** `isGood`: whether a command line would be understood. */
export function namingNext(
  error: UsageError,
  argv: readonly string[],
  tables: Tables<AnyCommand>,
  isGood: (argv: readonly string[]) => boolean,
): UsageError {
  const { message, withUsage, fix } = error
  if (withUsage || error.next !== undefined || namesOne(message)) return error
  const fixed = fix && replaced(argv, fix)
  const next =
    fixed !== undefined && isGood(fixed)
      ? shellLine(fixed)
      : exampleFor(fix?.[1].startsWith('--') ? fix[1] : labelIn(message), argv, tables)
  return new UsageError(message, { next })
}

function replaced(argv: readonly string[], [word, by]: readonly [string, string]): readonly string[] | undefined {
  const words = argv.includes(word) ? [word] : word.split(' ')
  const at = argv.findLastIndex((_, first) => words.every((each, next) => each === argv[first + next]))
  return at === -1 ? undefined : argv.toSpliced(at, words.length, ...by.split(' '))
}

function labelIn(message: string): string {
  return /^(?:nothing follows )?([^\s:;,]+)/.exec(message)?.[1] ?? ''
}

/** A whole command line for a command or an option. */
export function exampleFor(label: string, argv: readonly string[], tables: Tables<AnyCommand>): string | undefined {
  const rows: readonly CommandRow[] = [...tables.commands, ...(tables.verbs ?? [])]
  const given = argv.flatMap((word) => rows.find((row) => isFlag(row, word)) ?? [])[0]
  const option = tables.options.find((row) => isFlag(row, label))
  if (option !== undefined) return exampleWith(option, given, rows, tables.options)
  const row = rows.find((each) => isFlag(each, label)) ?? given
  if (row !== undefined || argv.includes('emulate')) return row === undefined ? 'emulate' : exampleOf(row)
  return tables.verbs?.[0] && exampleOf(tables.verbs[0])
}

function isFlag(row: Flag, word: string): boolean {
  return word === labelOf(row) || (row.isVerb !== true && word === longOf(row))
}

function exampleWith(
  option: OptionRow,
  given: CommandRow | undefined,
  rows: readonly CommandRow[],
  options: readonly OptionRow[],
): string | undefined {
  const { goesWith, only } = option
  const suits = (row: Flag): boolean =>
    goesWith?.includes(labelOf(row)) !== false && (only === undefined || (only === 'verbs') === (row.isVerb === true))
  const own = exampleOf(option)
  const host = given !== undefined && suits(given) ? given : rows.find((row) => suits(row))
  if (host !== undefined) return joined(exampleOf(host), own)
  const other = options.find((row) => goesWith?.includes(labelOf(row)) === true)
  if (other !== undefined && other !== option) return joined(exampleWith(other, given, rows, options), own)
  return joined(goesWith?.[0], own)
}

function joined(one: string | undefined, other: string | undefined): string | undefined {
  return one === undefined || other === undefined ? undefined : `${one} ${other}`
}

/** What may stand where on a command line, from the tables, for every shell alike. */
import { HELP, verbsOf } from '../../parse/help-words.js'
import { type Flag, longOf } from '../../parse/option-table.js'
import type { Tables } from '../../parse/output-options.js'
import { briefly } from '../help/help.js'
import { lettersOf } from '../help/letters.js'
import { optionsOf } from '../help/options.js'
import { TOPICS } from '../help/topics.js'

export interface Told {
  readonly name: string
  readonly help: string
}

export interface OptionToComplete {
  readonly long: string
  readonly letter: string | undefined
  readonly help: string
  readonly takesValue: boolean
  readonly values: readonly string[] | 'file' | '@file' | undefined
  /** The places where the option may stand: NOWHERE, LETTERS, or a verb. */
  readonly places: readonly string[]
}

/** Before any command, and behind a letter. */
export const NOWHERE = 'none'
export const LETTERS = 'letters'

export type WordsToComplete = ReturnType<typeof wordsToComplete>

export function wordsToComplete(tables: Tables) {
  const verbs = verbsOf(tables)
  const letters = lettersOf(tables)
  const placesOf = new Map<string, string[]>()
  const place = (name: string, commands: readonly Flag[]): void => {
    const flags = new Set(commands.flatMap((command) => namesFor(command)))
    for (const flag of flags) placesOf.set(flag, [...(placesOf.get(flag) ?? []), name])
  }
  const namesFor = (command: Flag): readonly string[] => {
    const { own, shared } = optionsOf(command, tables)
    const also = tables.options.filter(({ flag }) => flag === 'help')
    return [...own, ...shared, ...also].map(({ flag }) => flag)
  }
  place(NOWHERE, [...verbs, ...letters])
  place(LETTERS, letters)
  for (const verb of verbs) place(verb.flag, [verb])
  return {
    verbs: verbs.map(({ flag, help }): Told => ({ name: flag, help: briefly(help) })),
    /** What follows a verb, if that is known. */
    values: verbs.flatMap(({ flag, values }) =>
      Array.isArray(values) ? [{ verb: flag, values: values.map(String) }] : [],
    ),
    /** The verbs that take PORT/PROTOCOL. */
    withPorts: verbs.filter(({ form }) => form?.includes('[/PROTOCOL]') === true).map(({ flag }) => flag),
    help: HELP,
    topics: TOPICS.map(({ name, line }): Told => ({ name, help: line })),
    letters: letters.map((row) => ({
      long: longOf(row),
      letter: row.letter,
      help: briefly(row.help),
      takesProtocol: row.form?.includes('PROTOCOL') === true,
    })),
    options: tables.options.map(
      (row): OptionToComplete => ({
        long: longOf(row),
        letter: row.letter,
        help: briefly(row.help),
        takesValue: row.form !== undefined,
        values: row.values,
        places: placesOf.get(row.flag) ?? [NOWHERE],
      }),
    ),
  }
}

/** The places with the same options, together. */
export function groupedPlaces({
  options,
}: WordsToComplete): readonly { places: string[]; options: OptionToComplete[] }[] {
  const groups = new Map<string, { places: string[]; options: OptionToComplete[] }>()
  for (const place of new Set(options.flatMap(({ places }) => places))) {
    const there = options.filter(({ places }) => places.includes(place))
    const key = there.map(({ long }) => long).join()
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { places: [place], options: there })
    else group.places.push(place)
  }
  return [...groups.values()]
}

export function namesOf({ long, letter }: Pick<OptionToComplete, 'long' | 'letter'>): readonly string[] {
  return letter === undefined ? [long] : [letter, long]
}

/** A word of a shell between single quotes. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** `help --json`: the tables as one JSON object. docs/json.md documents it. */
import { VERSION } from '../../../domain/version.js'
import { verbsOf } from '../../parse/help-words.js'
import { examplesOf, type Flag, labelOf } from '../../parse/option-table.js'
import { TABLES, type Tables } from '../../parse/output-options.js'
import { EXIT_CODES, GIVEN_VARIABLES, READ_VARIABLES } from './facts.js'
import type { Entry } from './layout.js'
import { lettersOf } from './letters.js'
import { commandsWith, optionsOf, sideOf } from './options.js'
import { TOPICS } from './topics.js'
import { WORDS } from './words.js'

export function helpDocument(tables: Tables = TABLES) {
  return {
    type: 'help',
    version: 1,
    program: VERSION,
    verbs: verbsOf(tables).map((row) => ({ ...told(row), options: namesOf(optionsOf(row, tables)) })),
    letters: lettersOf(tables).map((row) => ({
      ...told(row),
      verb: row.verb ?? null,
      options: namesOf(optionsOf(row, tables)),
    })),
    options: tables.options.map((row) => ({
      ...told(row),
      goesWith: sideOf(row, tables),
      commands: commandsWith(row, tables) ?? null,
      values: Array.isArray(row.values) ? row.values : null,
    })),
    words: WORDS.map(({ word, of = null, text }) => ({ word, commands: of, help: text })),
    topics: TOPICS.map(({ name, line }) => ({ name, help: line })),
    exitCodes: named(EXIT_CODES),
    environment: [...named(READ_VARIABLES), ...named(GIVEN_VARIABLES)],
  }
}

function told(row: Flag) {
  const { flag, letter, isVerb, form, help } = row
  const [name, short] = isVerb === true ? [flag, null] : [`--${flag}`, letter ?? null]
  return { name, letter: short, form: form ?? null, help, examples: examplesOf(row) }
}

function namesOf({ own, shared }: ReturnType<typeof optionsOf>): readonly string[] {
  return [...own, ...shared].map(labelOf)
}

function named(entries: readonly Entry[]) {
  return entries.map(([name, help]) => ({ name, help }))
}

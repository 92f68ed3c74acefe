/** Help: the first screen, a command, an option, a topic. All of it is made from the tables. */
import { HELP, type VerbToldOf, verbsOf } from '../../parse/help-words.js'
import { nearest } from '../../parse/nearest.js'
import { exampleFor } from '../../parse/next-command.js'
import { examplesOf, labelOf, longOf, type OptionRow } from '../../parse/option-table.js'
import { TABLES, type Tables } from '../../parse/output-options.js'
import { headOf } from './brief.js'
import { type Block, type Entry, laidOut, listed, wrapped } from './layout.js'
import { lettersOf } from './letters.js'
import { optionsOf, sideOf } from './options.js'
import { TOPICS } from './topics.js'
import { wordsIn } from './words.js'

/** What -h prints: it fits a screen of 24 lines, with the next prompt. */
export function firstScreen(width: number, tables: Tables = TABLES): string {
  const verbs = verbsOf(tables).map((verb): Entry => {
    const { form = '', brief = form, flag, help } = verb
    return [`${flag} ${brief}`.trimEnd(), help]
  })
  const often = tables.options.filter(({ isOftenUsed }) => isOftenUsed === true)
  const options = often.map((row): Entry => [headOf(row), briefly(row.help)])
  const column = Math.max(...[...verbs, ...options].map(([head]) => head.length)) + 4
  const topics = TOPICS.map(({ name }) => name)
  return [
    wrapped('upnp-ts opens ports on your router, so that others can reach this computer.', width),
    listed(verbs, width, column) +
      wrapped('PORT is 25565, 25565/udp, 53/both, 27015-27030 or 2222:22 (outside:inside)', width, '  '),
    listed(options, width, column),
    wrapped(`More: upnp-ts ${HELP} open, or another command or option, or one of: ${topics.join(' ')}`, width),
  ].join('\n')
}

/** The first part of a help line. */
export function briefly(help: string): string {
  return (/^[^;[]+/.exec(help)?.[0] ?? help).trim()
}

/** About a verb, a letter, an option or a topic; undefined if there is none of this name. */
export function helpOn(about: string, width: number, tables: Tables = TABLES): string | undefined {
  const topic = TOPICS.find(({ name }) => name === about)
  if (topic !== undefined) return laidOut(topic.text(tables), width)
  const isMeant = (row: VerbToldOf): boolean =>
    labelOf(row) === about || (row.isVerb !== true && (longOf(row) === about || row.letter === about))
  const command = [...verbsOf(tables), ...lettersOf(tables)].find(isMeant)
  if (command !== undefined) return laidOut(aboutCommand(command, tables), width)
  const option = tables.options.find(isMeant)
  return option === undefined ? undefined : laidOut(aboutOption(option, tables), width)
}

/** All that `help` knows. */
function subjects(tables: Tables): readonly string[] {
  const rows = [...verbsOf(tables), ...lettersOf(tables), ...tables.options]
  return [...TOPICS.map(({ name }) => name), ...rows.flatMap((row) => (row.isVerb === true ? row.flag : longOf(row)))]
}

/** The subject that a word may mean: `keep` is --keep. */
export function subjectNear(word: string, tables: Tables = TABLES): string | undefined {
  const known = subjects(tables)
  return known.find((each) => each === `--${word}`) ?? nearest(word, known)
}

function aboutCommand(command: VerbToldOf, tables: Tables): readonly Block[] {
  const label = labelOf(command)
  const { own, shared } = optionsOf(command, tables)
  const words = wordsIn(label, command.form ?? '').map(({ word, text }): Entry => [word, text])
  const names = shared
    .filter(({ flag }) => !['help', 'version'].includes(flag))
    .map((row) => (command.isVerb === true ? longOf(row) : labelOf(row)))
  const also = `${own.length > 0 ? 'Also' : 'Options'}, as with other commands: ${names.join(' ')}. upnp-ts help options explains them.`
  const examples = examplesOf(command).map((example) => `  upnp-ts ${example}`)
  return [
    `upnp-ts ${headOf(command)}`,
    `${sentence(command.help)}${command.letter === undefined ? '' : ` The long name is ${longOf(command)}.`}`,
    ...(words.length > 0 ? [words] : []),
    ...(own.length > 0 ? [own.map((row): Entry => [headOf(row), row.help])] : []),
    ...(names.length > 0 ? [also] : []),
    ...(examples.length > 0 ? [`For example:\n${examples.join('\n')}`] : []),
    ...kinOf(command, tables),
  ]
}

/** The verb for a letter, or the letters for a verb. */
function kinOf(command: VerbToldOf, tables: Tables): readonly Block[] {
  const letters = lettersOf(tables)
  const verb = letters.find((row) => row === command)?.verb
  if (verb !== undefined) return [`In plain words: upnp-ts ${verb}; see upnp-ts help ${verb}.`]
  const kin = letters.filter((row) => row.verb === command.flag && command.isVerb === true).map(labelOf)
  if (kin.length === 0) return []
  const [one] = kin
  const are = kin.length === 1 ? `${one} is the letter for it` : `${kin.join(', ')} are the letters for it`
  return [`${are}, for scripts written for upnpc; see upnp-ts help ${one}.`]
}

function aboutOption(row: OptionRow, tables: Tables): readonly Block[] {
  const whole = { both: 'verbs and letters', verbs: 'verbs only', letters: 'letters only' }[sideOf(row, tables)]
  const { values, goesWith } = row
  const example = row.moreExamples?.[0] ?? exampleFor(longOf(row), [], tables)
  return [
    `upnp-ts COMMAND ${headOf(row)}`,
    `${sentence(row.help)}${row.letter === undefined ? '' : ` The long name is ${longOf(row)}.`}`,
    `It goes with ${whole}${goesWith === undefined ? '' : `: ${goesWith.join(', ')}`}.`,
    ...(Array.isArray(values) ? [`It takes one of: ${values.join(' ')}.`] : []),
    ...(example === undefined ? [] : [`For example:\n  upnp-ts ${example}`]),
  ]
}

function sentence(help: string): string {
  return `${help.charAt(0).toUpperCase()}${help.slice(1)}.`
}

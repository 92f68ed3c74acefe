/** The man page, upnp-ts(1), from the tables and the topics: the build writes it. */
import { VERSION } from '../../../domain/version.js'
import { verbsOf } from '../../parse/help-words.js'
import { exampleOf, type Flag } from '../../parse/option-table.js'
import { TABLES, type Tables } from '../../parse/output-options.js'
import { headOf } from './brief.js'
import { EXIT_CODES, FILES, GIVEN_VARIABLES, PROGRAM_EXIT_CODES, READ_VARIABLES, SEVERAL_PORTS } from './facts.js'
import { type Block, type Entry, wrapped } from './layout.js'
import { lettersOf } from './letters.js'
import { optionsText } from './options.js'
import { TOPICS } from './topics.js'
import { WORDS } from './words.js'

/** Topics that have sections of their own name. */
const ELSEWHERE = ['letters', 'options', 'exit-codes', 'environment']

export function manPage(tables: Tables = TABLES): string {
  const verbs = verbsOf(tables)
  const letters = lettersOf(tables)
  const heads = (rows: readonly Flag[]): readonly Entry[] => rows.map((row) => [headOf(row), row.help])
  const examples = [...verbs, ...letters].flatMap((row): readonly Entry[] => {
    const example = exampleOf(row)
    return example === undefined ? [] : [[`upnp-ts ${example}`, row.help]]
  })
  const words = WORDS.map(({ word, of, text }): Entry => [word, of === undefined ? text : `(${of.join(', ')}) ${text}`])
  const topics = TOPICS.filter(({ name }) => !ELSEWHERE.includes(name))
  return [
    `.TH UPNP-TS 1 "" "upnp-ts ${VERSION}" "User Commands"\n`,
    '.SH NAME\nupnp-ts \\- opens ports on your router\n',
    section('SYNOPSIS', [
      '  upnp-ts COMMAND [OPTION ...]\n  upnp-ts COMMAND --keep [OPTION ...] [-- PROGRAM ARGUMENT ...]',
    ]),
    section('DESCRIPTION', [
      'upnp-ts asks the router to let the internet reach a port of this computer, over UPnP, PCP or NAT-PMP. A command is a verb, which is answered in plain words, or a letter of upnpc, which is answered in the words of upnpc.',
    ]),
    section('COMMANDS', [
      'Verbs:',
      heads(verbs),
      'Letters, which scripts for upnpc use:',
      heads(letters),
      'The words in capitals:',
      words,
    ]),
    section('OPTIONS', optionsText(tables)),
    ...topics.map(({ name, text }) => section(name.toUpperCase(), text(tables))),
    section('EXIT STATUS', [EXIT_CODES, 'With --keep and a program after --:', PROGRAM_EXIT_CODES]),
    section('ENVIRONMENT', [
      READ_VARIABLES,
      'A program after --, and the command of --on-change, are given:',
      GIVEN_VARIABLES,
      SEVERAL_PORTS,
    ]),
    section('FILES', [FILES]),
    section('EXAMPLES', [examples]),
    '.SH SEE ALSO\n.BR natpmpc (1),\n.BR upnpc (1)\n',
  ].join('')
}

/** The first paragraph follows the heading directly. */
function section(name: string, blocks: readonly Block[]): string {
  const body = blocks.map((block) => (typeof block === 'string' ? paragraphs(block) : list(block))).join('')
  return `.SH ${roff(name)}\n${body.replace(/^\.PP\n/, '')}`
}

/** Command lines, which begin with two spaces, stay as they are. */
function paragraphs(block: string): string {
  const lines = block.split('\n')
  const isCommand = (line: string | undefined): boolean => line?.startsWith('  ') === true
  return lines
    .map((line, at) => {
      if (!isCommand(line)) return `.PP\n${filled(line)}`
      const before = isCommand(lines[at - 1]) ? '' : '.PP\n.RS 4\n.nf\n'
      const after = isCommand(lines[at + 1]) ? '' : '.fi\n.RE\n'
      return `${before}${roff(line.slice(2))}\n${after}`
    })
    .join('')
}

function list(entries: readonly Entry[]): string {
  return entries.map(([head, text]) => `.TP\n.B ${roff(head)}\n${filled(text)}`).join('')
}

/** Short lines, which roff fills again. */
function filled(text: string): string {
  return roff(wrapped(text, 70))
}

/** Text as roff has to read it: nothing in it is a request. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replace(/^([.'])/gm, '\\&$1')
}

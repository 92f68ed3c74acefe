/** The man page, upnp-ts(1), from the tables and the topics: the build writes it. */
import { VERSION } from '../../../domain/version.js'
import { verbsOf } from '../../parse/help-words.js'
import { exampleOf, type Flag } from '../../parse/option-table.js'
import { TABLES, type Tables } from '../../parse/output-options.js'
import { headOf } from './brief.js'
import { EXIT_CODES, FILES, GIVEN_VARIABLES, PROGRAM_EXIT_CODES, READ_VARIABLES, SEVERAL_PORTS } from './facts.js'
import type { Block, Entry } from './layout.js'
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
  return [
    `.TH UPNP-TS 1 "" "upnp-ts ${VERSION}" "User Commands"\n`,
    section('NAME', 'upnp-ts \\- opens ports on your router'),
    '.SH SYNOPSIS\n.nf\n',
    roff('upnp-ts COMMAND [OPTION ...]\nupnp-ts COMMAND --keep [OPTION ...] [-- PROGRAM ARGUMENT ...]\n'),
    '.fi\n',
    section(
      'DESCRIPTION',
      paragraphs([
        'upnp-ts asks the router to let the internet reach a port of this computer, over UPnP, PCP or NAT-PMP. A command is a verb, which is answered in plain words, or a letter of upnpc, which is answered in the words of upnpc.',
      ]),
    ),
    section('COMMANDS', `${paragraphs(['Verbs:'])}${list(heads(verbs))}`),
    paragraphs(['Letters, which scripts for upnpc use:']),
    list(heads(letters)),
    paragraphs(['The words in capitals:']),
    list(words),
    section('OPTIONS', paragraphs(optionsText(tables))),
    ...TOPICS.filter(({ name }) => !ELSEWHERE.includes(name)).map(({ name, text }) =>
      section(name.toUpperCase(), paragraphs(text(tables))),
    ),
    section('EXIT STATUS', list(EXIT_CODES)),
    paragraphs(['With --keep and a program after --:']),
    list(PROGRAM_EXIT_CODES),
    section('ENVIRONMENT', list(READ_VARIABLES)),
    paragraphs(['A program after --, and the command of --on-change, are given:', GIVEN_VARIABLES, SEVERAL_PORTS]),
    section('FILES', list(FILES)),
    section('EXAMPLES', list(examples)),
    section('SEE ALSO', '.BR upnpc (1),\n.BR natpmpc (1)'),
  ].join('')
}

function section(name: string, body: string): string {
  return `.SH ${roff(name)}\n${body}${body.endsWith('\n') ? '' : '\n'}`
}

function paragraphs(blocks: readonly Block[]): string {
  return blocks.map((block) => (typeof block === 'string' ? `.PP\n${lines(block)}` : list(block))).join('')
}

/** Command lines stay as they are. */
function lines(text: string): string {
  const all = text.split('\n')
  return all
    .map((line, at) => {
      if (!line.startsWith('  ')) return `${roff(line)}\n`
      const before = all[at - 1]?.startsWith('  ') === true ? '' : '.PP\n.RS 4\n.nf\n'
      const after = all[at + 1]?.startsWith('  ') === true ? '' : '.fi\n.RE\n'
      return `${before}${roff(line.slice(2))}\n${after}`
    })
    .join('')
}

function list(entries: readonly Entry[]): string {
  return entries.map(([head, text]) => `.TP\n.B ${roff(head)}\n${roff(text)}\n`).join('')
}

/** Text as roff has to read it: nothing in it is a request. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replace(/^([.'])/gm, '\\&$1')
}

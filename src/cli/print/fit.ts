/** Lines for a terminal: what is too long is broken between words, and goes on below the words of its line. Pure. */
import { columnsOf } from './columns.js'

/** A narrower terminal breaks lines by itself. */
const LEAST = 20
/** Of what a command does, if it does not fit beside it. */
const BELOW_COMMAND = 6

/** A label and what stands behind it: the label may be a time, or missing. */
const LABELLED = /^(?: {2}(?:\S.{0,30}?)?|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) {2,}(?=\S)/
const COMMAND = '  upnp-ts '
/** What stands after `upnp-ts` in a command. */
const BEGINS_COMMAND = /^(?:-|(?:open|close|list|status|watch|help)\b)/

/** `text`: whole lines. A line that fits stays as it is, and so does a word that is too long. */
export function fitted(text: string, columns: number): string {
  if (columns < LEAST) return text
  return text
    .split('\n')
    .map((line) => (columnsOf(line) <= columns ? line : broken(line, columns)))
    .join('\n')
}

function broken(line: string, columns: number): string {
  const [command, does] = commandIn(line)
  const [label = ''] = LABELLED.exec(line) ?? []
  if (command !== undefined && (does === undefined || line.length - does.length > columns / 2)) {
    const below = ' '.repeat(BELOW_COMMAND)
    return does === undefined ? command : `${command.trimEnd()}\n${filled(below, does, below.length, columns)}`
  }
  if (command !== undefined && does !== undefined)
    return filled(line.slice(0, -does.length), does, line.length - does.length, columns)
  if (label !== '' && label.length <= (2 * columns) / 3)
    return filled(label, line.slice(label.length), label.length, columns)
  const [indent = ''] = /^ */.exec(line) ?? []
  return filled(indent, line.slice(indent.length), indent === '' ? 0 : indent.length + 2, columns)
}

/** `start`: what the first line begins with. `hang`: how far the others are indented. */
function filled(start: string, text: string, hang: number, columns: number): string {
  const lines: string[] = []
  let [line, isEmpty] = [start, true]
  for (const word of wordsOf(text)) {
    if (!isEmpty && columnsOf(`${line} ${word}`) > columns) {
      lines.push(line)
      line = ' '.repeat(hang)
      isEmpty = true
    }
    line += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return [...lines, line].join('\n')
}

/** A command to copy that has the line for itself, and what follows it there, or nothing. */
function commandIn(line: string): readonly [command?: string, does?: string | undefined] {
  if (!line.startsWith(COMMAND)) return []
  const end = line.indexOf('  ', COMMAND.length)
  return end === -1 ? [line] : [line.slice(0, end), line.slice(end).trimStart() || undefined]
}

/** A command within a sentence is one word: `(upnp-ts list)`, or what stands after a colon up to a comma. */
function wordsOf(text: string): readonly string[] {
  const words = text.split(/\s+/).filter((word) => word !== '')
  const whole: string[] = []
  for (let at = 0; at < words.length; ) {
    const next = endOfWord(words, at)
    whole.push(words.slice(at, next).join(' '))
    at = next
  }
  return whole
}

function endOfWord(words: readonly string[], at: number): number {
  const [word, next = ''] = words.slice(at, at + 2)
  const isInBrackets = word === '(upnp-ts'
  const isAfterColon = word === 'upnp-ts' && words[at - 1]?.endsWith(':') === true && BEGINS_COMMAND.test(next)
  if (!isInBrackets && !isAfterColon) return at + 1
  let end = at + 1
  while (end < words.length && !(isInBrackets ? /[()]/ : /[,;]$/).test(words[end] ?? '')) end++
  if (isInBrackets && !/^[^()]*\)/.test(words[end] ?? '')) return at + 1
  return Math.min(end + 1, words.length)
}

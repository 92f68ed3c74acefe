/**
 * A SOAP response in the form that nearly every router sends, read without an XML parser: an Envelope with one Body with
 * one response element with text in its arguments, and nothing else. A listing has a response for each entry, and to parse
 * it takes thirty times as long. Whatever is not of exactly that form is the parser's to read; for what is, both say the
 * same (test/wire/plain-soap.test.ts).
 */
import { decodeEntities } from './xml.js'

const BLANKS = '[ \\t\\r\\n]*'
/** Captured is the local one. What begins with an underscore may be special to a parser written in JavaScript. */
const NAME = '(?:(?!xmlns:)[A-Za-z][\\w.-]{0,63}:)?([A-Za-z][\\w.-]{0,63})'
/** They end where they seem to: no `<` and no `>` in their values. Nothing that may be blank follows, see OPENING. */
const ATTRIBUTES = `(?:[ \\t\\r\\n]+[\\w:.-]+=(?:"[^"<>]*"|'[^'<>]*'))*${BLANKS}`
const TAG = `<${NAME}${ATTRIBUTES}>${BLANKS}`
/** Never two runs of blanks side by side: to try each way to divide one run into two takes the square of its length. */
const OPENING = new RegExp(`^${BLANKS}(?:<\\?xml${ATTRIBUTES}\\?>${BLANKS})?${TAG}${TAG}${TAG}`)
const CLOSING = new RegExp(`${`</${NAME}>${BLANKS}`.repeat(3)}$`, 'y')
/** A carriage return is one thing to an XML parser and another one here. */
const ARGUMENT = new RegExp(`<${NAME}${ATTRIBUTES}(?:/>|>([^<\\r]*)</([\\w.:-]+)>)${BLANKS}`, 'y')
const MAX_ARGUMENTS = 64

/** Names in lower case -> values; undefined where it is not of that form, or not the response to that action. */
export function decodePlainResponse(text: string, action: string): ReadonlyMap<string, string> | undefined {
  const [opening, envelope, body, response = ''] = OPENING.exec(text) ?? []
  if (opening === undefined || envelope !== 'Envelope' || body !== 'Body') return undefined
  if (response.toLowerCase() !== `${action}Response`.toLowerCase()) return undefined
  const values = new Map<string, string>()
  let at = opening.length
  for (let count = 0; count < MAX_ARGUMENTS; count++) {
    ARGUMENT.lastIndex = at
    const [argument, name = '', value = '', ending] = ARGUMENT.exec(text) ?? []
    if (argument === undefined) return isClosed(text, at, response) ? values : undefined
    const isEnded = ending === undefined || ending.slice(ending.indexOf(':') + 1) === name
    if (!isEnded || name.toLowerCase() === 'errorcode') return undefined
    values.set(name.toLowerCase(), decodeEntities(value))
    at += argument.length
  }
  return undefined
}

function isClosed(text: string, at: number, response: string): boolean {
  CLOSING.lastIndex = at
  const [, first, second, third] = CLOSING.exec(text) ?? []
  return first === response && second === 'Body' && third === 'Envelope'
}

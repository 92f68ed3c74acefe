/**
 * Reads a SOAP response in its most common form without an XML parser, which takes thirty times as long. A listing of
 * mappings has one response for each entry, so that matters. In this form an Envelope has one Body, the Body has one
 * response element, and each argument is text. The XML parser reads every other form. For this form both give the same
 * result (test/wire/plain-soap.test.ts).
 */
import { decodeEntities } from './xml.js'

const BLANKS = '[ \\t\\r\\n]*'
/** Captures the local name. A name with an underscore first, such as `__proto__`, is left to the XML parser. */
const NAME = '(?:(?!xmlns:)[A-Za-z][\\w.-]{0,63}:)?([A-Za-z][\\w.-]{0,63})'
/** Values with `<` or `>` are left to the XML parser. No run of blanks may follow this pattern, see OPENING. */
const ATTRIBUTES = `(?:[ \\t\\r\\n]+[\\w:.-]+=(?:"[^"<>]*"|'[^'<>]*'))*${BLANKS}`
const TAG = `<${NAME}${ATTRIBUTES}>${BLANKS}`
/** Two runs of blanks must never be adjacent: to try every way to divide blanks between them takes quadratic time. */
const OPENING = new RegExp(`^${BLANKS}(?:<\\?xml${ATTRIBUTES}\\?>${BLANKS})?${TAG}${TAG}${TAG}`)
const CLOSING = new RegExp(`${`</${NAME}>${BLANKS}`.repeat(3)}$`, 'y')
/** A value with a carriage return is left to the XML parser, which would change it. */
const ARGUMENT = new RegExp(`<${NAME}${ATTRIBUTES}(?:/>|>([^<\\r]*)</([\\w.:-]+)>)${BLANKS}`, 'y')
const MAX_ARGUMENTS = 64

/** Names in lower case -> values. Undefined if the text has another form, or is not the response to this action. */
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

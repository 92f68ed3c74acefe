/**
 * Pairs the tags of XML as devices send it, and writes the XML anew, so that every tag has its other half. What it
 * writes has local names, text and CDATA, and no attributes, comments or instructions. It is linear in the text. Every
 * name begins with NAME_MARK.
 *
 * An end tag belongs to the last open element of its name, whatever the prefix and the case, and also ends the elements
 * in it that have no end tag. An end tag without a start tag is left out. A start tag without an end tag ends before the
 * next tag if text or an end tag without a start tag follows it, and else with the element around it. A `<` that begins
 * no tag is text.
 */
import { MalformedMessageError } from '../domain/errors.js'

/**
 * fast-xml-parser refuses or changes some names (`__proto__`, `constructor`, `toString`), because it makes properties of
 * them. To a device they are names like any other. None of them begins like this.
 */
export const NAME_MARK = 'n.'

interface Tag {
  readonly kind: 'start' | 'end' | 'empty' | 'cdata' | 'skipped'
  /** Without a prefix. */
  readonly name: string
  readonly from: number
  readonly to: number
}

/** No blank is a letter: what may be either would be tried as both, at every place, which takes cubic time. */
const LETTER = 'A-Za-z_\\x80-\\x9f\\xa1-\\u167f\\u1681-\\u1fff\\u2070-\\u2fff\\u3001-\\ufefe\\uff00-\\uffff'
const NAME = `(?:[${LETTER}\\d.:-]*:)?([${LETTER}][${LETTER}\\d.-]*)`
const START = new RegExp(`<${NAME}(?=[\\s/>])[^<>"']*(?:(?:"[^"<]*"|'[^'<]*')[^<>"']*)*>`, 'y')
const END = new RegExp(`</\\s*${NAME}(?=[\\s>])[^<>]*>`, 'y')
const INSTRUCTION = /<\?[A-Za-z]/y

/** Whether there is more than blanks and NULs. */
const hasText = (text: string): boolean => /[^\s\0]/.test(text)

/** `isEnded`: the text ends with the end of its first element. @throws MalformedMessageError */
export function pairTags(text: string): { readonly xml: string; readonly isEnded: boolean } {
  const tags = [...tagsOf(text)]
  return { xml: write(text, tags, startsOfEnds(tags)), isEnded: endsWithFirst(tags) }
}

function* tagsOf(text: string): Generator<Tag> {
  for (let from = text.indexOf('<'); from !== -1; ) {
    const tag = tagAt(text, from)
    if (tag !== undefined) yield tag
    from = text.indexOf('<', tag?.to ?? from + 1)
  }
}

function tagAt(text: string, from: number): Tag | undefined {
  const through = (ending: string, begin: number): number => {
    const at = text.indexOf(ending, from + begin)
    if (at === -1) throw new MalformedMessageError(`XML with a ${ending}`, text.slice(from))
    return at + ending.length
  }
  const matched = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = from
    return pattern.exec(text)
  }
  if (text.startsWith('<!--', from)) return { kind: 'skipped', name: '', from, to: through('-->', 4) }
  if (text.startsWith('<![CDATA[', from)) return { kind: 'cdata', name: '', from, to: through(']]>', 9) }
  if (matched(INSTRUCTION)) return { kind: 'skipped', name: '', from, to: through('?>', 2) }
  const end = matched(END)
  const [tag, name = ''] = end ?? matched(START) ?? []
  if (tag === undefined) return undefined
  const kind = end !== null ? 'end' : tag.endsWith('/>') ? 'empty' : 'start'
  return { kind, name, from, to: from + tag.length }
}

/** Each end tag that has a start tag -> that one. */
function startsOfEnds(tags: readonly Tag[]): ReadonlyMap<Tag, Tag> {
  const starts = new Map<Tag, Tag>()
  const open: { readonly tag: Tag; readonly name: string }[] = []
  const openOfName = new Map<string, number>()
  const count = (name: string, by: number): void => void openOfName.set(name, (openOfName.get(name) ?? 0) + by)
  for (const tag of tags) {
    const name = tag.name.toLowerCase()
    if (tag.kind === 'start') {
      open.push({ tag, name })
      count(name, 1)
    } else if (tag.kind === 'end' && (openOfName.get(name) ?? 0) > 0) {
      for (let top = open.pop(); top !== undefined; top = top.name === name ? undefined : open.pop()) {
        count(top.name, -1)
        if (top.name === name) starts.set(tag, top.tag)
      }
    }
  }
  return starts
}

function write(text: string, tags: readonly Tag[], starts: ReadonlyMap<Tag, Tag>): string {
  const paired = new Set(starts.values())
  const isUnpaired = (tag: Tag): boolean => tag.kind === 'start' && !paired.has(tag)
  const isValue = (tag: Tag, next: Tag | undefined): boolean =>
    next !== undefined && (hasText(text.slice(tag.to, next.from)) || (next.kind === 'end' && !starts.has(next)))
  const written: string[] = []
  const open: Tag[] = []
  let at = 0
  let ending = '' // of an element without an end tag that ends before the next tag
  let isInValue = false // since a start tag that has an end tag, none has come but what is text
  for (const [place, tag] of tags.entries()) {
    const before = text.slice(at, tag.from)
    if (open.length === 0 && before.includes('<!')) throw new MalformedMessageError('XML without a DTD', text)
    written.push(before.replaceAll('<', '&lt;'), ending)
    ending = ''
    const isText = isInValue && isUnpaired(tag) && hasText(before) // as in "1 <a> 2"
    at = isText ? tag.from : tag.to
    if (isText) continue
    isInValue = paired.has(tag)
    if (tag.kind === 'cdata') written.push(text.slice(tag.from, tag.to))
    if (tag.kind === 'empty') written.push(`<${NAME_MARK}${tag.name}/>`)
    if (tag.kind === 'start') {
      written.push(`<${NAME_MARK}${tag.name}>`)
      if (isUnpaired(tag) && isValue(tag, tags[place + 1])) ending = endTag(tag)
      else open.push(tag)
    }
    const start = starts.get(tag)
    for (let top = start && open.pop(); top !== undefined; top = top === start ? undefined : open.pop()) {
      written.push(endTag(top))
    }
  }
  written.push(text.slice(at).replaceAll('<', '&lt;'), ending)
  return written.join('')
}

function endTag({ name }: Tag): string {
  return `</${NAME_MARK}${name}>`
}

function endsWithFirst(tags: readonly Tag[]): boolean {
  const first = tags.find(({ kind }) => kind === 'start' || kind === 'empty')
  const last = tags.findLast(({ kind }) => kind !== 'skipped')
  if (first === undefined || last === undefined) return false
  if (first.kind === 'empty') return last === first
  return last.kind === 'end' && last.name.toLowerCase() === first.name.toLowerCase()
}

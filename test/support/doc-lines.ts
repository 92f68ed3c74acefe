/** What the documents show in blocks: which command lines, in which section, and what they say is printed. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '../..')
export const DOCUMENTS = [
  'README.md',
  'SECURITY.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

export interface Block {
  readonly document: string
  readonly language: string
  readonly code: string
  /** Of its first line. */
  readonly line: number
  /** What a later block of the same section says is printed. */
  readonly shown: string | undefined
}

export function textOf(document: string): string {
  return readFileSync(join(ROOT, document), 'utf8')
}

/** The blocks of code in their order. A `text` block belongs to the `sh` block before it, in the same section. */
export function blocksIn(document: string): readonly Block[] {
  const blocks: Block[] = []
  let open: { language: string; line: number; code: string[] } | undefined
  let asking: number | undefined
  for (const [at, text] of textOf(document).split('\n').entries()) {
    const [, fence] = /^```(.*)$/.exec(text) ?? []
    if (fence === undefined) {
      open?.code.push(text)
      if (open === undefined && text.startsWith('#')) asking = undefined
    } else if (open === undefined) open = { language: fence, line: at + 2, code: [] }
    else {
      const { language, line, code } = open
      const block = { document, language, line, code: `${code.join('\n')}\n`, shown: undefined }
      const asked = asking === undefined ? undefined : blocks[asking]
      if (language === 'text' && asking !== undefined && asked !== undefined)
        blocks[asking] = { ...asked, shown: block.code }
      if (language === 'sh') asking = blocks.length
      blocks.push(block)
      open = undefined
    }
  }
  return blocks
}

/** A line that ends with a backslash goes on; a comment is after two blanks or begins the line. */
export function commandLinesOf({ code }: Block): readonly string[] {
  const lines = code.replaceAll(/\\\n\s*/g, '').split('\n')
  return lines.map((line) => line.replace(/(^|\s+)# .*$/, '').trim()).filter((line) => line !== '')
}

/** The words as a shell reads them. Undefined if that takes a shell: pipes, variables, several commands. */
export function wordsOf(line: string): readonly string[] | undefined {
  const words = line.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []
  const unquoted = line.replaceAll(/'[^']*'/g, '')
  if (/[|&;<>()$`\\]/.test(unquoted)) return undefined
  return words.map((word) => word.replaceAll(/'([^']*)'|"([^"]*)"/g, '$1$2'))
}

/** The command lines in running text, `upnp-ts open 22`, but for those with a word that stands for others, and those that
 * only name a letter. */
export function inlineCommandLines(document: string): readonly string[] {
  const prose = textOf(document).replaceAll(/^```.*?^```/gms, '')
  const lines = [...prose.matchAll(/`(upnp-ts [^`]+)`/g)].map(([, line = '']) => line.replaceAll('\\|', '|'))
  return lines.filter((line) => !/\.\.\.|\b[A-Z]{3,}\b(?!\+|$| -)|^upnp-ts (-\w|service)$/.test(line))
}

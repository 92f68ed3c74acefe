/** Turns the rows into a Markdown table, and writes a text between the markers of a document. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Row } from './row.ts'

const MARKERS = { begin: '<!-- bench -->', end: '<!-- /bench -->' } as const
const HEAD = ['', 'upnp-ts', 'beside it', 'ratio', 'target', 'met']

export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map((row) => [row.what, row.upnpTs, row.other, row.ratio, row.target, metText(row)])
  const rule = HEAD.map(() => '---')
  return [HEAD, rule, ...cells].map((line) => `| ${line.map(escaped).join(' | ')} |`).join('\n')
}

function metText({ isMet }: Row): string {
  if (isMet === undefined) return ''
  return isMet ? 'yes' : '**no**'
}

function escaped(cell: string): string {
  return cell.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

/** @returns whether the document has the markers */
export function writeInDocument(path: URL, text: string): boolean {
  const document = readFileSync(path, 'utf8')
  const [begin, end] = [document.indexOf(MARKERS.begin), document.indexOf(MARKERS.end)]
  if (begin === -1 || end < begin) return false
  const before = document.slice(0, begin + MARKERS.begin.length)
  writeFileSync(path, `${before}\n${text}\n${document.slice(end)}`)
  return true
}

/** The plain voice, for every Report: no letter of a command, no control character, a line that ends. */
import { describe, expect, it } from 'vitest'
import { type GatewayInvocation, parseInvocation } from '../../../../src/cli/parse/invocation.ts'
import type { Piece } from '../../../../src/cli/print/pieces.ts'
import { plainVoice } from '../../../../src/cli/print/plain/plain-voice.ts'
import type { Report } from '../../../../src/cli/report.ts'
import { ALL_REPORTS, withTextEverywhere } from '../../../support/reports.ts'

const VERBS = [
  ['open', '8080'],
  ['open', '8080', '--keep'],
  ['open', '8080', '--ipv6'],
  ['open', '8080', '--print', 'endpoint'],
]

function said(argv: readonly string[], reports: readonly Report[]): string {
  const invocation = parseInvocation(argv)
  if (invocation.kind !== 'gateway') throw new Error(`${argv.join(' ')} asks no gateway`)
  return textOf(invocation, argv, reports)
}

function textOf(invocation: GatewayInvocation, argv: readonly string[], reports: readonly Report[]): string {
  const voice = plainVoice({ invocation, argv, nowMs: () => 0, columns: () => 80 })
  const pieces: Piece[] = reports.flatMap((report) => voice.render(report))
  return [...pieces, ...voice.end(0)].map(({ text }) => text).join('')
}

/** A letter for a command or an option: verbs have words. */
const LETTER = /(?:^|[\s(,;'])-[a-zA-Z6]\b/

/** Only a letter closes what leads to another computer. */
const REPORTS = ALL_REPORTS.filter((report) => !(report.type === 'notice' && report.kind === 'another-computers'))

describe.each(VERBS)('the voice of %s %s %s %s', (...argv) => {
  it.each(REPORTS.map((report) => [JSON.stringify(report), report] as const))('names no letter in %s', (_, report) => {
    const text = said(argv, [report])
    expect(text).not.toMatch(LETTER)
    expect(text).toMatch(/^$|\n$/)
    expect(text).not.toMatch(/undefined|NaN|\[object/)
  })

  it('shows no control character', () => {
    const text = said(
      argv,
      ALL_REPORTS.map((report) => withTextEverywhere(report, 'a\x1b[31m\u202eb')),
    )
    expect(text.split('\n').filter((line) => /[\p{Cc}\p{Cf}]/u.test(line))).toEqual([])
  })
})

/** The pictures of the documents are those that a run makes now. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { barsIn } from '../bench/chart.ts'
import { pictures } from '../pictures/main.ts'
import { terminalPicture } from '../pictures/terminal.ts'
import { ROOT } from './support/doc-lines.ts'

const FOLDER = join(ROOT, 'docs/pictures')

it('are those that npm run pictures makes', async () => {
  const made = await pictures()
  const kept = readdirSync(FOLDER).map((name): [string, string] => [name, readFileSync(join(FOLDER, name), 'utf8')])
  expect(new Map(kept)).toEqual(made)
  const used = ['README.md', 'docs/commands.md', 'docs/performance.md'].map((name) =>
    readFileSync(join(ROOT, name), 'utf8'),
  )
  expect([...made.keys()].filter((name) => !used.some((text) => text.includes(`pictures/${name}`)))).toEqual([])
}, 30_000)

it('draw each look where it stands', () => {
  const sgr = String.fromCharCode(27)
  const svg = terminalPicture('t', `${sgr}[32m<a>${sgr}[39m  ${sgr}[1mb c${sgr}[22m`, 20)
  expect(svg.match(/<text .*/g)).toEqual([
    '<text x="16" y="43" textLength="24" fill="#7ee787">&lt;a&gt;</text>',
    '<text x="56" y="43" textLength="24" font-weight="bold">b c</text>',
  ])
})

it('leave out of the chart who failed', () => {
  const row = (other: string) => `| \`-r 22 TCP\`, with the search, IGD:2 | 189 ms (178–197) | ${other} |  |  |  |`
  const bars = barsIn(`${row('a 1: 90 ms (80–99)')}\n${row('b 2: fails (no)')}`)
  expect(bars).toEqual([
    { name: 'a 1', ms: 90 },
    { name: 'upnp-ts', ms: 189 },
  ])
})

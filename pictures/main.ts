/**
 * `npm run pictures`: writes docs/pictures, each from a real run of the program on an emulated gateway, and the chart from
 * the table of docs/performance.md. Addresses and dates become those that the documents have.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { chartOf } from '../bench/chart.ts'
import { terminalPicture } from './terminal.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PROGRAM = join(ROOT, 'bin/upnp-ts.js')
const COLUMNS = 74

/** Each is shown as it is typed, in this order, at one gateway. */
const TERMINALS: readonly { readonly name: string; readonly argv: readonly string[] }[] = [
  { name: 'open', argv: ['open', '25565'] },
  { name: 'list', argv: ['list'] },
]

/** What else is open then. */
const OTHERS: readonly (readonly string[])[] = [
  ['-a', '127.0.0.31', '32400', '32400', 'TCP', '-e', 'Plex'],
  ['-a', '127.0.0.32', '9308', '9308', 'UDP', '-e', 'PlayStation'],
  ['open', '2222:22'],
]

/** As in the documents: the emulated gateway's addresses would be nobody's. The longer ones move a column of `list`. */
function asInDocuments(screen: string): string {
  return screen
    .replaceAll(
      /Leads to|127\.0\.0\.\d+:\d+(?= )/g,
      (cell) => cell + ' '.repeat(cell.endsWith('to') ? 3 : cell.includes('.0.1:') ? 0 : 1),
    )
    .replaceAll('11.22.33.44', '203.0.113.7')
    .replaceAll(/127\.0\.0\.1\b/g, '192.168.1.20')
    .replaceAll(/127\.0\.0\.(\d\d)\b/g, '192.168.1.$1')
    .replaceAll(/\d+ [A-Z][a-z]{3,}(?: \d{4})?, \d\d:\d\d/g, '6 December, 10:14')
    .replaceAll(/\d+ [A-Z][a-z]{2} (?:\d\d:\d\d|\d{4}) */g, (cell) => '6 Dec 10:14'.padEnd(cell.length))
}

export async function pictures(): Promise<ReadonlyMap<string, string>> {
  const state = mkdtempSync(join(tmpdir(), 'upnp-ts-pictures-'))
  const env = { ...process.env, NO_COLOR: '', FORCE_COLOR: '1', XDG_STATE_HOME: state }
  const start = (...argv: string[]) =>
    spawn(process.execPath, [PROGRAM, ...argv], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  const gateway = start('emulate')
  try {
    const [url] = (await once(gateway.stdout.setEncoding('utf8'), 'data')) as [string]
    const printed = (argv: readonly string[]) => text(start('-u', url.trim(), ...argv).stdout)
    for (const other of OTHERS) await printed(other)
    const made = new Map([['performance.svg', chartOf(readFileSync(join(ROOT, 'docs/performance.md'), 'utf8'))]])
    for (const { name, argv } of TERMINALS) {
      const line = `$ upnp-ts ${argv.join(' ')}`
      made.set(`${name}.svg`, terminalPicture(line, `${line}\n${asInDocuments(await printed(argv))}`, COLUMNS))
    }
    return made
  } finally {
    gateway.kill()
    rmSync(state, { recursive: true, force: true })
  }
}

export async function main(): Promise<void> {
  for (const [name, svg] of await pictures()) writeFileSync(join(ROOT, 'docs/pictures', name), svg)
}

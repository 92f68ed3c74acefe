/**
 * `npm run pictures`: writes docs/pictures, each from a real run of the program on an emulated gateway, and the chart from
 * the table of docs/performance.md. Addresses and dates become those that the documents have.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chartOf } from '../bench/chart.ts'
import { terminalPicture } from './terminal.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const COLUMNS = 72

/** What stands in the picture after the prompt, and what is run. */
const TERMINALS: readonly { readonly name: string; readonly line: string; readonly argv: readonly string[] }[] = [
  { name: 'open', line: 'upnp-ts open 25565', argv: ['--emulate', 'open', '25565'] },
  { name: 'status', line: 'upnp-ts status', argv: ['--emulate', 'status'] },
]

/** As in the documents: the emulated gateway's addresses would be nobody's. */
export function asInDocuments(screen: string): string {
  return screen
    .replaceAll('11.22.33.44', '203.0.113.7')
    .replaceAll('127.0.0.1', '192.168.1.20')
    .replace(/\d+ [A-Z]\w+, \d\d:\d\d/g, '6 December, 10:14')
}

export function pictures(): ReadonlyMap<string, string> {
  const state = mkdtempSync(join(tmpdir(), 'upnp-ts-pictures-'))
  try {
    const env = { ...process.env, NO_COLOR: '', FORCE_COLOR: '1', XDG_STATE_HOME: state }
    const terminals = TERMINALS.map(({ name, line, argv }): [string, string] => {
      const { stdout } = spawnSync(process.execPath, [join(ROOT, 'bin/upnp-ts.js'), ...argv], { env, encoding: 'utf8' })
      return [`${name}.svg`, terminalPicture(`$ ${line}`, `$ ${line}\n${asInDocuments(stdout)}`, COLUMNS)]
    })
    return new Map([
      ...terminals,
      ['performance.svg', chartOf(readFileSync(join(ROOT, 'docs/performance.md'), 'utf8'))],
    ])
  } finally {
    rmSync(state, { recursive: true, force: true })
  }
}

export function main(): void {
  for (const [name, svg] of pictures()) writeFileSync(join(ROOT, 'docs/pictures', name), svg)
}

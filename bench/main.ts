/**
 * Measures upnp-ts, upnpc and the port mappers on npm, in turn and in one run, and writes the table and the chart of
 * docs/performance.md. Without root there is no lab, and the parts that need it are left out.
 *
 *   npm run bench -- [--only NAME[,NAME...]] [--rounds N]
 *
 * All traffic is on loopback or inside the lab. If only some parts run, the document is not touched.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Lab } from '../test/lab/lab.ts'
import { chartOf } from './chart.ts'
import { machineText } from './machine.ts'
import { discovery } from './parts/discovery.ts'
import { emulator } from './parts/emulator.ts'
import { keeper } from './parts/keeper.ts'
import { listing } from './parts/listing.ts'
import { manyMappings } from './parts/many-mappings.ts'
import { opening } from './parts/opening.ts'
import { portControl } from './parts/port-control.ts'
import { startUp } from './parts/start-up.ts'
import { isInstalled } from './programs.ts'
import type { Part, Row, Surroundings } from './row.ts'
import { tableOf, writeInDocument } from './table.ts'

const PARTS: readonly Part[] = [startUp, discovery, portControl, opening, listing, manyMappings, keeper, emulator]
const DOCUMENT = new URL('../docs/performance.md', import.meta.url)
const CHART = new URL('../docs/pictures/performance.svg', import.meta.url)
const ROUNDS = 15

export async function main(argv: string[]): Promise<number> {
  try {
    return await benchAsAsked(argv)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return 1
  }
}

async function benchAsAsked(argv: string[]): Promise<number> {
  const { values } = parseArgs({ args: argv, options: { only: { type: 'string' }, rounds: { type: 'string' } } })
  const parts = chosen(values.only)
  const rounds = Number(values.rounds ?? ROUNDS)
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds '${values.rounds}' is not a number from 1`)
  const directory = mkdtempSync(join(tmpdir(), 'upnp-ts-bench-'))
  process.env.XDG_CACHE_HOME = directory // the compiled code is kept there, as it is for a user
  try {
    return await bench(parts, rounds, directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function chosen(only: string | undefined): readonly Part[] {
  if (only === undefined) return PARTS
  return only.split(',').map((name) => {
    const part = PARTS.find((each) => each.name === name)
    if (part === undefined) throw new Error(`no part '${name}'; there are ${PARTS.map((each) => each.name).join(', ')}`)
    return part
  })
}

async function bench(parts: readonly Part[], rounds: number, directory: string): Promise<number> {
  const notes: string[] = []
  const surroundings: Surroundings = { rounds, directory, withLab, note: (text) => notes.push(text) }
  const rows: Row[] = []
  const failed: string[] = []
  for (const part of await possible(parts, surroundings)) {
    console.error(`${part.name} ...`)
    try {
      rows.push(...(await part.measure(surroundings)))
    } catch (error) {
      failed.push(part.name)
      notes.push(`${part.name} could not be measured: ${error instanceof Error ? error.message : error}`)
    }
  }
  const about = `Medians, with quartiles in brackets, of programs that ran in turn. ${await machineText(new Date())}.`
  const text = [tableOf(rows), about, ...notes].join('\n\n')
  console.log(text)
  const isWhole = parts.length === PARTS.length && failed.length === 0
  if (isWhole) {
    writeFileSync(CHART, chartOf(text))
    if (!writeInDocument(DOCUMENT, text))
      console.error(`${DOCUMENT.pathname} has no <!-- bench --> and <!-- /bench -->.`)
  }
  return failed.length === 0 ? 0 : 1
}

/** The parts for which this machine has what they need. */
async function possible(parts: readonly Part[], { note }: Surroundings): Promise<readonly Part[]> {
  if (!(await isInstalled('upnpc'))) throw new Error('upnpc is not installed (Debian: miniupnpc)')
  const obstacle = await noLabBecause()
  if (obstacle === undefined) return parts
  const leftOut = parts.filter((part) => part.needsLab)
  if (leftOut.length > 0) note(`Left out: ${leftOut.map(({ name }) => name).join(', ')}. There is no lab: ${obstacle}`)
  return parts.filter((part) => !part.needsLab)
}

async function noLabBecause(): Promise<string | undefined> {
  try {
    await (await Lab.up()).down()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function withLab<T>(options: Parameters<typeof Lab.up>[0], use: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = await Lab.up(options)
  try {
    return await use(lab)
  } finally {
    await lab.down()
  }
}

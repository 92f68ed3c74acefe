/**
 * A hostile host beside the router. Whatever it does, every command finds and uses the router, over UPnP and over PCP, in the
 * same time and memory, and the hostile host is never asked for a port. HOSTILE_SECONDS says how long each attack goes on. The
 * table at the end is that of SECURITY.md, with the rate that the host really reached: it shares the machine with whom it attacks.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Command } from './command.ts'
import { flood, type Measured, plugInHostileHost, runMeasured, serve, useOf } from './hostile-lab.ts'
import { endBy, eventsOf, keepOpen } from './keep-lab.ts'
import { COMPUTER, Lab } from './lab.ts'
import { doorsOf } from './router-doors.ts'
import { answerSearchesAfter } from './router-lab.ts'

const DURATION_MS = Number(process.env.HOSTILE_SECONDS ?? '1') * 1000
const MOST_MS = 2500
const MOST_MB = 120
const ROUTERS = { igd: { via: 'IGD', router: '192.168.86.1:5000' }, pcp: { via: 'PCP', router: '192.168.86.1:5351' } }
type Via = keyof typeof ROUTERS

interface Attack {
  readonly name: string
  readonly flood: string
  readonly perSecond: number
  /** What its web server says. */
  readonly serves: 'igd' | 'large' | 'blanks'
  /** The router answers a search after that time. */
  readonly routerMs?: number
  /** Beside the commands, ports are kept open over both protocols. */
  readonly isAtKeepers?: true
}

const ATTACKS: readonly Attack[] = [
  { name: 'search replies from one host', flood: 'one host', perSecond: 50_000, serves: 'igd' },
  { name: 'search replies from 250 forged neighbours', flood: 'neighbours', perSecond: 50_000, serves: 'igd' },
  { name: "search replies and garbage from the router's address", flood: 'gateway', perSecond: 50_000, serves: 'igd' },
  { name: '64 descriptions of 512 KiB from four hosts', flood: 'four hosts', perSecond: 500, serves: 'large' },
  { name: 'descriptions and replies of blanks', flood: 'four hosts', perSecond: 500, serves: 'blanks' },
  { name: 'LOCATIONs that no URL parser reads', flood: 'unreadable', perSecond: 8000, serves: 'igd' },
  { name: 'an IGD at once, the router after 0.3 s', flood: 'four hosts', perSecond: 500, serves: 'igd', routerMs: 300 },
  { name: 'an IGD at once, the router after 1 s', flood: 'four hosts', perSecond: 500, serves: 'igd', routerMs: 1000 },
  { name: 'forged PCP errors on all ports', flood: 'pcp errors', perSecond: 60_000, serves: 'igd' },
  {
    name: 'forged announcements at keepers',
    flood: 'announcements',
    perSecond: 1000,
    serves: 'igd',
    isAtKeepers: true,
  },
  { name: 'NOTIFY at keepers', flood: 'notifies', perSecond: 80_000, serves: 'igd', isAtKeepers: true },
]

const table: Record<string, Record<string, string | number>> = {}
let lab: Lab
let lastPort = 10_000

beforeAll(async () => {
  lab = await Lab.up()
  await plugInHostileHost(lab)
}, 60_000)
afterAll(async () => {
  console.log(markdown(table))
  await lab.down()
})

function markdown(rows: typeof table): string {
  const columns = [...new Set(Object.values(rows).flatMap(Object.keys))]
  const body = Object.entries(rows).map(([name, row]) => [name, ...columns.map((column) => row[column] ?? '')])
  const head = [`attacked for ${DURATION_MS / 1000} s`, ...columns]
  return [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

interface Opened extends Measured {
  /** The router's rules say so. */
  readonly isOpen: boolean
}

async function opens(via: Via): Promise<Opened> {
  const port = ++lastPort
  const how = via === 'pcp' ? ['--via', 'pcp'] : []
  const ran = await runMeasured(lab, [...how, '-r', `${port}`, 'TCP'])
  return { ...ran, isOpen: (await doorsOf(lab)).includes(`TCP ${port} -> ${COMPUTER}:${port}`) }
}

/** One command after the other, in turn over UPnP and PCP, until the time is over. */
async function commands(): Promise<Record<Via, Opened[]>> {
  const all: Record<Via, Opened[]> = { igd: [], pcp: [] }
  const endMs = performance.now() + DURATION_MS
  do {
    all.igd.push(await opens('igd'))
    all.pcp.push(await opens('pcp'))
  } while (performance.now() < endMs)
  return all
}

const most = (numbers: readonly number[]): number => Math.round(Math.max(...numbers))

const KEPT = { igd: 9000, pcp: 9001 } as const
const VIAS: readonly Via[] = ['igd', 'pcp']

const startKeepers = (): Promise<Command[]> =>
  Promise.all(VIAS.map((via) => keepOpen(lab, ['--via', via, '-r', `${KEPT[via]}`, 'TCP'])))

/** They held their ports all the time, and end as they should. Returns what they took. */
async function endKeepers(keepers: readonly Command[], attackMs: number) {
  const doors = await doorsOf(lab)
  for (const port of Object.values(KEPT)) expect.soft(doors).toContain(`TCP ${port} -> ${COMPUTER}:${port}`)
  const uses = keepers.map(useOf)
  for (const { exit, stdout } of await Promise.all(keepers.map((each) => endBy(each, 'SIGTERM')))) {
    expect.soft(exit).toBe(0)
    const types = eventsOf(stdout).map(({ type }) => type)
    expect.soft(types).not.toContain('lost')
    expect.soft(types).not.toContain('gateway-lost')
  }
  for (const { mostMb } of uses) expect.soft(mostMb).toBeLessThanOrEqual(MOST_MB)
  return {
    'keeper: MB at most': most(uses.map(({ mostMb }) => mostMb)),
    'keeper: processor': `${most(uses.map(({ cpuMs }) => (100 * cpuMs) / attackMs))} %`,
  }
}

describe('beside a hostile host', { timeout: 120_000 }, () => {
  test.for(ATTACKS)('the router is found and used: $name', async (attack, { onTestFinished }) => {
    const started: Command[] = []
    onTestFinished(async () => {
      for (const each of started) each.kill('SIGKILL')
      await Promise.all(started.map((each) => each.ends()))
      await lab.on('router', ['nft', 'delete', 'table', 'inet', 'slow'])
    })
    const server = await serve(lab, attack.serves)
    started.push(server)
    if (attack.routerMs !== undefined) started.push(await answerSearchesAfter(lab, attack.routerMs))
    const keepers = attack.isAtKeepers ? await startKeepers() : []
    started.push(...keepers)
    const attacking = await flood(lab, attack.flood, attack.perSecond)
    started.push(attacking.command)
    const startMs = performance.now()
    const came = await commands()
    const attackMs = performance.now() - startMs
    const perSecond = await attacking.end()
    const all = [...came.igd, ...came.pcp]
    const isRight = (via: Via) => (each: Opened) =>
      each.exit === 0 && each.isOpen && each.via === ROUTERS[via].via && each.router === ROUTERS[via].router
    const share = (via: Via) => `${came[via].filter(isRight(via)).length} of ${came[via].length}`
    table[attack.name] = {
      'in a second': perSecond,
      'over UPnP': share('igd'),
      'over PCP': share('pcp'),
      'ms at most': most(all.map(({ wallMs }) => wallMs)),
      'MB at most': most(all.map(({ mostMb }) => mostMb)),
    }
    if (keepers.length > 0) table[attack.name] = { ...table[attack.name], ...(await endKeepers(keepers, attackMs)) }
    for (const via of VIAS) {
      for (const each of came[via]) {
        expect.soft(each, each.stdout + each.stderr).toMatchObject({ exit: 0, isOpen: true, ...ROUTERS[via] })
        expect.soft(each.wallMs).toBeLessThanOrEqual(MOST_MS)
        expect.soft(each.mostMb).toBeLessThanOrEqual(MOST_MB)
      }
    }
    expect.soft(server.stdout).not.toContain('was asked for a port')
  })
})

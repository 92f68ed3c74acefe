/**
 * One keeper for each protocol, each with three doors and leases of a minute, and faults at random: nobody on the
 * internet may find a door closed for a second that no fault excuses. ENDURANCE_SECONDS says how long that goes on, and
 * SEED chooses the faults; the moments at which they come are never quite the same. Without it they are those of a run that
 * has found something once; `npm run test:endurance` takes others each time.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, describe, type ExpectStatic, expect, test } from 'vitest'
import { randomFrom } from '../support/random.ts'
import type { Command } from './command.ts'
import {
  between,
  FAULTS,
  type Fault,
  type Home,
  type KeptPort,
  LEASE_SECONDS,
  type Struck,
} from './endurance-faults.ts'
import { endBy, eventsOf, Knocker, keepOpen, labUp, ROUTERS, told, VIAS, type Via } from './keep-lab.ts'
import { ROUTER_WAN } from './lab.ts'
import { doorsOf } from './router-doors.ts'
import { listenOnComputer } from './traffic.ts'

const { ENDURANCE_SECONDS = '75', SEED = '860083' } = process.env
const DURATION_MS = Number(ENDURANCE_SECONDS) * 1000
const WARM_MS = 30_000
const MORE_MEMORY_MB = 10
/** Less is a knock that came while miniupnpd had a rule out to put it in again. */
const LEAST_GAP_MS = 1000
/** Within so much a knocker has noticed. */
const NOTICED_WITHIN_MS = 1500
/** What is not open so long after its time does not come back. */
const GIVEN_UP_MS = 60_000

/**
 * Not TCP and UDP on the same port: over PCP and NAT-PMP miniupnpd 2.3.1 takes out the filter rule of one when the other is
 * renewed, and puts it in again when that one is.
 */
const PORTS: readonly KeptPort[] = [
  { port: 8080, protocol: 'TCP' },
  { port: 8081, protocol: 'TCP' },
  { port: 8082, protocol: 'UDP' },
]
const ARGV = ['-r', '8080', 'TCP', '8081', 'TCP', '8082', 'UDP', '--lease', `${LEASE_SECONDS}`]

/** What happened, and until when it excuses a closed door. */
interface Happened {
  readonly what: string
  readonly detail: string
  readonly startMs: number
  readonly endMs: number
  readonly excusedUntilMs: number
}

/** A door that was closed for longer than a knock. */
interface Closed {
  readonly door: string
  readonly fault: string
  readonly shutMs: number
  readonly ms: number
  readonly unexcusedMs: number
}

const table: Record<string, Record<string, string | number>> = Object.fromEntries(VIAS.map((via) => [via, {}]))
const faultTable: Record<string, Record<string, string>> = {}

afterAll(() => {
  console.log(`SEED=${SEED} ENDURANCE_SECONDS=${ENDURANCE_SECONDS}`)
  console.table(table)
  console.log('how often, for how long doors were closed by it, added up, and the longest of these')
  console.table(faultTable)
})

describe.concurrent('ports stay open', { timeout: DURATION_MS + 240_000 }, () => {
  test.for(VIAS)('over %s, whatever happens', async (via, { expect, onTestFinished }) => {
    const lab = await labUp(onTestFinished, { ...ROUTERS[via], leaseLimits: [30, 86_400] })
    for (const { port } of PORTS) await listenOnComputer(lab, port)
    const stateFile = `/run/upnp-ts-lab-${lab.name}/ports.json`
    const keeper = await keepOpen(lab, ['--via', via, ...ARGV, '--state', stateFile])
    await keeper.says(told('mapped', PORTS.length))
    const knockers = PORTS.map(({ port, protocol }) => new Knocker(lab, { host: ROUTER_WAN, port }, protocol))
    await Promise.all(knockers.map((knocker) => knocker.finds('open')))
    const warm = pause(WARM_MS).then(() => memoryOf(keeper))

    const random = randomFrom(Number(SEED) * VIAS.length + VIAS.indexOf(via))
    const history = await endure({ lab, via, keeper, ports: PORTS, random }, knockers)

    const closed = closedDoors(knockers, history)
    const blips = knockers.flatMap(({ gaps }) => gaps).length - closed.length
    const memory = { start: await warm, end: memoryOf(keeper) }
    const state = await stateWithAll(stateFile)
    const { stdout, exit } = await endBy(keeper, 'SIGTERM')
    note(via, { history, closed, blips, memory, stdout })
    const unexcused = closed.filter(({ unexcusedMs }) => unexcusedMs >= LEAST_GAP_MS)
    const story = `SEED=${SEED}\n${history.map(lineOf).join('\n')}\n${stdout}`
    expect.soft(unexcused, story).toEqual([])
    expect.soft(memory.end.ownMb - memory.start.ownMb, story).toBeLessThan(MORE_MEMORY_MB)
    expectEnd(expect, { state, exit, doors: await doorsOf(lab) }, story)
  })
})

interface End {
  readonly state: string
  readonly exit: number
  readonly doors: readonly string[]
}

/** All was told to be open until the end, and nothing is left behind. */
function expectEnd({ soft }: ExpectStatic, { state, exit, doors }: End, story: string): void {
  const open = PORTS.map(({ port, protocol }) => expect.objectContaining({ protocol, externalPort: port }))
  soft(JSON.parse(state).ports, story).toEqual(expect.arrayContaining(open))
  soft({ exit, doors }, story).toEqual({ exit: 0, doors: [] })
}

/** One fault after the other, each once all doors are open again, until the time is over. */
async function endure(home: Home, knockers: readonly Knocker[]): Promise<readonly Happened[]> {
  const history: Happened[] = []
  const endMs = Date.now() + DURATION_MS
  for (const { what, strike } of faultsInRandomOrder(home.random)) {
    await pause(between(home, 2, 10) * 1000)
    if (Date.now() >= endMs) break
    const startMs = Date.now()
    const {
      detail = '',
      excusedMs,
      heal,
    }: Struck = await strike(home).catch((cause: unknown) => {
      throw new Error(`SEED=${SEED}: ${what}: ${cause}\n${history.map(lineOf).join('\n')}`, { cause })
    })
    const struckMs = Date.now()
    await pause(NOTICED_WITHIN_MS)
    const areOpen = await areAllOpen(knockers, (excusedMs ?? 0) + GIVEN_UP_MS)
    const openAgainMs = Date.now()
    await heal?.()
    const excusedUntilMs = excusedMs === undefined ? startMs : Math.min(struckMs + excusedMs, openAgainMs)
    history.push({ what, detail, startMs, endMs: struckMs, excusedUntilMs })
    if (!areOpen) break
  }
  return history
}

/** Each once, and then each once more in another order, and so on. */
function* faultsInRandomOrder(random: () => number): Generator<Fault> {
  for (;;) {
    const ranked = FAULTS.map((fault) => ({ fault, rank: random() }))
    for (const { fault } of ranked.sort((one, other) => one.rank - other.rank)) yield fault
  }
}

async function areAllOpen(knockers: readonly Knocker[], deadlineMs: number): Promise<boolean> {
  const giveUpMs = Date.now() + deadlineMs
  const isOpen = ({ gaps }: Knocker): boolean => Number.isFinite(gaps.at(-1)?.openMs ?? 0)
  while (!knockers.every(isOpen)) {
    if (Date.now() >= giveUpMs) return false
    await pause(100)
  }
  return true
}

function closedDoors(knockers: readonly Knocker[], history: readonly Happened[]): readonly Closed[] {
  const nowMs = Date.now()
  return PORTS.flatMap(({ port, protocol }, at) =>
    (knockers[at]?.gaps ?? []).flatMap(({ shutMs, openMs }) => {
      const endMs = Math.min(openMs, nowMs)
      if (endMs - shutMs < LEAST_GAP_MS) return []
      const excused = history.map((fault) => overlapMs(fault, shutMs, endMs)).reduce((sum, ms) => sum + ms, 0)
      const fault = history.findLast(({ startMs }) => startMs <= shutMs)?.what ?? 'nothing'
      const ms = endMs - shutMs
      return [{ door: `${port} ${protocol}`, fault, shutMs, ms, unexcusedMs: ms - excused }]
    }),
  )
}

function overlapMs({ startMs, excusedUntilMs }: Happened, shutMs: number, endMs: number): number {
  return Math.max(0, Math.min(endMs, excusedUntilMs) - Math.max(shutMs, startMs))
}

/** The file as it is as soon as all ports are in it, or after a while. */
async function stateWithAll(file: string): Promise<string> {
  for (let tries = 100; ; tries--) {
    const state = readFileSync(file, 'utf8')
    if (tries === 0 || JSON.parse(state).ports.length === PORTS.length) return state
    await pause(100)
  }
}

interface Memory {
  readonly residentMb: number
  /** Without the pages of Node's program file, which come in when they are first used, and are shared. */
  readonly ownMb: number
}

function memoryOf({ pid }: Command): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mb = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024
  return { residentMb: mb('VmRSS'), ownMb: mb('RssAnon') }
}

function lineOf({ what, detail, startMs, endMs, excusedUntilMs }: Happened): string {
  const times = [startMs, endMs, excusedUntilMs].map((ms) => new Date(ms).toISOString().slice(11))
  return `${times[0]} ${what} (${detail}), over ${times[1]}, excused until ${times[2]}`
}

interface Result {
  readonly history: readonly Happened[]
  readonly closed: readonly Closed[]
  readonly blips: number
  readonly memory: { readonly start: Memory; readonly end: Memory }
  readonly stdout: string
}

function note(via: Via, { history, closed, blips, memory, stdout }: Result): void {
  const events = eventsOf(stdout)
  const count = (type: string): number => events.filter((event) => event.type === type).length
  const sum = (all: readonly number[]): number => all.reduce((one, other) => one + other, 0)
  const longest = [...closed].sort((one, other) => other.ms - one.ms)[0]
  const unexcusedMs = sum(closed.map(({ unexcusedMs }) => unexcusedMs).filter((ms) => ms >= LEAST_GAP_MS))
  const closedMs = sum(closed.map(({ ms }) => ms))
  table[via] = {
    faults: history.length,
    closed: inSeconds(closedMs),
    excused: inSeconds(closedMs - unexcusedMs),
    unexcused: inSeconds(unexcusedMs),
    longest: longest === undefined ? '' : `${inSeconds(longest.ms)} (${longest.fault})`,
    'under 1 s': blips,
    lost: count('lost'),
    restored: count('restored'),
    renewed: count('renewed'),
    'gateway-lost': count('gateway-lost'),
    'MB (own) at 30 s': inMb(memory.start),
    'at the end': inMb(memory.end),
  }
  for (const { what } of FAULTS) {
    const times = history.filter((fault) => fault.what === what).length
    const gapsMs = closed.filter(({ fault }) => fault === what).map(({ ms }) => ms)
    if (times === 0) continue
    const cell =
      gapsMs.length === 0 ? `${times}x` : `${times}x ${inSeconds(sum(gapsMs))} ${inSeconds(Math.max(...gapsMs))}`
    faultTable[what] = { ...faultTable[what], [via]: cell }
  }
}

function inMb({ residentMb, ownMb }: Memory): string {
  return `${residentMb.toFixed(1)} (${ownMb.toFixed(1)})`
}

function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

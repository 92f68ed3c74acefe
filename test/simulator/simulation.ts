/** One simulation: a keeper, its router and whatever happens to them in a day, by the seed. */
import { FAULTS } from './faults.ts'
import {
  announcementsBounded,
  endsAreTrue,
  keepsRunning,
  lossesAreTold,
  nothingLeft,
  openAgain,
  opensNoMore,
  othersUntouched,
  staysOpen,
  toldIsTrue,
} from './properties.ts'
import type { Bugs } from './session.ts'
import { between, clockText, type Failure, HOUR_MS, MINUTE_MS, pick, SECOND_MS, scenarioOf, World } from './world.ts'

export const DAY_MS = 24 * HOUR_MS
/** How much longer than `--check` it may take until every port is open again. */
const GRACE_MS = 5 * SECOND_MS
const ENDS_WITHIN_MS = 10 * SECOND_MS

export interface Options {
  readonly durationMs?: number
  readonly bugs?: Bugs
  readonly log?: (line: string) => void
  /** The names of the faults that happen. By default all do. */
  readonly faults?: readonly string[]
  /** Properties that do not count. */
  readonly without?: ReadonlySet<string>
}

export interface Result {
  readonly failure: Failure | undefined
  /** Undefined if nothing failed: the seed, what it means, and the faults so far. */
  readonly story: string | undefined
  readonly turns: number
}

/** Nothing in the program may be random in another way. */
async function withRandom<T>(random: () => number, work: () => Promise<T>): Promise<T> {
  const before = Math.random
  Math.random = random
  try {
    return await work()
  } finally {
    Math.random = before
  }
}

export async function simulate(
  seed: number,
  { durationMs = DAY_MS, faults = Object.keys(FAULTS), bugs, log, without }: Options = {},
): Promise<Result> {
  const scenario = scenarioOf(seed)
  const world = new World(scenario, bugs, log, without)
  await withRandom(world.random, () => live(world, durationMs, faults))
  const { failure } = world
  return { failure, story: failure && storyOf(world, failure), turns: world.timeline.turns }
}

function storyOf({ scenario, faults }: World, { property, message }: Failure): string {
  const words = scenario.argv.map((word) => (word === '' ? "''" : word)).join(' ')
  return [
    `${property} does not hold with seed ${scenario.seed}, ${message}`,
    `upnp-ts ${words}${scenario.isIgd1 ? ' (the router is an IGD:1)' : ''}`,
    ...faults.slice(-12),
    `SEED=${scenario.seed} npx vitest run --dir test test/simulator prints everything that was sent and said`,
  ].join('\n')
}

async function live(world: World, durationMs: number, faults: readonly string[]): Promise<void> {
  const { timeline, random, recorder, scenario } = world
  const settleMs = scenario.checkMs + GRACE_MS
  recorder.onRequest = () => {
    if (timeline.nowMs >= world.quietSinceMs + settleMs) world.fail('staysOpen', staysOpen(world))
  }
  await world.begin()
  await settle(world)
  while (world.failure === undefined && timeline.nowMs < durationMs) {
    await peace(world, between(random, 0, 90 * MINUTE_MS))
    await trouble(world, faults)
    await settle(world)
  }
  await peace(world, between(random, 0, 10 * MINUTE_MS))
  await end(world)
  await world.router.close()
}

/** Everything has to be well within that time. */
async function settle(world: World): Promise<void> {
  await world.pass(world.scenario.checkMs + GRACE_MS)
  if (world.failure !== undefined) return
  world.fail('openAgain', openAgain(world))
  checkMinute(world)
}

function checkMinute(world: World): void {
  world.fail('keepsRunning', keepsRunning(world))
  world.fail('staysOpen', staysOpen(world))
  world.fail('opensNoMore', opensNoMore(world))
  world.fail('toldIsTrue', toldIsTrue(world))
  world.fail('endsAreTrue', endsAreTrue(world))
  world.fail('othersUntouched', othersUntouched(world))
}

async function peace(world: World, ms: number): Promise<void> {
  const endMs = world.timeline.nowMs + ms
  while (world.failure === undefined && world.timeline.nowMs < endMs) {
    await world.pass(Math.min(MINUTE_MS, endMs - world.timeline.nowMs))
    if (world.failure === undefined) checkMinute(world)
  }
}

/** One to three faults, which may overlap, and then nothing. */
async function trouble(world: World, faults: readonly string[]): Promise<void> {
  const { random, timeline, recorder, router, keeper, network } = world
  world.quietSinceMs = Number.POSITIVE_INFINITY
  const names = Array.from({ length: between(random, 1, 4) }, () => pick(random, faults))
  const before = { losses: keeper.losses, boots: router.boots, requests: recorder.requests, atMs: timeline.nowMs }
  for (const name of names) {
    const { lastsMs, end = (): void => {}, how = '' } = FAULTS[name]?.(world) ?? { lastsMs: 0 }
    network.after(lastsMs, end)
    world.lastUntil(timeline.nowMs + lastsMs + 1)
    const text = `${clockText(timeline.nowMs)} to ${clockText(timeline.nowMs + lastsMs)}: ${name} ${how}`
    world.faults.push(text)
    world.log?.(`* ${text}`)
    await passMinutes(world, names, between(random, 0, 2 * MINUTE_MS))
  }
  while (world.failure === undefined && timeline.nowMs < world.troubleUntilMs)
    await passMinutes(world, names, world.troubleUntilMs - timeline.nowMs)
  world.quietSinceMs = timeline.nowMs
  if (names.every((name) => name === 'a hostile announcer')) {
    const requests = recorder.requests - before.requests
    world.fail('announcementsBounded', announcementsBounded(world, requests, timeline.nowMs - before.atMs))
  }
  await settle(world)
  if (router.boots !== before.boots && !names.some((name) => UNNOTICED.test(name)))
    world.fail('lossesAreTold', lossesAreTold(world, before.losses))
}

/** During these somebody else may open a port again before the keeper looks, or nobody knows for how long. */
const UNNOTICED = /keeper|sleep/
/** During these the state file cannot be true. */
const UNWRITTEN = /disk|sleep/

async function passMinutes(world: World, names: readonly string[], ms: number): Promise<void> {
  const endMs = world.timeline.nowMs + ms
  while (world.failure === undefined && world.timeline.nowMs < endMs) {
    await world.pass(Math.min(MINUTE_MS, endMs - world.timeline.nowMs))
    world.fail('keepsRunning', keepsRunning(world))
    if (!names.some((name) => UNWRITTEN.test(name))) world.fail('endsAreTrue', endsAreTrue(world))
  }
}

async function end(world: World): Promise<void> {
  if (world.failure !== undefined) return
  world.log?.('* the end')
  world.quietSinceMs = Number.POSITIVE_INFINITY
  const held = [...world.keeper.open.values()]
  world.keeper.stop()
  await world.timeline.pass(ENDS_WITHIN_MS)
  world.fail('nothingLeft', await nothingLeft(world, held))
}

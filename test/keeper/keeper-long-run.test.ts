/** Weeks with everything that happens to routers, at random moments that are the same in every run. */
import { describe, expect, it } from 'vitest'
import { KeptMapping } from '../../src/keeper/kept-mapping.ts'
import { randomFrom } from '../support/random.ts'
import { OTHER_HOST, type SimulatedRouter } from '../support/simulated-gateway.ts'
import { begin, HOUR_MS, type Keeping, MINUTE_MS, PROTOCOLS, wanted } from './keeping.ts'

const WEEKS = 2
const LEASE_MS = HOUR_MS
const LOOK_MS = 2 * MINUTE_MS
/** The longest pause between two searches or two attempts, with its chance, and the time in which a request fails. */
const ATTEMPT_MS = 33_000 + 3000

interface World {
  readonly keeping: Keeping
  readonly router: SimulatedRouter
  readonly random: () => number
  /** What other hosts have, by its line in the table; until when. */
  readonly others: Map<string, number>
}

/** Makes trouble; returns after how long everything has to be well again. */
type Trouble = (world: World) => number | Promise<number>

const isIgd = ({ router }: World): boolean => router.protocol === 'igd'
const between = (random: () => number, from: number, to: number): number => from + random() * (to - from)

/** Of what PCP and NAT-PMP do not tell, only a renewal can be a remedy. */
const untilSeen = (world: World): number => (isIgd(world) ? LOOK_MS : LEASE_MS * 0.625) + ATTEMPT_MS

/** The external port that the pair has now. */
function portOf({ router }: World): number {
  const line = router.table.find((each) => each.includes('/TCP') && each.endsWith(`${router.localAddress}:80`))
  return Number(line?.split('/')[0] ?? 8080)
}

function forget(world: World): void {
  world.others.clear()
  occupy(world, 443) // that one comes back by itself
}

function occupy(
  { router, keeping, others }: World,
  port: number,
  protocol: 'TCP' | 'UDP' = 'TCP',
  seconds = 1e9,
): void {
  router.occupy(port, { protocol, leaseSeconds: seconds })
  others.set(`${port}/${protocol} -> ${OTHER_HOST}:9999`, keeping.clock.monotonicMs() + seconds * 1000)
}

const TROUBLES: Readonly<Record<string, Trouble>> = {
  reboot(world) {
    world.router.reboot()
    forget(world)
    return LOOK_MS + 1000
  },
  'reboot, announced'(world) {
    world.router.reboot()
    forget(world)
    world.router.announce()
    return 2000
  },
  async 'reboot that takes a while'(world) {
    const downMs = between(world.random, 1000, 20 * MINUTE_MS)
    world.router.reboot(downMs)
    forget(world)
    await world.keeping.wait(downMs)
    return LOOK_MS + ATTEMPT_MS
  },
  async 'outage without loss'(world) {
    const downMs = between(world.random, 1000, HOUR_MS / 2)
    world.router.goAway(downMs)
    await world.keeping.wait(downMs)
    return LOOK_MS + ATTEMPT_MS
  },
  async 'outage, and an announcement at its end'(world) {
    const downMs = between(world.random, 1000, HOUR_MS / 2)
    world.router.reboot(downMs)
    forget(world)
    await world.keeping.wait(downMs)
    world.router.announce()
    return 8000
  },
  'another external address'(world) {
    world.router.changeExternalAddress(`203.0.113.${Math.floor(between(world.random, 1, 255))}`)
    if (!isIgd(world)) forget(world)
    return LOOK_MS + 1000
  },
  deletion(world) {
    const [port, protocol] = (
      [
        [22, 'TCP'],
        [portOf(world), 'TCP'],
        [portOf(world), 'UDP'],
      ] as const
    )[Math.floor(world.random() * 3)] ?? [22, 'TCP']
    world.router.deleteMapping(port, protocol)
    return untilSeen(world)
  },
  'another host takes the port, any of which will do'(world) {
    const [port, protocol] = [portOf(world), isIgd(world) && world.random() < 0.5 ? 'UDP' : 'TCP'] as const
    occupy(world, port, protocol, 900)
    return untilSeen(world)
  },
  'another host takes the port that it must be'(world) {
    occupy(world, 22, 'TCP', 900)
    return isIgd(world) ? 900_000 + ATTEMPT_MS : LEASE_MS + ATTEMPT_MS
  },
  async 'answers get lost'(world) {
    world.router.answering = world.random() < 0.5 ? 'mute' : 'deaf'
    await world.keeping.wait(between(world.random, 1000, 1.5 * HOUR_MS))
    world.router.answering = 'in-time'
    return LOOK_MS + ATTEMPT_MS
  },
  async refusals(world) {
    world.router.refuse(501)
    await world.keeping.wait(between(world.random, 1000, 1.5 * HOUR_MS))
    world.router.refuse(undefined)
    return LOOK_MS + ATTEMPT_MS
  },
  'a sleep of this computer'(world) {
    const asleepMs = between(world.random, MINUTE_MS, 10 * HOUR_MS)
    world.keeping.sleep(asleepMs)
    for (const [line, untilMs] of world.others) world.others.set(line, untilMs - asleepMs)
    return LOOK_MS + ATTEMPT_MS
  },
  'another local address'(world) {
    const { keeping, router } = world
    keeping.move(router.localAddress === '192.168.1.10' ? '192.168.1.20' : '192.168.1.10')
    // Nobody but the old address could remove the old one over PCP and NAT-PMP.
    return isIgd(world) ? LOOK_MS + ATTEMPT_MS : LEASE_MS + ATTEMPT_MS
  },
  async 'slow answers'(world) {
    world.router.latencyMs = Math.floor(between(world.random, 0, 1500))
    await world.keeping.wait(between(world.random, 0, 2 * HOUR_MS))
    world.router.latencyMs = 0
    return LOOK_MS
  },
  'leases that are not extended'(world) {
    world.router.extendsLeases = !world.router.extendsLeases
    return LOOK_MS
  },
  'false alarms'(world) {
    for (let each = 0; each < 10; each++) world.router.announce()
    return 5000
  },
}

function expectAllWell(world: World, after: string): void {
  const { router, keeping, others } = world
  const { table, localAddress } = router
  const port = portOf(world)
  const ours = [
    `22/TCP -> ${localAddress}:22`,
    `${port}/TCP -> ${localAddress}:80`,
    `${port}/UDP -> ${localAddress}:80`,
  ]
  expect(table, after).toEqual(expect.arrayContaining(ours))
  const nowMs = keeping.clock.monotonicMs()
  const theirs = [...others].filter(([, untilMs]) => untilMs > nowMs).map(([line]) => line)
  expect(table, after).toEqual(expect.arrayContaining(theirs))
}

describe.each(PROTOCOLS)(`${WEEKS} weeks of trouble over %s`, (protocol) => {
  it.each([1, 2])('leave every mapping open and other hosts’ alone (%d)', { timeout: 20_000 }, async (seed) => {
    const random = randomFrom(seed)
    const tcp = new KeptMapping(wanted({ any: true }))
    const udp = new KeptMapping(wanted({ any: true, protocol: 'UDP', samePortAs: tcp }))
    const ssh = new KeptMapping(wanted({ externalPort: 22, internalPort: 22 }))
    const keeping = begin(protocol, { kept: [tcp, udp, ssh], random: randomFrom(seed + 100) })
    const world: World = { keeping, router: keeping.router, random, others: new Map() }
    forget(world)
    await keeping.wait(1000)
    expectAllWell(world, 'the start')
    const seen = new Set<string>()
    while (keeping.clock.monotonicMs() < WEEKS * 7 * 24 * HOUR_MS) {
      await keeping.wait(between(random, 0, 6 * HOUR_MS))
      const names = Object.keys(TROUBLES)
      const name = names[Math.floor(random() * names.length)] ?? ''
      const boundMs = (await TROUBLES[name]?.(world)) ?? 0
      await keeping.wait(boundMs)
      expectAllWell(world, `${name} at ${keeping.clock.monotonicMs()}`)
      seen.add(name)
    }
    expect(seen.size).toBe(Object.keys(TROUBLES).length)
    const own = keeping.router.localAddress
    await keeping.stop()
    expect(keeping.router.table.filter((line) => line.includes(` ${own}:`))).toEqual([])
    expect(keeping.router.table).toContain(`443/TCP -> ${OTHER_HOST}:9999`)
  })
})

/** Weeks with everything that happens to routers, at random moments that are the same in every run. */
import { describe, expect, it } from 'vitest'
import { WATCH_MS } from '../../src/keeper/changes.ts'
import { KeptMapping } from '../../src/keeper/kept-mapping.ts'
import { KeptPinhole } from '../../src/keeper/kept-pinhole.ts'
import { randomFrom } from '../support/random.ts'
import { OTHER_HOST, type SimulatedRouter } from '../support/simulated-gateway.ts'
import { begin, HOUR_MS, type Keeping, MINUTE_MS, wanted } from './keeping.ts'

const WEEKS = 2
const LEASE_MS = HOUR_MS
const LOOK_MS = 2 * MINUTE_MS
/** The longest pause between two searches or two attempts, with its chance, and the time in which a request fails. */
const ATTEMPT_MS = 33_000 + 3000

const PINHOLE = { remoteHost: '', remotePort: 0, internalPort: 8022, protocol: 6, leaseSeconds: 1e9 }
const OWN_IPV6 = '2001:db8::5'

const othersIPv6 = (each: number): string => `2001:db8::${90 + each}`

interface World {
  readonly keeping: Keeping
  readonly router: SimulatedRouter
  readonly random: () => number
  /** What other hosts have, by its line in the table; until when. */
  readonly others: Map<string, number>
  /** How many other hosts have one. */
  pinholes: number
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

/** What was there goes with a reboot; what these keep open themselves comes back, and may be faster. */
function forget(world: World): void {
  const { router, others } = world
  others.clear()
  occupy(world, 443)
  occupy(world, 8081, 'UDP') // the next one that the pair would try
  // Of another program of this computer.
  router.occupy(5000, { internalClient: router.localAddress, internalPort: 5000, description: 'kept' })
  others.set(`5000/TCP -> ${router.localAddress}:5000`, Number.POSITIVE_INFINITY)
  if (world.random() < 0.3) occupy(world, portOf(world), 'TCP', 600)
  if (router.protocol === 'nat-pmp') return
  // Where they are more than before, the number that was the keeper's is another one's now.
  world.pinholes = Math.floor(between(world.random, 1, 7))
  for (let each = 1; each <= world.pinholes; each++)
    router.occupyPinhole({ ...PINHOLE, internalClient: othersIPv6(each) })
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
    return 5000 // 4 s after the last look, and half a second more
  },
  async 'reboot that takes a while'(world) {
    const downMs = between(world.random, 1000, 20 * MINUTE_MS)
    world.router.reboot(downMs)
    forget(world)
    await world.keeping.wait(downMs)
    return LOOK_MS + ATTEMPT_MS
  },
  'reboot, on another HTTP port'(world) {
    world.router.reboot()
    world.router.httpPort++
    forget(world)
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
    return WATCH_MS + 1000
  },
  'another local address'(world) {
    const { keeping, router } = world
    keeping.move(router.localAddress === '192.168.1.10' ? '192.168.1.20' : '192.168.1.10')
    // Nobody but the old address could remove the old one over PCP and NAT-PMP.
    return isIgd(world) ? WATCH_MS + 1000 : LEASE_MS + ATTEMPT_MS
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
  const own = table.filter((line) => line.includes(` ${localAddress}:`) && !line.startsWith('5000/'))
  expect(own, after).toEqual(ours.sort())
  const pinholes = router.pinholes.map((line) => line.replace(/^\d+: /, ''))
  if (router.protocol !== 'nat-pmp') {
    const hosts = [OWN_IPV6, ...Array.from({ length: world.pinholes }, (_, at) => othersIPv6(at + 1))]
    expect(pinholes.sort(), after).toEqual(hosts.map((host) => `8022 -> ${host}`).sort())
  }
  const nowMs = keeping.clock.monotonicMs()
  const theirs = [...others].filter(([, untilMs]) => untilMs > nowMs).map(([line]) => line)
  expect(table, after).toEqual(expect.arrayContaining(theirs))
}

describe(`${WEEKS} weeks of trouble`, () => {
  it.each([
    ['igd', 1],
    ['igd', 2],
    ['pcp', 1],
    ['nat-pmp', 2],
  ] as const)(
    'over %s leave everything open, and other hosts’ alone (%d)',
    { timeout: 60_000 },
    async (protocol, seed) => {
      const random = randomFrom(seed)
      const tcp = new KeptMapping(wanted({ any: true }))
      const udp = new KeptMapping(wanted({ any: true, protocol: 'UDP', samePortAs: tcp }))
      const ssh = new KeptMapping(wanted({ externalPort: 22, internalPort: 22 }))
      const pinhole = new KeptPinhole({ ...PINHOLE, leaseSeconds: 3600 }, () => OWN_IPV6)
      const kept = protocol === 'nat-pmp' ? [tcp, udp, ssh] : [tcp, udp, ssh, pinhole]
      const keeping = begin(protocol, { kept, random: randomFrom(seed + 100) })
      const world: World = { keeping, router: keeping.router, random, others: new Map(), pinholes: 0 }
      keeping.router.overwritesOthers = seed === 2 // an IGD that lets one host take the port of another
      forget(world)
      await keeping.wait(1000)
      expectAllWell(world, 'the start')
      const seen = new Set<string>()
      while (keeping.clock.monotonicMs() < WEEKS * 7 * 24 * HOUR_MS) {
        keeping.told()
        await keeping.wait(between(random, 0, 6 * HOUR_MS))
        const troubleInPeace = keeping.told().filter((line) => /lost|failed|searching/.test(line))
        expect(troubleInPeace).toEqual([])
        const names = Object.keys(TROUBLES)
        const name = names[Math.floor(random() * names.length)] ?? ''
        const boundMs = (await TROUBLES[name]?.(world)) ?? 0
        await keeping.wait(boundMs)
        expectAllWell(world, `${name} at ${keeping.clock.monotonicMs()}`)
        seen.add(name)
      }
      expect(seen.size).toBe(Object.keys(TROUBLES).length)
      await keeping.wait(2 * LEASE_MS) // so that everything was renewed at least once
      const own = keeping.router.localAddress
      if (protocol === 'igd') occupy(world, 22)
      await keeping.stop()
      const left = keeping.router.table.filter((line) => line.includes(` ${own}:`) && !line.startsWith('5000/'))
      expect(left).toEqual([])
      expect(keeping.router.pinholes.filter((line) => line.endsWith(OWN_IPV6))).toEqual([])
      expect(keeping.router.table).toEqual(
        expect.arrayContaining(
          ['443/TCP', '8081/UDP', ...(protocol === 'igd' ? ['22/TCP'] : [])].map(
            (port) => `${port} -> ${OTHER_HOST}:9999`,
          ),
        ),
      )
    },
  )
})

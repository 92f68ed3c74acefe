/** What goes wrong in a simulation: one named function for each kind of trouble. */
import { memoryFiles } from '../../src/net/files/private-files.ts'
import { encodeNatPmpResponse } from '../../src/wire/natpmp.ts'
import { encodePcpResponse } from '../../src/wire/pcp.ts'
import { encodeNotify } from '../../src/wire/ssdp.ts'
import { type Entry, PORT_CONTROL, ROUTER } from './router.ts'
import { between, HOUR_MS, MINUTE_MS, pick, SECOND_MS, type World } from './world.ts'

/** Trouble that has begun. */
export interface Trouble {
  readonly lastsMs: number
  readonly end?: () => void
  /** What was chosen, for the log. */
  readonly how?: string
}

export type Fault = (world: World) => Trouble

/** A keeper ends within 8 s, whatever happens. */
const ENDS_WITHIN_MS = 9000
const SSDP = { group: '239.255.255.250', port: 1900 } as const
const ANNOUNCEMENTS = { address: '224.0.0.1', port: 5350 } as const

/** Mostly short, and sometimes long. */
function duration({ random }: World, longestMs = HOUR_MS / 2): number {
  return between(random, 0, random() < 0.7 ? Math.min(MINUTE_MS, longestMs) : longestMs)
}

/** One of the keeper's mappings, as the router has it. */
function oneOfOurs({ random, router, computer }: World) {
  const ours = router.mappings.filter(({ internalClient }) => internalClient === computer.address)
  return ours.length === 0 ? undefined : pick(random, ours)
}

function nameOf(entry: Entry | undefined): string {
  return entry === undefined ? '' : `${entry.externalPort} ${entry.protocol}`
}

function weather(change: (world: World) => Partial<World['network']['weather']>): Fault {
  return (world) => {
    const now = change(world)
    Object.assign(world.network.weather, now)
    const calm = { loss: 0, doubling: 0, delayMs: 0 }
    const end = (): void => {
      for (const name of ['loss', 'doubling', 'delayMs'] as const)
        if (name in now) world.network.weather[name] = calm[name]
    }
    return { lastsMs: duration(world), end, how: JSON.stringify(now) }
  }
}

function restart(
  isAnnounced: boolean,
  externalAddressOf: (world: World) => string | undefined = () => undefined,
): Fault {
  return (world) => {
    const [downMs, externalAddress] = [duration(world, 10 * MINUTE_MS), externalAddressOf(world)]
    world.router.restart({ downMs, isAnnounced, ...(externalAddress === undefined ? {} : { externalAddress }) })
    return { lastsMs: downMs + 2 }
  }
}

const otherAddress = ({ random }: World): string => `198.51.100.${between(random, 2, 250)}`

/** Another computer has a port of ours after a restart, for as long as that may be if the port must be that one. */
function otherPort(isAnnounced: boolean): Fault {
  return (world) => {
    const { random, router, stranger } = world
    const [lost, downMs, takenMs] = [
      oneOfOurs(world),
      duration(world, 10 * MINUTE_MS),
      between(random, 60, 1200) * SECOND_MS,
    ]
    router.restart({ downMs, isAnnounced }, () => {
      if (lost === undefined) return
      router.occupy(stranger, lost.externalPort, lost.protocol, takenMs / 1000)
      world.lastUntil(world.timeline.nowMs + takenMs + 2)
    })
    return { lastsMs: downMs + 2, how: nameOf(lost) }
  }
}

function anotherKeeper(hasSameFiles: boolean): Fault {
  return (world) => {
    const lastsMs = duration(world)
    const other = world.newKeeper(`other ${world.faults.length}`, hasSameFiles ? world.files : memoryFiles())
    world.network.after(lastsMs, () => other.stop())
    const end = (): void => {
      for (const name of other.left) world.leftByOthers.add(name)
      // Over PCP nobody else has the nonce of what it left, which would be in the way until its lease is over.
      if (world.scenario.protocol !== 'pcp' || hasSameFiles) return
      for (const name of other.left) {
        const [, externalPort, protocol] = / (\d+) (TCP|UDP)$/.exec(name) ?? []
        if (protocol === 'TCP' || protocol === 'UDP')
          world.router.remove(world.stranger, Number(externalPort), protocol)
      }
    }
    return { lastsMs: lastsMs + ENDS_WITHIN_MS, end }
  }
}

/** Somebody forges the router's address, and announces what he likes. */
const hostileAnnouncer: Fault = (world) => {
  const { random, network, stranger, timeline } = world
  const [lastsMs, everyMs] = [between(random, 60, 200) * SECOND_MS, between(random, 100, 1000)]
  const [endMs, kind] = [timeline.nowMs + lastsMs, pick(random, ['pcp', 'nat-pmp', 'ssdp'] as const)]
  let sent = 0
  const announce = (): void => {
    if (timeline.nowMs >= endMs) return
    const [datagram, to] = forged(kind, random, sent++)
    const port = kind === 'ssdp' ? SSDP.port : PORT_CONTROL
    network.carry(stranger, 'announcer', { address: ROUTER, port }, to, datagram)
    network.after(everyMs, announce)
  }
  announce()
  return { lastsMs, how: `${kind} every ${everyMs} ms` }
}

function forged(kind: 'pcp' | 'nat-pmp' | 'ssdp', random: () => number, nth: number) {
  const epochSeconds = between(random, 0, 100_000)
  if (kind === 'pcp') {
    const head = { resultCode: 0, lifetimeSeconds: 0, epochSeconds }
    return [encodePcpResponse({ kind: 'ANNOUNCE-response', ...head }), ANNOUNCEMENTS] as const
  }
  if (kind === 'nat-pmp') {
    const externalAddress = `203.0.113.${between(random, 1, 255)}`
    return [
      encodeNatPmpResponse({ kind: 'external-address-response', externalAddress, epochSeconds }),
      ANNOUNCEMENTS,
    ] as const
  }
  const UDN = 'uuid:00000000-0000-4000-8000-000000000001'
  const head = { NT: 'upnp:rootdevice', USN: `${UDN}::upnp:rootdevice`, SERVER: '', BOOTID: String(nth) }
  const NTS = pick(random, ['ssdp:alive', 'ssdp:byebye'])
  const notify = encodeNotify({ ...head, NTS, LOCATION: `http://${ROUTER}:5000/rootDesc.xml`, maxAge: 1800 })
  return [notify, { address: SSDP.group, port: SSDP.port }] as const
}

export const FAULTS: Readonly<Record<string, Fault>> = {
  loss: weather(({ random }) => ({ loss: 0.05 + random() * 0.5 })),
  duplicates: weather(({ random }) => ({ doubling: 0.1 + random() * 0.8 })),
  'delays that reorder': weather(({ random }) => ({ delayMs: between(random, 10, 3000) })),
  restart: restart(false),
  'restart, announced': restart(true),
  'another external address': restart(false, otherAddress),
  'another external address, announced': restart(true, otherAddress),
  'another port': otherPort(false),
  'another port, announced': otherPort(true),
  refusals(world) {
    const lifetimeSeconds = pick(world.random, [0, 30, 1800])
    world.router.refuse(lifetimeSeconds)
    return { lastsMs: duration(world), end: () => world.router.endRefusal(), how: `for ${lifetimeSeconds} s` }
  },
  silence(world) {
    const { computer } = world.router
    computer.isDeaf = true
    return {
      lastsMs: duration(world),
      end() {
        computer.isDeaf = false
      },
    }
  },
  'answers that are lost'(world) {
    const { computer } = world.router
    computer.isMute = true
    return {
      lastsMs: duration(world),
      end() {
        computer.isMute = false
      },
    }
  },
  'a mapping is removed'(world) {
    const one = oneOfOurs(world)
    if (one !== undefined) world.router.remove(world.stranger, one.externalPort, one.protocol)
    return { lastsMs: 0, how: nameOf(one) }
  },
  'a port is taken'(world) {
    const { random, router, stranger } = world
    const [one, seconds] = [oneOfOurs(world), between(random, 30, 1200)]
    if (one === undefined) return { lastsMs: 0 }
    router.remove(stranger, one.externalPort, one.protocol)
    world.network.after(0, () => router.occupy(stranger, one.externalPort, one.protocol, seconds))
    return { lastsMs: seconds * SECOND_MS + 2, how: nameOf(one) }
  },
  'a sleep of this computer'(world) {
    const lastsMs = duration(world, 3 * HOUR_MS)
    world.computer.clock.sleep(lastsMs)
    return { lastsMs }
  },
  'another keeper in a container': anotherKeeper(false),
  'another keeper of this user': anotherKeeper(true),
  'a hostile announcer': hostileAnnouncer,
  'the hook fails'({ keeper, ...world }) {
    keeper.isHookBroken = true
    return {
      lastsMs: between(world.random, 0, 10 * MINUTE_MS),
      end() {
        keeper.isHookBroken = false
      },
    }
  },
  'the disk is full'({ keeper, ...world }) {
    keeper.isDiskFull = true
    return {
      lastsMs: between(world.random, 0, 10 * MINUTE_MS),
      end() {
        keeper.isDiskFull = false
      },
    }
  },
}

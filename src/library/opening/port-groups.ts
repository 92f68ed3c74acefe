/** Ports that are opened together: which of them share a search, a gateway and a keeper. */
import { checkOptions } from '../../domain/option-check.js'
import { netOf } from '../gateway/search-wishes.js'
import type { WantedPort } from '../keeping/wanted-ports.js'
import { OPEN_PORT } from '../options.js'
import type { Opened } from '../search-gateway.js'
import { type Place, whenOpen } from './kept-open-port.js'
import type { OpenPort } from './open-port.js'
import { type PlannedPart, plannedParts } from './planned-parts.js'
import type { PortOptions } from './port-options.js'
import { PortSession } from './port-session.js'

/** `opened`: what was found already. If it will do, there is a search only when it is lost. */
export async function openPortAt(opened: Opened | undefined, port: number, options: PortOptions): Promise<OpenPort> {
  const [outcome] = await openAll([{ ...options, port }], opened)
  if (outcome?.status === 'fulfilled') return outcome.value
  throw outcome?.reason
}

export async function openAll(
  wanted: readonly ({ readonly port: number } & PortOptions)[],
  opened?: Opened,
): Promise<readonly PromiseSettledResult<OpenPort>[]> {
  const groups: Group[] = []
  const plans = wanted.map(({ port, ...options }) => {
    try {
      checkOptions(options, OPEN_PORT, 'openPort')
      options.signal?.throwIfAborted()
      const { clock } = netOf(options)
      return { options, clock, seats: plannedParts(port, options).map((part) => seatFor(part, groups)) }
    } catch (error) {
      return { error }
    }
  })
  const sessions = new Map(
    groups.map((group) => [group, new PortSession({ ...group.part, ports: group.ports, opened })]),
  )
  const opening = plans.map(async (plan) => {
    if (plan.seats === undefined) throw plan.error
    return whenOpen(
      plan.seats.flatMap((seat) => placeAt(seat, sessions)),
      plan.options,
      plan.clock,
    )
  })
  for (const session of sessions.values()) session.begin()
  return Promise.allSettled(opening)
}

/** What shares a session. */
interface Group {
  readonly part: PlannedPart
  readonly ports: (readonly WantedPort[])[]
}

interface Seat {
  readonly group: Group
  readonly at: number
}

function seatFor(part: PlannedPart, groups: Group[]): Seat {
  let group = groups.find((each) => sharesSession(each.part, part))
  if (group === undefined) {
    group = { part, ports: [] }
    groups.push(group)
  }
  group.ports.push(part.wanted)
  return { group, at: group.ports.length - 1 }
}

function sharesSession(one: PlannedPart, other: PlannedPart): boolean {
  const [here, there] = [one.where, other.where]
  const isSamePlace = (['via', 'router', 'url', 'networkInterface', 'net', 'state'] as const).every(
    (name) => here[name] === there[name],
  )
  return isSamePlace && one.family === other.family && one.isKept === other.isKept
}

function placeAt({ group, at }: Seat, sessions: ReadonlyMap<Group, PortSession>): readonly Place[] {
  const session = sessions.get(group)
  const part = session?.parts[at]
  return session === undefined || part === undefined ? [] : [{ session, part }]
}

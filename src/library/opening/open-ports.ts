/** Opens ports and keeps them open: what `--keep` of the command line does, in one call. */

import { netOf } from '../gateway/search-wishes.js'
import type { Opened } from '../search-gateway.js'
import type { WantedPort } from '../wanted-ports.js'
import type { Where } from '../where.js'
import { type OpenPort, type Place, whenOpen } from './open-port.js'
import { type PlannedPart, type PortOptions, plannedParts } from './port-options.js'
import { PortSession } from './port-session.js'

/**
 * Opens a port of this computer to the internet, and keeps it open until it is closed: renews it, looks whether it is
 * there, and opens it again at a router that has restarted, or has come back after it was gone.
 *
 * It resolves when the port is open. If it rejects, nothing stays open, and what was asked for already is taken back; that
 * takes 2 s at most. `signal` and `timeoutMs` bound this call only, and never the open port.
 *
 * @example
 * const port = await openPort(25565, { protocol: 'TCP+UDP', externalPort: 'any' })
 * console.log(`${port.externalAddress}:${port.externalPort}`)
 * await port.close()
 *
 * @throws InvalidArgumentError if no router could do that; NoGatewayError if there is none to ask; RefusedError and
 * NotConfirmedError if it says no, or gives the port to somebody else; NoReplyError, TransportError and
 * MalformedMessageError; the signal's reason
 */
export async function openPort(port: number, options: PortOptions = {}): Promise<OpenPort> {
  return openPortAt(undefined, port, options)
}

/** The same at a gateway that was found already: there is a search only when it is lost. */
export async function openPortAt(opened: Opened | undefined, port: number, options: PortOptions): Promise<OpenPort> {
  const [outcome] = await openAll([{ ...options, port }], opened)
  if (outcome?.status === 'fulfilled') return outcome.value
  throw outcome?.reason
}

/**
 * Opens several ports with one search, one gateway and one keeper, and says for each what came of it, in their order. Each
 * is closed on its own. What stands beside a port comes before `where`; ports with another `where` have a search of their
 * own, and so have pinholes, which are asked for over IPv6.
 *
 * @example
 * const [web, game] = await openPorts([443, { port: 25565, protocol: 'TCP+UDP' }], { timeoutMs: 10_000 })
 * if (web?.status === 'rejected') console.error(web.reason.message)
 */
export async function openPorts(
  ports: readonly (number | ({ readonly port: number } & PortOptions))[],
  where: Where = {},
): Promise<readonly PromiseSettledResult<OpenPort>[]> {
  return openAll(ports.map((each) => (typeof each === 'number' ? { ...where, port: each } : { ...where, ...each })))
}

async function openAll(
  wanted: readonly ({ readonly port: number } & PortOptions)[],
  opened?: Opened,
): Promise<readonly PromiseSettledResult<OpenPort>[]> {
  const groups: Group[] = []
  const plans = wanted.map(({ port, ...options }) => {
    try {
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

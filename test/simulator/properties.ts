/**
 * What has to be true, each a function with a name: it returns what is wrong, or undefined. The router's own tables
 * decide, and never what a keeper believes.
 */
import type { Entry } from './router.ts'
import { ROUTER } from './router.ts'
import type { ToldPort, Wanted } from './session.ts'
import { SECOND_MS, type World } from './world.ts'

const textOf = ({ protocol, externalPort, internalPort }: ToldPort): string =>
  `${externalPort} ${protocol} > ${internalPort}`

/** What the router has for the keeper's computer, without what another keeper there has left. */
function ours({ router, computer, keeper, leftByOthers }: World): readonly Entry[] {
  const own = router.mappings.filter(({ internalClient }) => internalClient === computer.address)
  if (leftByOthers.size === 0) return own
  const told = new Set([...keeper.open.values()].map(textOf))
  const isLeft = ({ externalPort, protocol }: Entry): boolean =>
    leftByOthers.has(`external port ${externalPort} ${protocol}`)
  return own.filter((entry) => told.has(textOf(entry)) || !isLeft(entry))
}

/** What of the wanted ports is not open, or not as wanted. */
function missing({ scenario: { wanted } }: World, have: readonly Entry[]): string | undefined {
  const found = wanted.map((each) => [each, have.filter((entry) => isFor(entry, each))] as const)
  for (const [each, entries] of found) {
    const name = `${each.externalPort ?? 'any'} ${each.protocol} > ${each.internalPort}`
    if (entries.length !== 1)
      return `${name} is open ${entries.length} times: ${have.map(textOf).join(', ') || 'nothing'}`
    const pair = found.find(([other]) => other.pair === each.pair)?.[1][0]
    if (pair?.externalPort !== entries[0]?.externalPort) return `${name} is not on the port of its other half`
  }
  return undefined
}

function isFor(entry: Entry, { protocol, internalPort, externalPort }: Wanted): boolean {
  const isInside = entry.protocol === protocol && entry.internalPort === internalPort
  return isInside && (externalPort === undefined || entry.externalPort === externalPort)
}

/** After the last fault every port is open within `--check` plus 5 s. */
export function openAgain(world: World): string | undefined {
  const wrong = missing(world, ours(world))
  return wrong === undefined ? undefined : `${world.scenario.checkMs / 1000} s and 5 s after the last fault ${wrong}`
}

/** What is open stays open as long as nothing happens. */
export function staysOpen(world: World): string | undefined {
  const wrong = missing(world, ours(world))
  return wrong === undefined ? undefined : `although nothing has happened, ${wrong}`
}

/** Nothing but what is wanted is open. */
export function opensNoMore(world: World): string | undefined {
  const { scenario } = world
  const more = ours(world).filter((entry) => !scenario.wanted.some((each) => isFor(entry, each)))
  return more.length === 0 ? undefined : `nobody wants ${more.map(textOf).join(', ')}`
}

/** What is told, by lines, the state file and the hook, equals what the router has. */
export function toldIsTrue(world: World): string | undefined {
  const { keeper, router, scenario } = world
  const have = ours(world).map(textOf).toSorted().join(', ')
  const lines = [...keeper.open.values()].map(textOf).toSorted().join(', ')
  if (lines !== have) return `the lines say ${lines || 'nothing'}, and the router has ${have || 'nothing'}`
  const { ports = [], externalAddress } = keeper.state ?? {}
  const written = ports.map(textOf).toSorted().join(', ')
  if (written !== have) return `the state file says ${written || 'nothing'}, and the router has ${have || 'nothing'}`
  if (externalAddress !== router.externalAddress)
    return `the state file says ${externalAddress}, and the address is ${router.externalAddress}`
  const { hook = {} } = keeper
  const ending = scenario.wanted.length === 1 ? (): string => '' : (at: number): string => `_${at + 1}`
  const heard = scenario.wanted
    .map(({ protocol, internalPort }, at) => {
      const externalPort = Number(hook[`UPNP_EXTERNAL_PORT${ending(at)}`])
      return textOf({ protocol, internalPort, externalPort })
    })
    .toSorted()
    .join(', ')
  if (heard !== have) return `the hook was told ${heard}, and the router has ${have || 'nothing'}`
  if (hook.UPNP_EXTERNAL_ADDRESS === router.externalAddress) return undefined
  return `the hook was told ${hook.UPNP_EXTERNAL_ADDRESS}, and the address is ${router.externalAddress}`
}

/** The state file does not say longer than the lease lasts that a port is open. */
export function endsAreTrue(world: World): string | undefined {
  const nowMs = world.computer.clock.wallMs()
  for (const { ends, ...port } of world.keeper.state?.ports ?? [])
    if (ends !== null && Date.parse(ends) < nowMs - SECOND_MS)
      return `the state file says that ${textOf(port)} is open, and that it ended at ${ends}`
  return undefined
}

/** The mappings of other computers are left alone. */
export function othersUntouched({ router, stranger, timeline }: World): string | undefined {
  const theirs = router.mappings.filter(({ internalClient }) => internalClient === stranger.address)
  const have = new Set(theirs.map(({ externalPort, protocol }) => `${externalPort}/${protocol}`))
  const gone = [...router.others].filter(([name, untilMs]) => untilMs > timeline.nowMs && !have.has(name))
  return gone.length === 0 ? undefined : `${gone.map(([name]) => name).join(', ')} of another computer is gone`
}

/** A keeper runs until it is asked to end. */
export function keepsRunning({ keeper }: World): string | undefined {
  if (!keeper.isOver) return undefined
  const { failure } = keeper
  return `the keeper has ended: ${failure instanceof Error ? failure.stack : `status ${keeper.exitCode}`}`
}

/** A restart that takes a mapping away is told: as a lost port or a lost gateway. */
export function lossesAreTold({ keeper }: World, lossesBefore: number): string | undefined {
  if (keeper.losses > lossesBefore) return undefined
  return 'the router has restarted, and no line says that anything was lost'
}

/** How many looks and renewals a keeper may make on its own in that time, each with all its requests. */
function requestsOnItsOwn({ scenario: { wanted, leaseSeconds } }: World, durationMs: number): number {
  const looks = durationMs / 60_000 + 3
  const renewals = leaseSeconds === undefined ? 1 : durationMs / (leaseSeconds * 500) + 1
  return looks * (1 + wanted.length) + renewals * wanted.length * 3
}

/** The requests that an announcer causes stay at one in 4 s. */
export function announcementsBounded(world: World, requests: number, durationMs: number): string | undefined {
  const most = Math.ceil(durationMs / 4000) + 1 + requestsOnItsOwn(world, durationMs)
  if (requests <= most) return undefined
  return `in ${durationMs / 1000} s of announcements the keeper has sent ${requests} requests, more than ${Math.floor(most)}`
}

/** Its own file, and those about the ports that it had at the end. */
async function filesLeft({ files }: World, held: readonly ToldPort[]): Promise<readonly string[]> {
  const isHeld = (name: string): boolean =>
    held.some(({ protocol, externalPort }) => `${name}-`.includes(`-${protocol}-${externalPort}-`))
  const names = await files.list('')
  return names.filter((name) => name.startsWith('keeper-') || isHeld(name))
}

/** At the end nothing is left: no mapping, no port in the state file, no mark, no socket, no timer. */
export async function nothingLeft(world: World, held: readonly ToldPort[]): Promise<string | undefined> {
  const { keeper, computer, scenario } = world
  if (keeper.failure !== undefined) return keepsRunning(world)
  if (keeper.exitCode === undefined) return 'the keeper has not ended within 10 s'
  if (keeper.exitCode !== 0) return `the exit status is ${keeper.exitCode}`
  const [open, said] = [ours(world).map(textOf), keeper.state?.ports.map(textOf) ?? []]
  if (open.length > 0) return `${open.join(', ')} is still open on ${ROUTER} over ${scenario.protocol}`
  if (said.length > 0) return `the state file still says ${said.join(', ')}`
  const names = await filesLeft(world, held)
  if (names.length > 0) return `these files are left: ${names.join(', ')}`
  if (computer.openSockets.length > 0) return `these are still open: ${computer.openSockets.join(', ')}`
  return computer.clock.pending > 0 ? `${computer.clock.pending} timers are still armed` : undefined
}

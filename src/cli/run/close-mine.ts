/** close --mine: all that upnp-ts has open for this computer, shown first, and closed once that is agreed to. */
import { isSameAddress } from '../../domain/address.js'
import type { MappingKey, PortMapping } from '../../domain/port-mapping.js'
import { type OwnMapping, ownMappings } from '../../library/gateway/own-mappings.js'
import { allPinholes } from '../../library/pinhole-memory.js'
import { type Listeners, listeningAt } from '../../net/tables/listeners.js'
import type { ChosenGateway, RunContext } from '../context.js'
import type { Reporting } from '../failure.js'
import type { GatewayCommand } from '../parse/command-table.js'
import type { ExitCode, ReportOf } from '../report.js'
import { asMapping, closeAtTheirRouter } from './close.js'
import { unmapKey } from './map.js'

type Command<Name extends GatewayCommand['name']> = Extract<GatewayCommand, { name: Name }>

interface Own {
  /** Undefined of a pinhole. */
  readonly key?: MappingKey
  readonly mapping: PortMapping
  readonly leave?: ReportOf<'left-alone'>['reason'] | undefined
}

/** The mappings are closed, and the pinholes only shown: they are closed over IPv6, by closeMyPinholes. */
export async function* closeMine(
  chosen: ChosenGateway,
  context: RunContext,
  command: Command<'close-mine'>,
): Reporting<ExitCode> {
  const listeners = command.onlyUnused ? await context.listeners?.() : undefined
  const here = [chosen.gateway.localAddress, ...addressesOf(context)]
  const judged = (own: OwnMapping | Own): Own =>
    own.leave === undefined && command.onlyUnused ? { ...own, leave: whyUsed(own.mapping, listeners, here) } : own
  const mappings: Own[] = (await ownMappings(chosen.router, context)).map(judged).toSorted(byPort)
  const known = command.withPinholes ? await allPinholes(context) : []
  const pinholes = known.map((each) => judged({ mapping: asMapping(each, context) }))
  const all = [...mappings, ...pinholes]
  const wanted = all.filter(({ leave }) => leave === undefined)
  for (const { mapping } of wanted) yield { type: 'to-close', mapping }
  for (const { mapping, leave } of all) if (leave !== undefined) yield { type: 'left-alone', mapping, reason: leave }
  if (wanted.length === 0) {
    yield { type: 'nothing-to-close', left: all.length }
    return 0
  }
  if (!command.isAgreed) {
    if (context.agrees === undefined) {
      yield { type: 'error', error: { kind: 'not-agreed', count: wanted.length } }
      return 1
    }
    yield { type: 'asked', count: wanted.length }
    if (!(await context.agrees(context.signal))) {
      yield { type: 'declined' }
      return 1
    }
  }
  let exitCode: ExitCode = 0
  for (const { key } of wanted)
    if (key !== undefined && !(yield* withoutDoubt(unmapKey(chosen, context, key)))) exitCode = 2
  return exitCode
}

/** Routers list them in the order in which they were opened, or the other way round. */
function byPort({ mapping: one }: Own, { mapping: other }: Own): number {
  return (one.externalPort ?? 0) - (other.externalPort ?? 0) || one.protocol.localeCompare(other.protocol)
}

/** That upnp-ts has made it is known by its description too. */
async function* withoutDoubt(reports: Reporting<boolean>): Reporting<boolean> {
  for (;;) {
    const next = await reports.next()
    if (next.done === true) return next.value
    if (next.value.type !== 'notice' || next.value.kind !== 'made-by-another') yield next.value
  }
}

/** Whether there is a pinhole to close over IPv6. */
export async function hasPinholeOfMine(command: Command<'close-my-pinholes'>, context: RunContext): Promise<boolean> {
  return (await pinholesToClose(command, context)).length > 0
}

export async function* closeMyPinholes(
  chosen: ChosenGateway,
  context: RunContext,
  command: Command<'close-my-pinholes'>,
): Reporting<ExitCode> {
  return yield* closeAtTheirRouter(chosen, context, await pinholesToClose(command, context))
}

async function pinholesToClose({ onlyUnused }: Command<'close-my-pinholes'>, context: RunContext) {
  const all = await allPinholes(context)
  if (!onlyUnused) return all
  const listeners = await context.listeners?.()
  const here = addressesOf(context)
  return all.filter((each) => whyUsed(asMapping(each, context), listeners, here) === undefined)
}

function addressesOf({ interfaces }: RunContext): readonly string[] {
  return interfaces().map(({ address }) => address)
}

/** Undefined if nobody listens there. Of an address that is not `here`, this computer knows nothing. */
function whyUsed(
  { protocol, internalClient: address, internalPort: port }: PortMapping,
  listeners: Listeners | undefined,
  here: readonly string[],
): 'in-use' | 'use-unknown' | undefined {
  if (listeners === undefined || port === undefined || (protocol !== 'TCP' && protocol !== 'UDP')) return 'use-unknown'
  if (!here.some((each) => isSameAddress(each, address))) return 'use-unknown'
  const { kind } = listeningAt(listeners, { protocol, address, port })
  return kind === 'nobody' ? undefined : kind === 'unknown' ? 'use-unknown' : 'in-use'
}

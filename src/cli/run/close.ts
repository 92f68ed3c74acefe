/** close: what leads to this computer or was opened by this user is closed, and nothing else. */
import type { MappingKey, PortMapping } from '../../domain/port-mapping.js'
import { type PinholeOnPort, pinholesOn } from '../../library/pinhole-memory.js'
import { addressOf } from '../../library/router.js'
import type { ChosenGateway, RunContext } from '../context.js'
import { attempt, type Reporting } from '../failure.js'
import type { GatewayCommand, PortToClose } from '../parse/command-table.js'
import type { ExitCode } from '../report.js'
import { unmapFailed, unmapKey } from './map.js'
import { deletePinholes } from './pinholes.js'

type Command<Name extends GatewayCommand['name']> = Extract<GatewayCommand, { name: Name }>

export async function* close(
  chosen: ChosenGateway,
  context: RunContext,
  { ports }: Command<'close'>,
): Reporting<ExitCode> {
  let exitCode: ExitCode = 0
  for (const port of ports) if (!(yield* closePort(chosen, context, port))) exitCode = 2
  return exitCode
}

/** Returns whether nothing of this computer is open there any more. */
async function* closePort(
  chosen: ChosenGateway,
  context: RunContext,
  { port, protocols }: PortToClose,
): Reporting<boolean> {
  const { router, gateway } = chosen
  const known: MappingKey[] = []
  const untold: MappingKey[] = []
  let isClosed = true
  for (const protocol of protocols) {
    const key = { externalPort: port, protocol, remoteHost: '' }
    const asked = await attempt(context.signal, () => router.ownerOf(key))
    if (!asked.ok) {
      isClosed = false
      yield unmapFailed(gateway, key, asked.error)
      continue
    }
    const owner = asked.value
    if (owner === 'untold') untold.push(key)
    else if (owner?.isOwn === true) known.push(key)
    else if (owner !== undefined) {
      isClosed = false
      const { internalClient: address, description } = owner.mapping
      yield { type: 'notice', kind: 'another-computers', key, address, description } as const
    }
  }
  const keys = known.length > 0 ? known : untold
  for (const key of keys) {
    // An IGD would close it for whoever has opened it. PCP and NAT-PMP close only what leads to who asks.
    if (known.length === 0 && gateway.protocol === 'igd') {
      isClosed = false
      yield { type: 'notice', kind: 'not-shown', key } as const
    } else isClosed = (yield* unmapKey(chosen, context, key)) && isClosed
  }
  if (keys.length === 0 && isClosed)
    yield { type: 'notice', kind: 'nothing-open', externalPort: port, protocols } as const
  return isClosed
}

/** Whether this user has opened one of these ports over IPv6. */
export async function hasPinholeToClose({ ports }: Command<'close-pinholes'>, context: RunContext): Promise<boolean> {
  return (await pinholesToClose(ports, context)).length > 0
}

export async function* closePinholes(
  chosen: ChosenGateway,
  context: RunContext,
  { ports }: Command<'close-pinholes'>,
): Reporting<ExitCode> {
  return yield* closeAtTheirRouter(chosen, context, await pinholesToClose(ports, context))
}

/** Closes those that were opened at that gateway, and names the others. */
export async function* closeAtTheirRouter(
  chosen: ChosenGateway,
  context: RunContext,
  all: readonly PinholeOnPort[],
): Reporting<ExitCode> {
  const { gateway } = chosen
  const here = all.filter((each) => each.via === gateway.protocol && each.gateway === addressOf(gateway))
  const exitCode = yield* deletePinholes(chosen, context, { ids: here.map(({ id }) => id), mayBeGone: true })
  for (const each of all.filter((one) => !here.includes(one)))
    yield { type: 'left-alone', mapping: asMapping(each, context), reason: 'another-router' }
  return here.length < all.length ? 2 : exitCode
}

/** A pinhole as a row of a table. */
export function asMapping(pinhole: PinholeOnPort, { clock }: RunContext): PortMapping {
  const { protocol, internalPort, internalClient, endsWallMs } = pinhole
  const leaseSeconds = Math.ceil((endsWallMs - clock.wallMs()) / 1000)
  const inside = { internalPort, internalClient, protocol, description: '', enabled: true }
  return { remoteHost: '', externalPort: internalPort, ...inside, leaseSeconds }
}

async function pinholesToClose(ports: readonly PortToClose[], context: RunContext): Promise<readonly PinholeOnPort[]> {
  const found = ports.flatMap(({ port, protocols }) =>
    protocols.map((protocol) => pinholesOn({ protocol, internalPort: port }, context)),
  )
  return (await Promise.all(found)).flat()
}

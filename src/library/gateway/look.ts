/** One look at a gateway: what a person who watches it wants to see, in as few questions as its protocol allows. */
import { PortMappingError, RefusedError } from '../../domain/errors.js'
import type { ConnectionStatus, Gateway, IgdGateway, ListingEnd, PortControlGateway } from '../../domain/gateway.js'
import type { PortMapping } from '../../domain/port-mapping.js'
import { type Epoch, hasKeptState } from '../../keeper/changes.js'
import { type RemovingNet, rememberedAt } from './remove-own.js'

export interface Look {
  /** Undefined if the gateway does not say. */
  readonly externalAddress: string | undefined
  readonly status: ConnectionStatus | undefined
  /** `memory`: PCP and NAT-PMP cannot list, so it is what this user is remembered to have opened. */
  readonly table: { readonly rows: readonly PortMapping[]; readonly endedBy: ListingEnd | 'memory' } | RefusedError
  /** The gateway has lost its state since the last look. */
  readonly hasRestarted: boolean
}

/** @throws PortMappingError if the gateway does not answer */
export type LookAgain = () => Promise<Look>

export function looksAt(gateway: Gateway, net: Pick<RemovingNet, 'files' | 'clock'>, address?: string): LookAgain {
  return gateway.protocol === 'igd' ? () => lookAtIgd(gateway) : looksAtPortControl(gateway, net, address)
}

async function lookAtIgd(gateway: IgdGateway): Promise<Look> {
  const [externalAddress, status, table] = await Promise.all([
    unlessRefused(gateway.externalAddress()),
    unlessRefused(gateway.status()),
    unlessRefused(tableOf(gateway)),
  ])
  return {
    externalAddress: externalAddress instanceof RefusedError ? undefined : externalAddress,
    status: status instanceof RefusedError ? undefined : status,
    table,
    hasRestarted: false,
  }
}

export async function tableOf(gateway: IgdGateway) {
  const rows: PortMapping[] = []
  const entries = gateway.portMappings()
  for (;;) {
    const next = await entries.next()
    if (next.done === true) return { rows, endedBy: next.value }
    rows.push(next.value)
  }
}

/** PCP tells its address only with a mapping, so it is asked for that once, and again after a restart (RFC 6887 8.5). */
function looksAtPortControl(
  gateway: PortControlGateway,
  net: Pick<RemovingNet, 'files' | 'clock'>,
  first: string | undefined,
): LookAgain {
  let address = first
  let before: Epoch | undefined
  return async () => {
    const told = (await gateway.pulse()).externalAddress
    const now = { seconds: gateway.epochSeconds, heardMs: net.clock.monotonicMs() }
    const hasRestarted = before !== undefined && !hasKeptState(gateway.protocol, before, now)
    before = now
    if (told !== undefined) address = told
    else if (address === undefined || hasRestarted) address = await unlessItFails(gateway.externalAddress())
    const table = { rows: await rememberedAt(gateway, net), endedBy: 'memory' } as const
    return { externalAddress: address, status: undefined, table, hasRestarted }
  }
}

async function unlessRefused<T>(asked: Promise<T>): Promise<T | RefusedError> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof RefusedError) return error
    throw error
  }
}

/** Empty if it is not told, so that it is not asked for with every look. */
async function unlessItFails(asked: Promise<string>): Promise<string> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof PortMappingError) return ''
    throw error
  }
}

/** What is open at the moment, for the command, the hook and the state file. Pure. */
import type { Kept } from '../keeper/kept.js'
import type { HeldMapping } from '../keeper/kept-mapping.js'
import type { HeldPinhole } from '../keeper/kept-pinhole.js'

export type HeldEither = HeldMapping | HeldPinhole
export type KeptEither = Kept<HeldEither>

/** One port that is open. */
export interface OpenPort {
  readonly protocol: string
  readonly externalPort: number
  readonly internalPort: number
  readonly internalClient: string
  /** When its lease is over; undefined where it does not end. */
  readonly endsWallMs: number | undefined
}

export interface KeepFacts {
  readonly externalAddress: string | undefined
  /** In the order of the command line. */
  readonly ports: readonly OpenPort[]
}

/** What it was granted -> the port. */
export function openPortOf(held: HeldEither, nowWallMs: number): OpenPort {
  const endsWallMs = Number.isFinite(held.leaseMs) ? nowWallMs + held.leaseMs : undefined
  if ('mapping' in held) {
    const { protocol, externalPort = 0, internalPort = 0, internalClient } = held.mapping
    return { protocol, externalPort, internalPort, internalClient, endsWallMs }
  }
  const { internalClient, internalPort, protocol } = held.pinhole
  const name = protocol === 6 ? 'TCP' : protocol === 17 ? 'UDP' : String(protocol)
  return { protocol: name, externalPort: internalPort, internalPort, internalClient, endsWallMs }
}

/** UPNP_EXTERNAL_ADDRESS, and for each port UPNP_EXTERNAL_PORT and the like; numbered from 1 where there are several. */
export function environmentOf({ externalAddress, ports }: KeepFacts): Record<string, string> {
  if (ports.length === 0) return {}
  const variables: Record<string, string> = {}
  if (externalAddress !== undefined) variables.UPNP_EXTERNAL_ADDRESS = externalAddress
  for (const [at, { externalPort, internalPort, protocol }] of ports.entries()) {
    const number = ports.length === 1 ? '' : `_${at + 1}`
    variables[`UPNP_EXTERNAL_PORT${number}`] = String(externalPort)
    variables[`UPNP_INTERNAL_PORT${number}`] = String(internalPort)
    variables[`UPNP_PROTOCOL${number}`] = protocol
  }
  return variables
}

/** The state file: one JSON object. */
export function stateText(facts: KeepFacts, nowWallMs: number): string {
  const iso = (wallMs: number): string => new Date(wallMs).toISOString()
  const ports = facts.ports.map(({ endsWallMs, ...port }) => ({
    ...port,
    ends: endsWallMs === undefined ? null : iso(endsWallMs),
  }))
  return `${JSON.stringify({ updated: iso(nowWallMs), externalAddress: facts.externalAddress ?? null, ports })}\n`
}

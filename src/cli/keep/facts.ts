/** What is open at the moment, for the user's program, the hook, the state file and the service manager. Pure. */

import { transportProtocolOf } from '../../domain/port-mapping.js'
import type { HeldEither } from '../../keeper/kept-either.js'
import type { OpenPort } from '../report.js'

export interface KeepFacts {
  readonly externalAddress: string | undefined
  /** In the order of the command line; undefined for a port that is not open. */
  readonly ports: readonly (OpenPort | undefined)[]
}

/** What the gateway granted -> the open port. */
export function openPortOf(held: HeldEither, nowWallMs: number): OpenPort {
  const endsWallMs = Number.isFinite(held.leaseMs) ? nowWallMs + held.leaseMs : undefined
  if ('mapping' in held) {
    const { protocol, externalPort = 0, internalPort = 0, internalClient } = held.mapping
    return { protocol, externalPort, internalPort, internalClient, endsWallMs }
  }
  const { internalClient, internalPort, protocol } = held.pinhole
  const name = transportProtocolOf(protocol) ?? String(protocol)
  return { protocol: name, externalPort: internalPort, internalPort, internalClient, endsWallMs }
}

export function opened({ ports }: KeepFacts): readonly OpenPort[] {
  return ports.filter((port) => port !== undefined)
}

/**
 * UPNP_EXTERNAL_ADDRESS, and UPNP_EXTERNAL_PORT, UPNP_INTERNAL_PORT and UPNP_PROTOCOL of the first port. If several
 * ports were asked for, each also has its own: UPNP_EXTERNAL_PORT_1 and so on, in the order of the command line. The
 * first port has both sets, so a script for one port also works with TCP+UDP. A port that is not open has none.
 */
export function environmentOf(facts: KeepFacts): Record<string, string> {
  const { externalAddress, ports } = facts
  const variables: Record<string, string> = {}
  if (opened(facts).length > 0 && externalAddress !== undefined) variables.UPNP_EXTERNAL_ADDRESS = externalAddress
  for (const [at, port] of ports.entries()) {
    if (port === undefined) continue
    const endings = [...(at === 0 ? [''] : []), ...(ports.length === 1 ? [] : [`_${at + 1}`])]
    for (const ending of endings) {
      variables[`UPNP_EXTERNAL_PORT${ending}`] = String(port.externalPort)
      variables[`UPNP_INTERNAL_PORT${ending}`] = String(port.internalPort)
      variables[`UPNP_PROTOCOL${ending}`] = port.protocol
    }
  }
  return variables
}

/** The version of the state file: within one version, fields keep their names and meanings. */
const STATE_VERSION = 1

/** The content of the state file: one JSON object. */
export function stateText(facts: KeepFacts, nowWallMs: number): string {
  const iso = (wallMs: number): string => new Date(wallMs).toISOString()
  const ports = opened(facts).map(({ endsWallMs, ...port }) => ({
    ...port,
    ends: endsWallMs === undefined ? null : iso(endsWallMs),
  }))
  const externalAddress = facts.externalAddress ?? null
  return `${JSON.stringify({ version: STATE_VERSION, updated: iso(nowWallMs), externalAddress, ports })}\n`
}

/** The mappings and pinholes that are asked for, as the keeper takes them. */
import type { Gateway } from '../../domain/gateway.js'
import type { PinholeRequest } from '../../domain/pinhole.js'
import type { MappingKey, MappingRequest } from '../../domain/port-mapping.js'
import type { LeftBehind } from '../../domain/refusal-cause.js'
import { KeptMapping, type WantedMapping } from '../../keeper/kept-mapping.js'
import { type HeldEither, type KeptEither, KeptPinhole, type WantedPinhole } from '../../keeper/kept-pinhole.js'
import type { InterfaceAddress } from '../../net/interfaces.js'
import { pinholeAddress } from '../pinhole-address.js'
import { type HeldPlace, outsideOf } from './this-program.js'

/** Without an internal client it is for this computer, whatever its address is at the time. */
export type WantedPort =
  | {
      readonly kind: 'mapping'
      readonly mapping: Pick<
        WantedMapping,
        'externalPort' | 'protocol' | 'remoteHost' | 'internalClient' | 'internalPort' | 'description' | 'lease' | 'any'
      >
      /** It has the external port of the one before it, as TCP+UDP does. */
      readonly sharesPort: boolean
    }
  | { readonly kind: 'pinhole'; readonly pinhole: WantedPinhole }

/** What is held at a router. */
export interface HeldThing extends Omit<HeldPlace, 'router' | 'via'> {
  /** Undefined if it is a pinhole. */
  readonly key?: MappingKey | undefined
}

/** What other keepers of this program and this user do, and earlier runs have done. */
export interface OtherRuns {
  readonly isOwn: (kept: KeptEither, thing: HeldThing, description: string) => Promise<boolean>
  readonly isKeptElsewhere: (kept: KeptEither, thing: HeldThing) => Promise<boolean>
  readonly isKeptByAnother: (kept: KeptEither, key: MappingKey) => Promise<boolean>
  readonly leftBehind: (gateway: Gateway, key: MappingKey) => Promise<LeftBehind | undefined>
  /** Returns what another keeper of this program holds there in its place. */
  readonly hold?: (kept: KeptEither, thing: HeldThing) => Promise<HeldPlace | undefined>
}

/** `interfaces`: the addresses that a pinhole may be for. `addressFor` chooses another one. */
export function keptOf(
  wanted: readonly WantedPort[],
  interfaces: () => readonly InterfaceAddress[],
  { isOwn, isKeptElsewhere, isKeptByAnother, leftBehind, hold }: OtherRuns,
  addressFor = ({ localAddress }: Gateway): string => pinholeAddress(localAddress, interfaces()),
): readonly KeptEither[] {
  let previous: KeptMapping | undefined
  return wanted.map((each) => {
    if (each.kind === 'pinhole') {
      const kept: KeptPinhole = new KeptPinhole(each.pinhole, addressFor, {
        isKeptElsewhere: (pinhole) => isKeptElsewhere(kept, pinholeOf(pinhole)),
        hold: (pinhole) => hold?.(kept, pinholeOf(pinhole)),
      })
      return kept
    }
    const kept: KeptMapping = new KeptMapping({
      ...each.mapping,
      samePortAs: each.sharesPort ? previous : undefined,
      isOwn: (request, description) => isOwn(kept, mappingOf(request), description),
      isKeptElsewhere: (request) => isKeptElsewhere(kept, mappingOf(request)),
      isKeptByAnother: (key) => isKeptByAnother(kept, key),
      leftBehind,
      hold: (request) => hold?.(kept, mappingOf(request)),
    })
    previous = kept
    return kept
  })
}

/** What the keeper was granted. */
export function thingOf(held: HeldEither): HeldThing {
  if ('pinhole' in held) return pinholeOf(held.pinhole)
  const { externalPort = held.asked.externalPort, internalPort = held.asked.internalPort } = held.mapping
  return mappingOf({ ...held.asked, externalPort, internalPort })
}

function mappingOf({ externalPort, protocol, remoteHost, internalClient, internalPort }: MappingRequest): HeldThing {
  const key = { externalPort, protocol, remoteHost }
  return { key, outside: outsideOf(key), internalClient, internalPort: internalPort || externalPort }
}

/** It translates nothing, so two of them are never in each other's way. */
function pinholeOf({ protocol, internalClient, internalPort, remoteHost, remotePort }: PinholeRequest): HeldThing {
  const outside = ['pinhole', protocol, internalClient, internalPort, remoteHost, remotePort].join('/')
  return { outside, internalClient, internalPort }
}

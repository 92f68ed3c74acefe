/** The mappings and pinholes that are asked for, as the keeper takes them. */
import type { Gateway } from '../domain/gateway.js'
import type { MappingKey } from '../domain/port-mapping.js'
import type { LeftBehind } from '../domain/refusal-cause.js'
import { KeptMapping, type WantedMapping } from '../keeper/kept-mapping.js'
import { type KeptEither, KeptPinhole, type WantedPinhole } from '../keeper/kept-pinhole.js'
import type { InterfaceAddress } from '../net/interfaces.js'
import { pinholeAddress } from './pinhole-address.js'

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

/** What other keepers of this user do, and earlier runs have done. */
export interface OtherRuns {
  readonly isOwn: (key: MappingKey, description: string) => Promise<boolean>
  readonly isKeptElsewhere: (kept: KeptEither, key: MappingKey) => Promise<boolean>
  readonly isKeptByAnother: (key: MappingKey) => Promise<boolean>
  readonly leftBehind: (gateway: Gateway, key: MappingKey) => Promise<LeftBehind | undefined>
}

/** `interfaces`: the addresses that a pinhole may be for. `addressFor` chooses another one. */
export function keptOf(
  wanted: readonly WantedPort[],
  interfaces: () => readonly InterfaceAddress[],
  { isOwn, isKeptElsewhere, isKeptByAnother, leftBehind }: OtherRuns,
  addressFor = ({ localAddress }: Gateway): string => pinholeAddress(localAddress, interfaces()),
): readonly KeptEither[] {
  let previous: KeptMapping | undefined
  return wanted.map((each) => {
    if (each.kind === 'pinhole') return new KeptPinhole(each.pinhole, addressFor)
    const kept: KeptMapping = new KeptMapping({
      ...each.mapping,
      samePortAs: each.sharesPort ? previous : undefined,
      isOwn,
      isKeptElsewhere: (key) => isKeptElsewhere(kept, key),
      isKeptByAnother,
      leftBehind,
    })
    previous = kept
    return kept
  })
}

/**
 * What this user has mapped: which protocol made it, and its inside. Every protocol can close only what it has made, and
 * PCP and NAT-PMP know a mapping by its inside, but a person who closes a port names its outside. Each mapping has its
 * own file, so several processes need no lock. A memory of one router is nothing to another with the same address.
 */
import { isIPv6, isUnicastIPv4 } from '../domain/address.js'
import {
  GATEWAY_PROTOCOLS,
  type GatewayProtocol,
  isPort,
  type MappingKey,
  type TransportProtocol,
} from '../domain/port-mapping.js'
import type { Clock } from '../net/clock.js'
import { type PrivateFiles, unlessItFails } from '../net/files/private-files.js'

/** Four ranges of 1024 ports. If there are more, those that have ended are removed, and then those that end first. */
export const MAX_REMEMBERED = 4096
/** The share of a lease by which the end in a file may be too early. */
const LATEST_REWRITE = 1 / 8
/** So many are removed at once, because each time all have to be read. */
const REMOVED_AT_ONCE = 256

type Outside = Pick<MappingKey, 'externalPort' | 'protocol'>

interface OpenInside {
  readonly internalClient: string
  /** 0 for the same port as outside, which can only be asked for over NAT-PMP, and not be closed. */
  readonly internalPort: number
  /** If the mapping is for one host only. Made again without it, the port would be open to everybody. */
  readonly remoteHost?: string
}

export interface RememberedMapping extends Outside, OpenInside {
  /** 0 if it has no end. */
  readonly leaseSeconds: number
  /** It leads to the computer that has asked for it. */
  readonly isForThisComputer?: boolean
  /** As it was asked for, if the protocol has no descriptions. */
  readonly description?: string
}

/** Where a mapping was made: the address of the router, in which protocol, and which router that was. */
export interface MappingPlace {
  readonly address: string
  readonly via: GatewayProtocol
  /** The UDN of an IGD, or else the hardware address. Empty if it is not known. */
  readonly identity: () => Promise<string>
  /** The name of this computer. */
  readonly computer?: string | undefined
}

/** A mapping that was made at an address, perhaps at another router than the one that is there now. */
export interface MadeMapping {
  readonly via: GatewayProtocol
  readonly identity: string
  readonly remoteHost: string
  readonly internalClient: string
  readonly internalPort: number
  /** The name of the computer that has made it for itself. */
  readonly computer: string | undefined
  /** When it was made, and when its lease ends: milliseconds since the Unix epoch, or Infinity. */
  readonly madeWallMs: number
  readonly endsWallMs: number
  /** As it was asked for, if the protocol has no descriptions. */
  readonly description?: string | undefined
}

/** Of the files. In another version the same fields may mean something else, so it is neither read nor removed. */
const VERSION = 2

interface Kept extends OpenInside {
  readonly via: GatewayProtocol
  readonly identity: string
  /** null in the file if it has no end */
  readonly endsWallMs: number
  readonly madeWallMs: number
  readonly computer?: string
  readonly description?: string
}

/** As it is written: JSON has no Infinity. */
type Written = Omit<Kept, 'endsWallMs'> & { readonly endsWallMs: number | null }

const SAME_FIELDS = ['internalClient', 'remoteHost', 'computer', 'description'] as const

export type MappingMemory = ReturnType<typeof keptMappings>

export function keptMappings(files: PrivateFiles, clock: Clock, { address, via, identity, computer }: MappingPlace) {
  /** The name tells outside and inside, so that only the files are read that count. */
  const endOf = (who: string): string => `-${via}-${clean(who).slice(0, MAX_IDENTITY_LENGTH)}`
  const namesOf = async ({ protocol, externalPort }: Outside, who: string): Promise<string[]> => {
    const names = await files.list(`${prefixOf(address, protocol)}${externalPort}-`)
    return names.filter((name) => name.endsWith(endOf(who)))
  }
  const isOurs = (kept: Kept | 'foreign' | undefined, now: string): kept is Kept =>
    kept !== undefined &&
    kept !== 'foreign' &&
    kept.via === via &&
    kept.identity === now &&
    kept.endsWallMs > clock.wallMs()
  /** A process that has crashed, or one that did the same at the same moment, may have left an older one. */
  const newestOf = async (outside: Outside, who: string): Promise<Kept | undefined> => {
    const all = await Promise.all((await namesOf(outside, who)).map((name) => readKept(files, name)))
    const known = all.filter((kept) => kept !== undefined && kept !== 'foreign')
    const [newest] = known.toSorted((a, b) => b.madeWallMs - a.madeWallMs)
    return isOurs(newest, who) ? newest : undefined
  }
  /** Whether the file is all there is about that outside, and says the same, but for an end that is a bit too early. */
  const isRemembered = async (name: string, kept: Written, outside: Outside, sinceWallMs: number): Promise<boolean> => {
    if (sinceWallMs === Number.POSITIVE_INFINITY || kept.endsWallMs === null) return false
    const before = await readKept(files, name)
    if (!isOurs(before, kept.identity) || before.madeWallMs < sinceWallMs) return false
    const isSame = SAME_FIELDS.every((each) => before[each] === kept[each])
    const laterMs = kept.endsWallMs - before.endsWallMs
    const isInTime = laterMs >= 0 && laterMs < (kept.endsWallMs - kept.madeWallMs) * LATEST_REWRITE
    return isSame && isInTime && (await namesOf(outside, kept.identity)).length === 1
  }
  return {
    /**
     * Never throws: a mapping does not fail because it cannot be remembered. What was remembered since that moment is
     * not written again before its end is well out of date: a keeper asks for thousands of mappings every two minutes.
     */
    remember: (
      {
        internalClient,
        internalPort,
        leaseSeconds,
        remoteHost = '',
        isForThisComputer = false,
        description = '',
        ...outside
      }: RememberedMapping,
      sinceWallMs = Number.POSITIVE_INFINITY,
    ) =>
      unlessItFails(async () => {
        const madeWallMs = clock.wallMs()
        const endsWallMs = leaseSeconds === 0 ? null : madeWallMs + leaseSeconds * 1000
        const inside = { internalClient, internalPort, ...(remoteHost === '' ? {} : { remoteHost }) }
        const who = await identity()
        const maker = {
          ...(isForThisComputer && computer !== undefined ? { computer } : {}),
          ...(description === '' ? {} : { description }),
        }
        const kept = { version: VERSION, via, identity: who, ...inside, ...maker, madeWallMs, endsWallMs }
        const { protocol, externalPort } = outside
        const name = `${prefixOf(address, protocol)}${externalPort}-${internalPort}${endOf(who)}`
        if (await isRemembered(name, kept, outside, sinceWallMs)) return
        await unlessItFails(() => files.write(name, `${JSON.stringify(kept)}\n`))
        // Also if the disk is full: what was there before is not true any more.
        for (const each of (await namesOf(outside, who)).filter((other) => other !== name)) {
          const other = await readKept(files, each)
          if (other === 'foreign') continue
          const isLater = other !== undefined && other.madeWallMs > madeWallMs && other.madeWallMs <= clock.wallMs()
          if (!isLater) await files.remove(each)
        }
        await removeEnded(files, clock)
      }),
    /** Undefined if nothing is known, or the lease has ended. */
    recall: (outside: Outside): Promise<OpenInside | undefined> =>
      unlessItFails(async () => {
        const kept = await newestOf(outside, await identity())
        return kept && openInsideOf(kept)
      }),
    forget: (outside: Outside) =>
      unlessItFails(async () => {
        for (const name of await namesOf(outside, await identity())) await files.remove(name)
      }),
    /** The known external ports of that inside, if they were made since that moment. */
    async outsidesOf(
      protocol: TransportProtocol,
      { internalClient, internalPort }: OpenInside,
      sinceWallMs: number,
    ): Promise<readonly RememberedMapping[]> {
      const prefix = prefixOf(address, protocol)
      const now = await identity()
      const inside = `-${internalPort}-`
      const isInside = (name: string): boolean =>
        name.includes(inside) && name.slice(prefix.length).split('-', 2)[1] === String(internalPort)
      const found = (await unlessItFails(() => readAll(files, prefix, isInside))) ?? []
      const outsides = found.map(async ({ name, kept }) => {
        if (!isOurs(kept, now) || kept.madeWallMs < sinceWallMs) return []
        if (kept.internalClient !== internalClient || kept.internalPort !== internalPort) return []
        const externalPort = Number.parseInt(name.slice(prefix.length), 10)
        const newest = await unlessItFails(() => newestOf({ protocol, externalPort }, now))
        if (newest?.internalPort !== internalPort) return []
        const leaseSeconds = Math.ceil((kept.endsWallMs - clock.wallMs()) / 1000)
        return [{ externalPort, protocol, leaseSeconds, ...openInsideOf(kept) }]
      })
      return (await Promise.all(outsides)).flat()
    },
  }
}

/** All that was made at that address with that outside, at whatever router it was. */
export async function mappingsMadeAt(
  files: PrivateFiles,
  clock: Clock,
  address: string,
  { protocol, externalPort }: Outside,
): Promise<readonly MadeMapping[]> {
  const found = await unlessItFails(() => readAll(files, `${prefixOf(address, protocol)}${externalPort}-`))
  return (found ?? []).flatMap(({ kept }) => madeAsIn(kept, clock))
}

/** All that was made at that address, at whatever router it was, with its outside. */
export async function allMadeAt(files: PrivateFiles, clock: Clock, address: string) {
  const made = (['TCP', 'UDP'] as const).map(async (protocol) => {
    const prefix = prefixOf(address, protocol)
    const found = (await unlessItFails(() => readAll(files, prefix))) ?? []
    return found.flatMap(({ name, kept }) => {
      const externalPort = Number.parseInt(name.slice(prefix.length), 10)
      return isPort(externalPort) ? madeAsIn(kept, clock).map((each) => ({ ...each, protocol, externalPort })) : []
    })
  })
  return (await Promise.all(made)).flat()
}

/** One, or none if the file tells of nothing that may still be there. */
function madeAsIn(kept: Kept | 'foreign' | undefined, clock: Clock): readonly MadeMapping[] {
  if (kept === undefined || kept === 'foreign' || kept.endsWallMs <= clock.wallMs()) return []
  const { remoteHost = '', computer, ...rest } = kept
  return [{ ...rest, remoteHost, computer }]
}

const PREFIX = 'mapping-'
/** The name of a file is limited, and a UDN and the zone of an address are not. */
const MAX_IDENTITY_LENGTH = 60
const MAX_ADDRESS_LENGTH = 90

function prefixOf(address: string, protocol: TransportProtocol): string {
  return `${PREFIX}${clean(address).slice(0, MAX_ADDRESS_LENGTH)}-${protocol}-`
}

/** What can stand in the name of a file. */
function clean(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*~]/g, '_')
}

function openInsideOf({ internalClient, internalPort, remoteHost }: Kept): OpenInside {
  return { internalClient, internalPort, ...(remoteHost === undefined ? {} : { remoteHost }) }
}

/** A file that cannot be read counts as none, and does not keep the others from being read. */
function readKept(files: PrivateFiles, name: string): Promise<Kept | 'foreign' | undefined> {
  return unlessItFails(async () => keptOf(await files.read(name)))
}

async function readAll(files: PrivateFiles, prefix: string, isWanted: (name: string) => boolean = () => true) {
  const names = (await files.list(prefix)).filter(isWanted)
  return Promise.all(names.map(async (name) => ({ name, kept: await readKept(files, name) })))
}

async function removeEnded(files: PrivateFiles, clock: Clock): Promise<void> {
  if ((await files.list(PREFIX)).length <= MAX_REMEMBERED) return
  const ends = (await readAll(files, PREFIX)).flatMap(({ name, kept }) =>
    kept === 'foreign' ? [] : [{ name, endsWallMs: kept?.endsWallMs ?? 0 }],
  )
  const nowMs = clock.wallMs()
  const oldestFirst = ends.toSorted((a, b) => a.endsWallMs - b.endsWallMs)
  const useless = oldestFirst.filter(
    ({ endsWallMs }, at) => endsWallMs <= nowMs || at < ends.length - MAX_REMEMBERED + REMOVED_AT_ONCE,
  )
  for (const { name } of useless) await files.remove(name)
}

/**
 * Any program with this user's rights may have written the file, so only a possible mapping is accepted.
 */
function keptOf(text: string | undefined): Kept | 'foreign' | undefined {
  let fields: Readonly<Record<string, unknown>>
  try {
    fields = { ...JSON.parse(text ?? '') } // what is no object has none of the fields
  } catch {
    return undefined
  }
  const { version, internalClient, internalPort, madeWallMs, remoteHost, identity, computer, description } = fields
  if (version !== VERSION) return version === undefined ? undefined : 'foreign'
  const via = GATEWAY_PROTOCOLS.find((each) => each === fields.via)
  const endsWallMs = fields.endsWallMs === null ? Number.POSITIVE_INFINITY : fields.endsWallMs
  if (via === undefined || typeof identity !== 'string') return undefined
  if (typeof internalClient !== 'string' || !(isUnicastIPv4(internalClient) || isIPv6(internalClient))) return undefined
  if (typeof internalPort !== 'number' || !(isPort(internalPort) || (internalPort === 0 && via === 'nat-pmp')))
    return undefined
  if (typeof endsWallMs !== 'number' || !isMoment(madeWallMs)) return undefined
  if (fields.endsWallMs !== null && !isMoment(endsWallMs)) return undefined
  const maker = {
    ...(typeof computer === 'string' ? { computer } : {}),
    ...(typeof description === 'string' ? { description } : {}),
  }
  const kept = { via, identity, internalClient, internalPort, endsWallMs, madeWallMs, ...maker }
  if (remoteHost === undefined) return kept
  return typeof remoteHost === 'string' && isUnicastIPv4(remoteHost) ? { ...kept, remoteHost } : undefined
}

/** JSON can hold numbers that are too large to be finite. */
function isMoment(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

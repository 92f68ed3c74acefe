/**
 * What this user has mapped over PCP and NAT-PMP. Both know a mapping by its inside, but a person who closes a port
 * names its outside. Each mapping has its own file, so several processes need no lock. This memory is only a help:
 * without it the internal port is taken to be the same as the external one.
 */
import { isIPv6, isUnicastIPv4 } from '../../domain/address.js'
import { TransportError } from '../../domain/errors.js'
import { isPort, type MappingKey, type TransportProtocol } from '../../domain/port-mapping.js'
import type { Clock } from '../../net/clock.js'
import type { PrivateFiles } from '../../net/files/private-files.js'

/** If there are more, those that have ended are removed, and then those that end first. */
export const MAX_REMEMBERED = 256

type Outside = Pick<MappingKey, 'externalPort' | 'protocol'>

interface OpenInside {
  readonly internalClient: string
  readonly internalPort: number
  /** If the mapping is for one host only. Made again without it, the port would be open to everybody. */
  readonly remoteHost?: string
}

export interface RememberedMapping extends Outside, OpenInside {
  readonly leaseSeconds: number
}

/** Of the files. In another version the same fields may mean something else, so it is neither read nor removed. */
const VERSION = 1

interface Kept extends OpenInside {
  readonly endsWallMs: number
  readonly madeWallMs: number
}

export type MappingMemory = ReturnType<typeof keptMappings>

/** `gateway` identifies the gateway: its protocol and address. */
export function keptMappings(files: PrivateFiles, clock: Clock, gateway: string) {
  const prefix = `mapping-${encodeURIComponent(gateway).replace(/[!'()*~]/g, '_')}-`
  const nameOf = ({ protocol, externalPort }: Outside): string => `${prefix}${protocol}-${externalPort}`
  const isValid = (kept: Kept | 'foreign' | undefined): kept is Kept =>
    kept !== undefined && kept !== 'foreign' && kept.endsWallMs > clock.wallMs()
  return {
    /** Never throws: a mapping does not fail because it cannot be remembered. */
    remember: ({ internalClient, internalPort, leaseSeconds, remoteHost = '', ...outside }: RememberedMapping) =>
      unlessItFails(async () => {
        const madeWallMs = clock.wallMs()
        const times = { madeWallMs, endsWallMs: madeWallMs + leaseSeconds * 1000 }
        const kept: Kept = { internalClient, internalPort, ...times, ...(remoteHost === '' ? {} : { remoteHost }) }
        await files.write(nameOf(outside), `${JSON.stringify({ version: VERSION, ...kept })}\n`)
        await removeEnded(files, clock)
      }),
    /** Undefined if nothing is known, or the lease has ended. */
    async recall(outside: Outside): Promise<OpenInside | undefined> {
      const kept = await readKept(files, nameOf(outside))
      return isValid(kept) ? openInsideOf(kept) : undefined
    },
    forget: (outside: Outside) => unlessItFails(() => files.remove(nameOf(outside))),
    /** The known external ports of that inside, if they were made since that moment. */
    async outsidesOf(
      protocol: TransportProtocol,
      { internalClient, internalPort }: OpenInside,
      sinceWallMs: number,
    ): Promise<readonly RememberedMapping[]> {
      const found = (await unlessItFails(() => readAll(files, `${prefix}${protocol}-`))) ?? []
      return found.flatMap(({ name, kept }) => {
        if (!isValid(kept) || kept.madeWallMs < sinceWallMs) return []
        if (kept.internalClient !== internalClient || kept.internalPort !== internalPort) return []
        const externalPort = Number(name.slice(name.lastIndexOf('-') + 1))
        const leaseSeconds = Math.ceil((kept.endsWallMs - clock.wallMs()) / 1000)
        return [{ externalPort, protocol, leaseSeconds, ...openInsideOf(kept) }]
      })
    },
  }
}

function openInsideOf({ internalClient, internalPort, remoteHost }: Kept): OpenInside {
  return { internalClient, internalPort, ...(remoteHost === undefined ? {} : { remoteHost }) }
}

async function unlessItFails<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof TransportError) return undefined
    throw error
  }
}

/** A file that cannot be read counts as none, and does not keep the others from being read. */
function readKept(files: PrivateFiles, name: string): Promise<Kept | 'foreign' | undefined> {
  return unlessItFails(async () => keptOf(await files.read(name)))
}

async function readAll(files: PrivateFiles, prefix: string) {
  const names = await files.list(prefix)
  return Promise.all(names.map(async (name) => ({ name, kept: await readKept(files, name) })))
}

async function removeEnded(files: PrivateFiles, clock: Clock): Promise<void> {
  if ((await files.list('mapping-')).length <= MAX_REMEMBERED) return
  const ends = (await readAll(files, 'mapping-')).flatMap(({ name, kept }) =>
    kept === 'foreign' ? [] : [{ name, endsWallMs: kept?.endsWallMs ?? 0 }],
  )
  const nowMs = clock.wallMs()
  const oldestFirst = ends.toSorted((a, b) => a.endsWallMs - b.endsWallMs)
  const useless = oldestFirst.filter(({ endsWallMs }, at) => endsWallMs <= nowMs || at < ends.length - MAX_REMEMBERED)
  for (const { name } of useless) await files.remove(name)
}

/**
 * Any program with this user's rights may have written the file, so only a possible mapping is accepted. The first
 * files had no version, and are like those of version 1.
 */
function keptOf(text: string | undefined): Kept | 'foreign' | undefined {
  let fields: Readonly<Record<string, unknown>>
  try {
    fields = { ...JSON.parse(text ?? '') } // what is no object has none of the fields
  } catch {
    return undefined
  }
  const { version = VERSION, internalClient, internalPort, endsWallMs, madeWallMs, remoteHost } = fields
  if (version !== VERSION) return 'foreign'
  if (typeof internalClient !== 'string' || !(isUnicastIPv4(internalClient) || isIPv6(internalClient))) return undefined
  if (typeof internalPort !== 'number' || !isPort(internalPort)) return undefined
  if (!isMoment(endsWallMs) || !isMoment(madeWallMs)) return undefined
  const kept = { internalClient, internalPort, endsWallMs, madeWallMs }
  if (remoteHost === undefined) return kept
  return typeof remoteHost === 'string' && isUnicastIPv4(remoteHost) ? { ...kept, remoteHost } : undefined
}

/** JSON can hold numbers that are too large to be finite. */
function isMoment(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

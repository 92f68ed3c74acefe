/**
 * What this user has mapped over PCP and NAT-PMP: to those a mapping is its inside, and a person who closes a port names
 * its outside. A file for each mapping, so that several processes need no lock. It is a help and no more: without it the
 * internal port is taken to be the same as the external one.
 */
import { isIPv6, isUnicastIPv4 } from '../../domain/address.js'
import { TransportError } from '../../domain/errors.js'
import { isPort, type MappingKey, type TransportProtocol } from '../../domain/port-mapping.js'
import type { Clock } from '../../net/clock.js'
import type { PrivateFiles } from '../../net/files/private-files.js'

/** Where there are more, those that have ended are removed, and then the ones that end first. */
export const MAX_REMEMBERED = 256

export interface RememberedMapping extends Pick<MappingKey, 'externalPort' | 'protocol'> {
  readonly internalClient: string
  readonly internalPort: number
  readonly leaseSeconds: number
  /** Where it is for one only: made again without it, the port would be open to everybody. */
  readonly remoteHost?: string
}

type Outside = Pick<MappingKey, 'externalPort' | 'protocol'>
type Inside = Omit<RememberedMapping, keyof Outside | 'leaseSeconds' | 'remoteHost'>

export interface MappingMemory {
  /** Never throws: what cannot be kept is not worth failing for. */
  remember(mapping: RememberedMapping): Promise<void>
  /** Undefined where nothing is known, or its lease has ended. */
  recall(outside: Outside): Promise<(Inside & Pick<RememberedMapping, 'remoteHost'>) | undefined>
  forget(outside: Outside): Promise<void>
  /** The external ports of that inside, as far as they are known and made since that moment. */
  outsidesOf(protocol: TransportProtocol, inside: Inside, sinceWallMs: number): Promise<readonly RememberedMapping[]>
}

/** Of the files. One of another version may mean something else by the same fields: it is neither read nor removed. */
const VERSION = 1

interface Kept extends Inside, Pick<RememberedMapping, 'remoteHost'> {
  readonly endsWallMs: number
  readonly madeWallMs: number
}

/** `gateway` tells gateways apart: its protocol and address. */
export function keptMappings(files: PrivateFiles, clock: Clock, gateway: string): MappingMemory {
  const prefix = `mapping-${encodeURIComponent(gateway).replace(/[!'()*~]/g, '_')}-`
  const nameOf = ({ protocol, externalPort }: Outside): string => `${prefix}${protocol}-${externalPort}`
  return {
    remember: ({ internalClient, internalPort, leaseSeconds, remoteHost = '', ...outside }) =>
      unlessItFails(async () => {
        const madeWallMs = clock.wallMs()
        const times = { madeWallMs, endsWallMs: madeWallMs + leaseSeconds * 1000 }
        const kept: Kept = { internalClient, internalPort, ...times, ...(remoteHost === '' ? {} : { remoteHost }) }
        await files.write(nameOf(outside), `${JSON.stringify({ version: VERSION, ...kept })}\n`)
        await removeEnded(files, clock)
      }),
    recall: (outside) =>
      unlessItFails(async () => {
        const kept = keptOf(await files.read(nameOf(outside)))
        if (kept === undefined || kept === 'foreign' || kept.endsWallMs <= clock.wallMs()) return undefined
        const { internalClient, internalPort, remoteHost } = kept
        return { internalClient, internalPort, ...(remoteHost === undefined ? {} : { remoteHost }) }
      }),
    forget: (outside) => unlessItFails(() => files.remove(nameOf(outside))),
    async outsidesOf(protocol, { internalClient, internalPort }, sinceWallMs) {
      const found = await unlessItFails(async () => {
        const names = await files.list(`${prefix}${protocol}-`)
        return Promise.all(names.map(async (name) => ({ name, kept: await readKept(files, name) })))
      })
      return (found ?? []).flatMap(({ name, kept }) => {
        if (kept === undefined || kept === 'foreign') return []
        const externalPort = Number(name.slice(name.lastIndexOf('-') + 1))
        const isThat = kept.internalClient === internalClient && kept.internalPort === internalPort
        if (!isThat || kept.endsWallMs <= clock.wallMs() || kept.madeWallMs < sinceWallMs) return []
        const leaseSeconds = Math.ceil((kept.endsWallMs - clock.wallMs()) / 1000)
        const { remoteHost } = kept
        const only = remoteHost === undefined ? {} : { remoteHost }
        return [{ externalPort, protocol, internalClient, internalPort, leaseSeconds, ...only }]
      })
    },
  }
}

async function unlessItFails<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof TransportError) return undefined
    throw error
  }
}

/** One that cannot be read is as good as none, and keeps nobody from reading the others. */
function readKept(files: PrivateFiles, name: string): Promise<Kept | 'foreign' | undefined> {
  return unlessItFails(async () => keptOf(await files.read(name)))
}

async function removeEnded(files: PrivateFiles, clock: Clock): Promise<void> {
  const names = await files.list('mapping-')
  if (names.length <= MAX_REMEMBERED) return
  const found = await Promise.all(names.map(async (name) => ({ name, kept: await readKept(files, name) })))
  const ends = found.flatMap(({ name, kept }) =>
    kept === 'foreign' ? [] : [{ name, endsWallMs: kept?.endsWallMs ?? 0 }],
  )
  const nowMs = clock.wallMs()
  const oldestFirst = ends.toSorted((a, b) => a.endsWallMs - b.endsWallMs)
  const useless = oldestFirst.filter(({ endsWallMs }, at) => endsWallMs <= nowMs || at < ends.length - MAX_REMEMBERED)
  for (const { name } of useless) await files.remove(name)
}

/**
 * Anybody with this user's rights may have written it: only what can be such a mapping is taken. The first files had no
 * version, and are like those of version 1.
 */
function keptOf(text: string | undefined): Kept | 'foreign' | undefined {
  let value: unknown
  try {
    value = JSON.parse(text ?? '')
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const fields = value as Readonly<Record<string, unknown>>
  const { version = VERSION, internalClient, internalPort, endsWallMs, madeWallMs, remoteHost } = fields
  if (version !== VERSION) return 'foreign'
  if (typeof internalClient !== 'string' || !(isUnicastIPv4(internalClient) || isIPv6(internalClient))) return undefined
  if (typeof internalPort !== 'number' || !isPort(internalPort)) return undefined
  if (!isMoment(endsWallMs) || !isMoment(madeWallMs)) return undefined
  const kept = { internalClient, internalPort, endsWallMs, madeWallMs }
  if (remoteHost === undefined) return kept
  return typeof remoteHost === 'string' && isUnicastIPv4(remoteHost) ? { ...kept, remoteHost } : undefined
}

/** JSON has numbers that are too large to be any. */
function isMoment(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

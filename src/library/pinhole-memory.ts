/**
 * What pinholes this user has opened, and where. A gateway does not list pinholes: over UPnP only their number closes one
 * (WANIPv6FirewallControl:1 2.5.4), and over PCP only who knows that there is one would search over IPv6 for closing it.
 */
import type { Gateway } from '../domain/gateway.js'
import { type PinholeId, pinholeIdOf, pinholeTargetOf, type TimedPinholeRequest } from '../domain/pinhole.js'
import { isPort, PROTOCOL_NUMBERS, type TransportProtocol } from '../domain/port-mapping.js'
import type { Clock } from '../net/clock.js'
import { type PrivateFiles, unlessItFails } from '../net/files/private-files.js'
import { addressOf } from './router.js'

const PREFIX = 'pinhole-'
/** Of the files. In another version the same fields may mean something else. */
const VERSION = 1
/** A user opens few of them. If there are more, the ones that end first are forgotten. */
const MAX_REMEMBERED = 256
/** In the name of a file, which takes 200 characters. */
const MAX_ADDRESS_LENGTH = 80

export interface RememberedPinhole {
  readonly id: PinholeId
  readonly via: 'igd' | 'pcp'
  /** The address of the gateway. */
  readonly gateway: string
  readonly internalClient: string
  readonly endsWallMs: number
}

interface Place {
  readonly files: PrivateFiles
  readonly clock: Clock
}

type Port = { readonly protocol: TransportProtocol; readonly internalPort: number }

/** Never throws: a pinhole does not fail because it cannot be remembered. */
export async function rememberPinhole(
  gateway: Gateway,
  asked: TimedPinholeRequest,
  { id, leaseSeconds }: { readonly id: PinholeId; readonly leaseSeconds: number },
  { files, clock }: Place,
): Promise<void> {
  const protocol = protocolOf(asked.protocol)
  if (protocol === undefined || gateway.protocol === 'nat-pmp') return
  const { internalPort, internalClient } = asked
  const kept = { version: VERSION, id, via: gateway.protocol, gateway: addressOf(gateway), internalClient }
  const endsWallMs = clock.wallMs() + leaseSeconds * 1000
  await unlessItFails(async () => {
    await files.write(nameOf({ protocol, internalPort }, gateway, id), `${JSON.stringify({ ...kept, endsWallMs })}\n`)
    await forgetTheOldest(files)
  })
}

/** Those on that port whose lease has not ended. */
export async function pinholesOn(port: Port, { files, clock }: Place): Promise<readonly PinholeOnPort[]> {
  const known = await unlessItFails(async () => readAll(files, prefixOf(port)))
  const open = (known ?? []).filter(({ pinhole }) => pinhole.endsWallMs > clock.wallMs())
  return open.map(({ pinhole }) => ({ ...pinhole, ...port }))
}

export type PinholeOnPort = RememberedPinhole & Port

/** All whose lease has not ended. */
export async function allPinholes({ files, clock }: Place): Promise<readonly PinholeOnPort[]> {
  const known = (await unlessItFails(async () => readAll(files, PREFIX))) ?? []
  return known.flatMap(({ name, pinhole }) => {
    const [, protocol, port = ''] = /^pinhole-(TCP|UDP)-(\d{1,5})-/.exec(name) ?? []
    if ((protocol !== 'TCP' && protocol !== 'UDP') || pinhole.endsWallMs <= clock.wallMs()) return []
    return [{ ...pinhole, protocol, internalPort: Number(port) }]
  })
}

export async function forgetPinhole(gateway: Gateway, id: PinholeId, { files }: Pick<Place, 'files'>): Promise<void> {
  const end = endOf(gateway, id)
  await unlessItFails(async () => {
    for (const name of await files.list(PREFIX)) if (name.endsWith(end)) await files.remove(name)
  })
}

function protocolOf(number: number): TransportProtocol | undefined {
  return (['TCP', 'UDP'] as const).find((each) => PROTOCOL_NUMBERS[each] === number)
}

function prefixOf({ protocol, internalPort }: Port): string {
  return `${PREFIX}${protocol}-${internalPort}-`
}

function nameOf(port: Port, gateway: Gateway, id: PinholeId): string {
  return `${prefixOf(port).slice(0, -1)}${endOf(gateway, id)}`
}

/** Two routers may give the same number. */
function endOf(gateway: Gateway, id: PinholeId): string {
  return `-${clean(addressOf(gateway)).slice(0, MAX_ADDRESS_LENGTH)}-${clean(String(id))}`
}

/** What can stand in the name of a file. */
function clean(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*~]/g, '_')
}

async function forgetTheOldest(files: PrivateFiles): Promise<void> {
  if ((await files.list(PREFIX)).length <= MAX_REMEMBERED) return
  const oldestFirst = (await readAll(files, PREFIX)).toSorted((a, b) => a.pinhole.endsWallMs - b.pinhole.endsWallMs)
  for (const { name } of oldestFirst.slice(0, -MAX_REMEMBERED)) await files.remove(name)
}

/** Any program with this user's rights may have written the files, so only a possible pinhole is accepted. */
async function readAll(files: PrivateFiles, prefix: string) {
  const all: { readonly name: string; readonly pinhole: RememberedPinhole }[] = []
  for (const name of await files.list(prefix)) {
    const pinhole = pinholeIn(await files.read(name))
    if (pinhole !== undefined) all.push({ name, pinhole })
  }
  return all
}

function pinholeIn(text: string | undefined): RememberedPinhole | undefined {
  let fields: Readonly<Record<string, unknown>>
  try {
    fields = { ...JSON.parse(text ?? '') } // what is no object has none of the fields
  } catch {
    return undefined
  }
  const { version, id: said, via, gateway, internalClient, endsWallMs } = fields
  const id = idOf(said)
  if (version !== VERSION || id === undefined || (via !== 'igd' && via !== 'pcp')) return undefined
  if (typeof gateway !== 'string' || typeof internalClient !== 'string') return undefined
  if (typeof endsWallMs !== 'number' || !Number.isFinite(endsWallMs)) return undefined
  return { id, via, gateway, internalClient, endsWallMs }
}

function idOf(said: unknown): PinholeId | undefined {
  if (typeof said === 'number') return isPort(said) || said === 0 ? said : undefined // a ui2 too
  const target = typeof said === 'string' ? pinholeTargetOf(said) : undefined
  return target && pinholeIdOf(target)
}

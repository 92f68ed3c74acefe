/**
 * What is remembered about routers: whom to ask first. The same checks apply to the answer, so a stale memory does no
 * harm. A router is looked up by its address. But 192.168.1.1 is half the world's router: that a router has no UPnP is
 * believed only if its hardware address is the same.
 */
import type { Clock } from '../../net/clock.js'
import { type PrivateFiles, unlessItFails } from '../../net/files/private-files.js'
import type { PortControlProtocol } from '../port-control/probe.js'
import type { FoundDevice } from './device-list.js'

/** Of the files. In another version the same fields may mean something else, so it is not read. */
const VERSION = 1
/** A router without UPnP was silent in two searches that far apart. */
export const BETWEEN_SILENCES_MS = 600_000
/** For so long nobody waits for UPnP again. */
export const WITHOUT_UPNP_MS = 24 * 3_600_000
/** If there are more, others are forgotten. */
export const MAX_ROUTERS = 64

/** Its IGD, as the search heard it. */
export type KnownIgd = Pick<FoundDevice, 'location' | 'searchTarget' | 'server'>

/** UPnP did not come although PCP or NAT-PMP did. */
interface Silence {
  readonly hardwareAddress: string
  readonly firstWallMs: number
  /** Known to have no UPnP until then; undefined after the first silence. */
  readonly untilWallMs?: number | undefined
}

export interface KnownRouter {
  readonly igd?: KnownIgd | undefined
  /** The protocol that was used in place of UPnP. */
  readonly portControl?: PortControlProtocol | undefined
  readonly silence?: Silence | undefined
}

export type RouterMemory = ReturnType<typeof rememberedRouters>

export function rememberedRouters(files: PrivateFiles, clock: Clock) {
  const write = async (address: string, router: KnownRouter): Promise<void> => {
    const text = `${JSON.stringify({ version: VERSION, ...router })}\n`
    await unlessItFails(async () => {
      if ((await unlessItFails(() => files.read(nameOf(address)))) === text) return
      try {
        await files.write(nameOf(address), text)
      } catch (error) {
        await files.remove(nameOf(address)) // it is not true any more
        throw error
      }
      const others = (await files.list(PREFIX)).filter((name) => name !== nameOf(address))
      for (const name of others.slice(MAX_ROUTERS - 1)) await files.remove(name)
    })
  }
  return {
    async recall(address: string): Promise<KnownRouter> {
      return (await unlessItFails(async () => routerOf(await files.read(nameOf(address))))) ?? {}
    },
    /** An IGD of the router has answered. */
    rememberIgd: (address: string, { location, searchTarget, server }: KnownIgd) =>
      write(address, { igd: { location, searchTarget, server } }),
    /** The router answered in that protocol, and not over UPnP in the whole time. */
    async rememberSilence(address: string, portControl: PortControlProtocol, hardwareAddress: string | undefined) {
      const { silence } = await this.recall(address)
      const nowMs = clock.wallMs()
      if (hardwareAddress === undefined) return write(address, { portControl })
      const isSame = silence?.hardwareAddress === hardwareAddress && silence.firstWallMs <= nowMs
      const firstWallMs = isSame ? silence.firstWallMs : nowMs
      const isSecond = nowMs - firstWallMs >= BETWEEN_SILENCES_MS
      const untilWallMs = isSecond ? nowMs + WITHOUT_UPNP_MS : undefined
      return write(address, { portControl, silence: { hardwareAddress, firstWallMs, untilWallMs } })
    },
    async forgetSilence(address: string): Promise<void> {
      const { igd, portControl, silence } = await this.recall(address)
      if (silence !== undefined) await write(address, { igd, portControl })
    },
  }
}

/** `hardwareAddress` is that of the router now. */
export function isWithoutUpnp(
  { silence }: KnownRouter,
  hardwareAddress: string | undefined,
  nowWallMs: number,
): boolean {
  const leftMs = (silence?.untilWallMs ?? 0) - nowWallMs
  return leftMs > 0 && leftMs <= WITHOUT_UPNP_MS && silence?.hardwareAddress === hardwareAddress
}

const PREFIX = 'router-'
/** The name of a file is limited, and the zone of an address is not. */
const MAX_NAME_LENGTH = 160

function nameOf(address: string): string {
  return (PREFIX + encodeURIComponent(address).replace(/[!'()*~]/g, '_')).slice(0, MAX_NAME_LENGTH)
}

/** Any program with this user's rights may have written the file, so each field is checked. */
function routerOf(text: string | undefined): KnownRouter {
  let fields: Readonly<Record<string, unknown>>
  try {
    fields = { ...JSON.parse(text ?? '') } // what is no object has none of the fields
  } catch {
    return {}
  }
  const { version, igd, portControl, silence } = fields
  if (version !== VERSION) return {}
  return {
    igd: igdOf(igd),
    portControl: portControl === 'pcp' || portControl === 'nat-pmp' ? portControl : undefined,
    silence: silenceOf(silence),
  }
}

function igdOf(value: unknown): KnownIgd | undefined {
  const { location, searchTarget, server } = { ...Object(value) } as Readonly<Record<string, unknown>>
  const areTexts = typeof location === 'string' && typeof searchTarget === 'string' && typeof server === 'string'
  return areTexts ? { location, searchTarget, server } : undefined
}

function silenceOf(value: unknown): Silence | undefined {
  const { hardwareAddress, firstWallMs, untilWallMs } = { ...Object(value) } as Readonly<Record<string, unknown>>
  if (typeof hardwareAddress !== 'string' || typeof firstWallMs !== 'number') return undefined
  return { hardwareAddress, firstWallMs, untilWallMs: typeof untilWallMs === 'number' ? untilWallMs : undefined }
}

/**
 * Which ports a running keeper of this user keeps open: whoever closes one of them has to know that it would be opened
 * again. A keeper says so in a file of its own, and says it again every minute. A keeper that was killed falls silent.
 * Process numbers would not do: containers that share a volume can all be number 1.
 */
import { TransportError } from '../domain/errors.js'
import type { MappingKey } from '../domain/port-mapping.js'
import type { Clock } from '../net/clock.js'
import type { PrivateFiles } from '../net/files/private-files.js'

const PREFIX = 'keeper-'
/** Of the files. In another version the same fields may mean something else, so it is not read. */
const VERSION = 1
export const SAY_AGAIN_MS = 60_000
/** A keeper that has said nothing for so long has ended. */
export const SILENT_MS = 150_000

/** What one running keeper says. */
export class RunningKeeper {
  readonly #files: PrivateFiles
  readonly #clock: Clock
  readonly #name: string
  #held: { readonly address: string; readonly ports: readonly string[] } | undefined
  #cancel: () => void = () => {}

  /** `id` tells it from all other keepers. */
  constructor(files: PrivateFiles, clock: Clock, id: string) {
    this.#files = files
    this.#clock = clock
    this.#name = `${PREFIX}${id}`
  }

  /** From now on it keeps these ports at the gateway with that address. */
  hold(address: string, ports: readonly MappingKey[]): void {
    const held = { address, ports: ports.map(textOf) }
    if (JSON.stringify(held) === JSON.stringify(this.#held)) return
    this.#held = held
    this.#say()
  }

  end(): void {
    this.#cancel()
    if (this.#held !== undefined) void unlessItFails(this.#files.remove(this.#name))
    this.#held = undefined
  }

  #say(): void {
    this.#cancel()
    const said = { version: VERSION, saidWallMs: this.#clock.wallMs(), ...this.#held }
    void unlessItFails(this.#files.write(this.#name, `${JSON.stringify(said)}\n`))
    this.#cancel = this.#clock.schedule(SAY_AGAIN_MS, () => this.#say())
  }
}

/**
 * Whether a running keeper of this user keeps that port open. Files of keepers that were killed are removed.
 * `forAnyHost`: for whatever remote host.
 */
export async function isKept(
  files: PrivateFiles,
  clock: Clock,
  address: string,
  key: MappingKey,
  forAnyHost = false,
): Promise<boolean> {
  const names = (await unlessItFails(files.list(PREFIX))) ?? []
  const said = await Promise.all(names.map((name) => unlessItFails(heldBy(files, clock, name))))
  const wanted = textOf(forAnyHost ? { ...key, remoteHost: '' } : key)
  const isWanted = (port: unknown): boolean =>
    port === wanted || (forAnyHost && typeof port === 'string' && port.startsWith(wanted))
  return said.some((held) => held?.address === address && held.ports.some(isWanted))
}

/** Undefined if that keeper does not run any more. */
async function heldBy(files: PrivateFiles, clock: Clock, name: string): Promise<Said | undefined> {
  const said = saidIn(await files.read(name))
  if (said === 'foreign') return undefined
  const ageMs = clock.wallMs() - (said?.saidWallMs ?? 0)
  if (said !== undefined && ageMs < SILENT_MS && ageMs > -SILENT_MS) return said
  await files.remove(name)
  return undefined
}

interface Said {
  readonly saidWallMs: number
  readonly address: string
  readonly ports: readonly unknown[]
}

function saidIn(text: string | undefined): Said | 'foreign' | undefined {
  try {
    const { version, saidWallMs, address, ports } = JSON.parse(text ?? '') as Readonly<Record<string, unknown>>
    if (version !== VERSION) return 'foreign'
    if (typeof saidWallMs !== 'number' || typeof address !== 'string' || !Array.isArray(ports)) return undefined
    return { saidWallMs, address, ports }
  } catch {
    return undefined
  }
}

/** Short, because thousands have to fit into a file. */
function textOf({ externalPort, protocol, remoteHost }: MappingKey): string {
  return `${externalPort}/${protocol}/${remoteHost}`
}

/** A keeper works without it, and one file that cannot be had hides no other. */
async function unlessItFails<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (error instanceof TransportError) return undefined
    throw error
  }
}

/**
 * Marks this user's own mappings. If a keeper is killed, its mappings stay, and the marks tell the next keeper that
 * they are its own, to be removed at its end. Only an IGD needs them: PCP and NAT-PMP do not show earlier mappings.
 */
import { TransportError } from '../../domain/errors.js'
import type { Gateway } from '../../domain/gateway.js'
import { ignore } from '../../domain/ignored.js'
import type { MappingKey } from '../../domain/port-mapping.js'
import type { HeldEither, KeptEither } from '../../keeper/kept-pinhole.js'
import type { Clock } from '../../net/clock.js'
import { type PrivateFiles, unlessItFails } from '../../net/files/private-files.js'

const PREFIX = 'kept-'
/** Of the files. In another version the same fields may mean something else, so it is neither read nor removed. */
const VERSION = 1
/** The longest gateway that fits into a file name: a host that was given with -u may be longer. */
const MAX_NAME_LENGTH = 160
/** WANIPConnection:2 2.3.16: no lease is longer. If the lease is not known, a mark of another gateway lasts that long. */
const LONGEST_LEASE_MS = 604_800_000

export class OwnMarks {
  readonly #files: PrivateFiles
  readonly #clock: Clock
  readonly #marks = new Map<KeptEither, { readonly file: string; readonly prefix: string }>()
  /** Undefined if marks are of no use. */
  #prefix: string | undefined
  #hasTidied = false

  constructor(files: PrivateFiles, clock: Clock) {
    this.#files = files
    this.#clock = clock
  }

  /** From now on the marks are about this gateway. */
  meet(gateway: Gateway): void {
    this.#prefix = gateway.protocol === 'igd' ? prefixOf(gateway) : undefined
  }

  /**
   * Whether a keeper of this user has made the mapping, and its lease may not be over. If `description`, which the
   * gateway shows, is not the one in the mark, somebody else has made the mapping since. Routers cut off long ones.
   */
  async has(key: MappingKey, description = ''): Promise<boolean> {
    if (this.#prefix === undefined) return false
    const file = this.#prefix + nameOf(key)
    const worth = await this.#worthOf(file, description)
    if (worth === 'over') this.#discard(file)
    return worth === 'valid'
  }

  set(kept: KeptEither, held: HeldEither): void {
    const [prefix, before] = [this.#prefix, this.#marks.get(kept)]
    if (!('mapping' in held) || held.wasThere || prefix === undefined) return
    const { protocol, externalPort = 0, remoteHost, description, leaseSeconds = 0 } = held.mapping
    const file = prefix + nameOf({ protocol, externalPort, remoteHost })
    // A mark on another gateway stays, because its mapping does.
    if (before?.prefix === prefix && before.file !== file) this.#discard(before.file)
    this.#marks.set(kept, { file, prefix })
    // A gateway may show 0 for leases that do end (miniupnp#466). Then nobody knows when.
    const setWallMs = this.#clock.wallMs()
    const endsWallMs = leaseSeconds === 0 ? null : setWallMs + leaseSeconds * 1000
    quietly(this.#files.write(file, `${JSON.stringify({ version: VERSION, setWallMs, endsWallMs, description })}\n`))
    if (!this.#hasTidied) quietly(this.#tidy())
    this.#hasTidied = true
  }

  /** The port is closed, or now somebody else's. */
  remove(kept: KeptEither): void {
    const mark = this.#marks.get(kept)
    this.#marks.delete(kept)
    if (mark !== undefined) this.#discard(mark.file)
  }

  #discard(file: string): void {
    quietly(this.#files.remove(file))
  }

  /** Removes the marks of killed keepers whose ports nobody has asked for since, at whatever gateway. */
  async #tidy(): Promise<void> {
    const here = this.#prefix ?? ''
    for (const file of await this.#files.list(PREFIX))
      if ((await this.#worthOf(file, '', !file.startsWith(here))) === 'over') this.#discard(file)
  }

  /** The first marks had no version, and are like those of version 1. */
  async #worthOf(file: string, shown = '', isElsewhere = false): Promise<'valid' | 'over' | 'foreign'> {
    try {
      const mark = JSON.parse((await this.#files.read(file)) ?? '{}') as Readonly<Record<string, unknown>>
      const { version = VERSION, setWallMs = 0, endsWallMs, description } = mark
      if (version !== VERSION) return 'foreign'
      if (typeof description === 'string' && !description.startsWith(shown)) return 'over'
      if (endsWallMs === null && !isElsewhere) return 'valid'
      const lastsUntil = endsWallMs === null ? Number(setWallMs) + LONGEST_LEASE_MS : endsWallMs
      return typeof lastsUntil === 'number' && lastsUntil > this.#clock.wallMs() ? 'valid' : 'over'
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof TransportError || error instanceof TypeError) return 'over'
      throw error
    }
  }
}

/** The mapping is gone, and nothing is left of its keeper. */
export async function forgetMark(files: PrivateFiles, gateway: Pick<Gateway, 'address'>, key: MappingKey) {
  const prefix = prefixOf(gateway)
  if (prefix !== undefined) await unlessItFails(() => files.remove(prefix + nameOf(key)))
}

/** Undefined if no file can have that name. */
function prefixOf({ address = 'gateway' }: Pick<Gateway, 'address'>): string | undefined {
  const name = encodeURIComponent(address).replace(/[!'()*~]/g, '_')
  return name.length <= MAX_NAME_LENGTH ? `${PREFIX}${name}-` : undefined
}

function nameOf({ protocol, externalPort, remoteHost }: Omit<MappingKey, 'protocol'> & { protocol: string }): string {
  return `${protocol}-${externalPort}${remoteHost === '' ? '' : `-${remoteHost.replace(/[^\w.]/g, '_')}`}`
}

/** Everything else works without marks. */
function quietly(work: Promise<unknown>): void {
  work.catch((error: unknown) => {
    if (!(error instanceof TransportError)) ignore('turn', 'the marks of a keeper', error)
  })
}

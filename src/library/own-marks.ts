/**
 * A keeper that was killed leaves its mappings behind. A mark for each tells the next one that they are not somebody
 * else's, and are to be removed at its end. Only of an IGD: PCP and NAT-PMP do not show what was there before.
 */

import { TransportError } from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'
import type { MappingKey } from '../domain/port-mapping.js'
import type { HeldEither, KeptEither } from '../keeper/kept-either.js'
import type { Clock } from '../net/clock.js'
import type { PrivateFiles } from '../net/files/private-files.js'

const PREFIX = 'kept-'
/** Of the files. One of another version may mean something else by the same fields: it is neither read nor removed. */
const VERSION = 1
/** What a file can have in its name beside the port: a host that was given with -u may be longer. */
const MAX_NAME_LENGTH = 160

interface Mark {
  readonly file: string
  readonly prefix: string
}

export class OwnMarks {
  readonly #files: PrivateFiles
  readonly #clock: Clock
  readonly #marks = new Map<KeptEither, Mark>()
  /** Undefined where marks are of no use. */
  #prefix: string | undefined
  #hasTidied = false

  constructor(files: PrivateFiles, clock: Clock) {
    this.#files = files
    this.#clock = clock
  }

  /** From now on it is about that gateway. */
  meet(gateway: Gateway): void {
    const name = encodeURIComponent(gateway.address ?? 'gateway').replace(/[!'()*~]/g, '_')
    const isOfUse = gateway.protocol === 'igd' && name.length <= MAX_NAME_LENGTH
    this.#prefix = isOfUse ? `${PREFIX}${name}-` : undefined
  }

  /**
   * Whether a keeper of this user has made it, and its lease may still go on. `description`: what the gateway shows;
   * another one than then says that somebody else has made it since. Routers cut long ones.
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
    // What it left on another gateway is still there.
    if (before?.prefix === prefix && before.file !== file) this.#discard(before.file)
    this.#marks.set(kept, { file, prefix })
    // A gateway may show 0 for leases that end (miniupnp#466): then nobody knows.
    const endsWallMs = leaseSeconds === 0 ? null : this.#clock.wallMs() + leaseSeconds * 1000
    quietly(this.#files.write(file, `${JSON.stringify({ version: VERSION, endsWallMs, description })}\n`))
    if (!this.#hasTidied) quietly(this.#tidy())
    this.#hasTidied = true
  }

  /** It is closed, or another's. */
  remove(kept: KeptEither): void {
    const mark = this.#marks.get(kept)
    this.#marks.delete(kept)
    if (mark !== undefined) this.#discard(mark.file)
  }

  #discard(file: string): void {
    quietly(this.#files.remove(file))
  }

  /** Marks of keepers that were killed, of ports that nobody has asked for since. */
  async #tidy(): Promise<void> {
    for (const file of await this.#files.list(PREFIX)) if ((await this.#worthOf(file)) === 'over') this.#discard(file)
  }

  /** The first marks had no version, and are like those of version 1. */
  async #worthOf(file: string, shown = ''): Promise<'valid' | 'over' | 'foreign'> {
    try {
      const mark = JSON.parse((await this.#files.read(file)) ?? '{}') as Readonly<Record<string, unknown>>
      const { version = VERSION, endsWallMs, description } = mark
      if (version !== VERSION) return 'foreign'
      if (typeof description === 'string' && !description.startsWith(shown)) return 'over'
      const lasts = endsWallMs === null || (typeof endsWallMs === 'number' && endsWallMs > this.#clock.wallMs())
      return lasts ? 'valid' : 'over'
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof TransportError || error instanceof TypeError) return 'over'
      throw error
    }
  }
}

function nameOf({ protocol, externalPort, remoteHost }: Omit<MappingKey, 'protocol'> & { protocol: string }): string {
  return `${protocol}-${externalPort}${remoteHost === '' ? '' : `-${remoteHost.replace(/[^\w.]/g, '_')}`}`
}

/** Without marks all the rest works. */
function quietly(work: Promise<unknown>): void {
  work.catch((error: unknown) => {
    if (!(error instanceof TransportError)) throw error
  })
}

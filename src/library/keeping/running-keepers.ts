/**
 * Which ports a running keeper of this user keeps open: whoever closes one of them has to know that it would be opened
 * again, and a keeper that ends leaves to the others what they have. A keeper says so in a file of its own, and says it
 * again every minute. A keeper that was killed falls silent. Process numbers alone would not do: containers that share a
 * volume can all be number 1. Where they are counted together, nobody has to wait for the silence.
 */
import { TransportError } from '../../domain/errors.js'
import { ignore } from '../../domain/ignored.js'
import type { MappingKey } from '../../domain/port-mapping.js'
import type { Clock } from '../../net/clock.js'
import type { PrivateFiles } from '../../net/files/private-files.js'
import { isRunning, processMark } from '../../net/process-mark.js'

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
  #held: Holding | undefined
  #text = ''
  #beganWallMs = Number.POSITIVE_INFINITY
  #cancel: () => void = () => {}
  #ended: Promise<unknown> | undefined
  #others: Promise<readonly Said[]> | undefined

  /** `id` tells it from all other keepers. */
  constructor(files: PrivateFiles, clock: Clock, id: string) {
    this.#files = files
    this.#clock = clock
    this.#name = `${PREFIX}${id}`
  }

  /** From now on it keeps these ports at the gateway with that address. `client` is the address that they lead to. */
  hold(address: string, ports: readonly HeldPort[], client = ''): void {
    if (this.#ended !== undefined) return
    const open = ports.map(({ isOpen = true }) => (isOpen ? '1' : '0')).join('')
    const held = { address, client, ports: ports.map(textOf), open }
    const text = JSON.stringify(held)
    if (text === this.#text) return
    this.#text = text
    this.#held = held
    this.#others = undefined // perhaps at another gateway
    this.#beganWallMs = Math.min(this.#beganWallMs, this.#clock.wallMs())
    this.#say()
  }

  end(): void {
    this.#cancel()
    this.#ended ??= this.#held === undefined ? Promise.resolve() : unlessItFails(this.#files.remove(this.#name))
  }

  /**
   * Whether another running keeper has that port open for the same computer. If nobody can see whether it runs, it has
   * to have said so since this one began to hold something: a keeper that was killed has not. Asked after end(): of two
   * that end at the same time the later one sees that the other has ended, so that nobody leaves the port to nobody.
   */
  async isOpenElsewhere(key: MappingKey): Promise<boolean> {
    await this.#ended
    const held = this.#held
    if (held === undefined) return false
    this.#others ??= saidByAll(this.#files, this.#clock, this.#name)
    const text = textOf(key)
    return (await this.#others).some(({ saidWallMs, process, address, client, ports, open }) => {
      if (saidWallMs <= this.#beganWallMs && !isAnotherThatRuns(process)) return false
      return address === held.address && client === held.client && open[ports.indexOf(text)] === '1'
    })
  }

  /** Whether another running keeper has said that it keeps that port, open or not. */
  async isKeptByAnother(address: string, key: MappingKey): Promise<boolean> {
    return (await saidByAll(this.#files, this.#clock, this.#name)).some((held) => keeps(held, address, textOf(key)))
  }

  #say(): void {
    this.#cancel()
    const said = { version: VERSION, saidWallMs: this.#clock.wallMs(), process: processMark(), ...this.#held }
    unlessItFails(this.#files.write(this.#name, `${JSON.stringify(said)}\n`)).catch((error: unknown) =>
      ignore('turn', this.#name, error),
    )
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
  const said = await saidByAll(files, clock)
  const wanted = textOf(forAnyHost ? { ...key, remoteHost: '' } : key)
  return said.some((held) => keeps(held, address, wanted, forAnyHost))
}

function keeps(held: Holding, address: string, wanted: string, forAnyHost = false): boolean {
  if (held.address !== address) return false
  return held.ports.some(
    (port) => port === wanted || (forAnyHost && typeof port === 'string' && port.startsWith(wanted)),
  )
}

async function saidByAll(files: PrivateFiles, clock: Clock, except = ''): Promise<readonly Said[]> {
  const names = ((await unlessItFails(files.list(PREFIX))) ?? []).filter((name) => name !== except)
  const said = await Promise.all(names.map((name) => unlessItFails(heldBy(files, clock, name))))
  return said.filter((held) => held !== undefined)
}

/** Undefined if that keeper does not run any more. */
async function heldBy(files: PrivateFiles, clock: Clock, name: string): Promise<Said | undefined> {
  const said = saidIn(await files.read(name))
  if (said === 'foreign') return undefined
  const ageMs = clock.wallMs() - (said?.saidWallMs ?? 0)
  if (said !== undefined && Math.abs(ageMs) < SILENT_MS && isRunning(said.process) !== false) return said
  await files.remove(name)
  return undefined
}

/** A port that is kept, and whether this keeper has it open, and will close it. One that is lost is opened again. */
export interface HeldPort extends MappingKey {
  readonly isOpen?: boolean
}

interface Holding {
  /** Of the gateway. */
  readonly address: string
  readonly client: string
  readonly ports: readonly unknown[]
  /** `1` for each port that is open, `0` for one that is lost. */
  readonly open: string
}

interface Said extends Holding {
  readonly saidWallMs: number
  /** Empty if it is not known. */
  readonly process: string
}

function saidIn(text: string | undefined): Said | 'foreign' | undefined {
  try {
    const {
      version,
      saidWallMs,
      process = '',
      address,
      client = '',
      ports,
      open = '',
    } = JSON.parse(text ?? '') as Readonly<Record<string, unknown>>
    if (version !== VERSION) return 'foreign'
    if (typeof saidWallMs !== 'number' || typeof address !== 'string' || !Array.isArray(ports)) return undefined
    if (typeof client !== 'string' || typeof open !== 'string' || typeof process !== 'string') return undefined
    return { saidWallMs, process, address, client, ports, open }
  } catch {
    return undefined
  }
}

/** Short, because thousands have to fit into a file. */
function textOf({ externalPort, protocol, remoteHost }: MappingKey): string {
  return `${externalPort}/${protocol}/${remoteHost}`
}

/** In a container that was started anew, one that was killed can have had the same number. */
function isAnotherThatRuns(mark: string): boolean {
  return mark !== processMark() && isRunning(mark) === true
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

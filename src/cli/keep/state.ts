/** Shows what is open now: in the file of --state, and to the service manager. */
import { hostAndPort, isIPv6 } from '../../domain/address.js'
import { TransportError } from '../../domain/errors.js'
import { type KeepFacts, opened } from '../../library/keeping/kept-ports.js'
import type { Clock } from '../../net/clock.js'
import { growingPauses } from './pauses.js'

export interface StateFileOptions {
  readonly path: string | undefined
  readonly clock: Clock
  /** @throws TransportError */
  readonly write: (path: string, text: string) => void
  /** Called for the first of several failures in a row. `willTryAgain` is false at the end. */
  readonly onTrouble: (error: TransportError, willTryAgain: boolean) => void
}

export class StateFile {
  readonly #options: StateFileOptions
  /** What is in the file, or should be. */
  #wanted: string | undefined
  #isInTrouble = false
  #cancelRetry = (): void => {}

  constructor(options: StateFileOptions) {
    this.#options = options
  }

  get isWanted(): boolean {
    return this.#options.path !== undefined
  }

  /** Writes the file if something is new. If it cannot be written, it is tried again after growing pauses. */
  show(facts: KeepFacts): void {
    const content = this.#options.path === undefined ? undefined : JSON.stringify(facts)
    if (content === this.#wanted) return
    this.#wanted = content
    this.#write(facts, growingPauses())
  }

  /** Writes the file for the last time, if something is new or it could not be written before. */
  end(facts: KeepFacts): void {
    if (this.#isInTrouble || JSON.stringify(facts) !== this.#wanted) this.#write(facts)
  }

  #write(facts: KeepFacts, pauses?: Iterator<number, never>): void {
    const { path, clock, write, onTrouble } = this.#options
    this.#cancelRetry()
    if (path === undefined) return
    try {
      write(path, stateText(facts, clock.wallMs()))
      this.#isInTrouble = false
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      if (!this.#isInTrouble) onTrouble(error, pauses !== undefined)
      this.#isInTrouble = true
      if (pauses !== undefined)
        this.#cancelRetry = clock.schedule(pauses.next().value, () => this.#write(facts, pauses))
    }
  }
}

/** The version of the state file: within one version, fields keep their names and meanings. */
const STATE_VERSION = 1

/** The content of the state file: one JSON object. */
export function stateText(facts: KeepFacts, nowWallMs: number): string {
  const iso = (wallMs: number): string => new Date(wallMs).toISOString()
  const ports = opened(facts).map(({ endsWallMs, ...port }) => ({
    ...port,
    ends: endsWallMs === undefined ? null : iso(endsWallMs),
  }))
  const externalAddress = facts.externalAddress ?? null
  return `${JSON.stringify({ version: STATE_VERSION, updated: iso(nowWallMs), externalAddress, ports })}\n`
}

const MAX_SHOWN = 3
/** When it is said again, if it was not heard: a service that is never ready is ended. Some managers hear and deny it. */
const READY_AGAIN_MS = [1000, 5000, 30_000]

/**
 * Tells the service manager that upnp-ts is ready, what is open, and that upnp-ts stops. The first of these is said again
 * if it was not heard.
 */
export class ServiceStatus {
  readonly #send: (message: string) => Promise<void>
  readonly #clock: Clock
  #cancelRetry = (): void => {}
  #status = ''
  #isReady = false
  #isStopping = false
  #last: Promise<void> = Promise.resolve()

  constructor(send: (message: string) => Promise<void>, clock: Clock) {
    this.#send = send
    this.#clock = clock
  }

  ready(): void {
    if (this.#isReady || this.#isStopping) return
    this.#isReady = true
    this.#tellReady(READY_AGAIN_MS)
  }

  #tellReady([pauseMs, ...pausesMs]: readonly number[]): void {
    const sent = this.#last.then(() => this.#send('READY=1'))
    this.#last = sent.catch(() => {
      if (this.#isStopping || pauseMs === undefined) return
      this.#cancelRetry = this.#clock.schedule(pauseMs, () => this.#tellReady(pausesMs))
    })
  }

  show(facts: KeepFacts): void {
    const status = statusOf(facts)
    if (status === this.#status || this.#isStopping) return
    this.#status = status
    this.#tell(`STATUS=${status}`, () => status === this.#status)
  }

  stopping(): void {
    if (this.#isStopping) return
    this.#isStopping = true
    this.#cancelRetry()
    this.#tell('STOPPING=1')
  }

  /** Every message starts a program: without a queue, one message could overtake another. One out of date is left out. */
  #tell(message: string, isNews = (): boolean => true): void {
    this.#last = this.#last.then(() => (isNews() ? this.#send(message) : undefined)).catch(() => {})
  }
}

function statusOf(facts: KeepFacts): string {
  const { externalAddress = '' } = facts
  const ports = opened(facts)
  if (ports.length === 0) return 'no port is open'
  const shown = ports.slice(0, MAX_SHOWN).map(({ externalPort: port, protocol, internalClient }) => {
    const address = isIPv6(internalClient) ? internalClient : externalAddress // a pinhole translates nothing
    return `${hostAndPort({ address, port })} ${protocol}`
  })
  const more = ports.length > MAX_SHOWN ? ` and ${ports.length - MAX_SHOWN} more` : ''
  return `${shown.join(', ')}${more} ${ports.length === 1 ? 'is' : 'are'} open`
}

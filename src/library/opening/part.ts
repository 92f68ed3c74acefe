/** What is open of one port in one family: one row of the keeper, or two for TCP+UDP, which are open together or not. */
import type { AnyPortMappingError } from '../../domain/errors.js'
import type { KeptEither } from '../../keeper/kept-pinhole.js'
import type { Endpoint, LeftOpen, PortChange } from './port-changes.js'

/** A change without what is the same for all. */
export type PartChange =
  | { readonly type: Exclude<PortChange['type'], 'failed'> }
  | { readonly type: 'failed'; readonly error: AnyPortMappingError; readonly retryInMs: number }

export class Part {
  readonly kept: readonly KeptEither[]
  /** Resolves once: with undefined when all is open, or with the first failure. */
  readonly decided: Promise<AnyPortMappingError | undefined>
  onChange: (change: PartChange) => void = () => {}
  /** Set while it is not open: why, as far as is known. */
  error: AnyPortMappingError | undefined
  isDecided = false
  isClosing = false
  isClosed = false
  /** It does not keep the process alive. */
  isInBackground = false
  readonly #endpoints = new Map<KeptEither, Endpoint>()
  readonly #open = new Set<KeptEither>()
  readonly #removed = new Set<KeptEither>()
  /** Not there any more when it was to be removed. */
  readonly #gone = new Set<KeptEither>()
  readonly #left = new Map<KeptEither, Omit<LeftOpen, 'endpoint'>>()
  /** The addresses and ports that were told last. */
  #told: string | undefined
  /** When the first lease ends, as it was told last. */
  #toldEndsMs = 0
  #isLost = false
  #decide: (error: AnyPortMappingError | undefined) => void = () => {}

  constructor(kept: readonly KeptEither[]) {
    this.kept = kept
    this.decided = new Promise((resolve) => {
      this.#decide = (error) => {
        this.isDecided = true
        resolve(error)
      }
    })
  }

  get isOpen(): boolean {
    return this.#open.size === this.kept.length
  }

  /** As they are, or were last. None before all were open. */
  get endpoints(): readonly Endpoint[] {
    if (this.#told === undefined) return []
    return this.kept.flatMap((kept) => this.#endpoints.get(kept) ?? [])
  }

  /** `isLook`: it was asked for again to see whether it is there. That is told only now and then. */
  grant(kept: KeptEither, endpoint: Endpoint, isLook: boolean, nowMs: number): void {
    this.#endpoints.set(kept, endpoint)
    this.#open.add(kept)
    for (const [other, { externalPort }] of this.#endpoints)
      if (externalPort !== endpoint.externalPort) this.#open.delete(other)
    if (!this.isOpen) return
    const [wasLost, before, now] = [this.#isLost, this.#told, this.#text()]
    this.#told = now
    this.#isLost = false
    this.error = undefined
    this.#decide(undefined)
    if (before === undefined) this.#tell({ type: 'opened' })
    else if (before !== now) this.#tell({ type: 'moved' })
    else if (wasLost) this.#tell({ type: 'restored' })
    else if (!isLook || this.#isMuchLater(endpoint, nowMs)) this.#tell({ type: 'renewed' })
  }

  /** Whether the lease ends later by half of it than was told last. */
  #isMuchLater({ endsAt }: Endpoint, nowMs: number): boolean {
    if (endsAt === undefined) return false
    return endsAt.getTime() - this.#toldEndsMs >= (endsAt.getTime() - nowMs) / 2
  }

  /** The router has another external address, or it is known only now. */
  readdress(change: (endpoint: Endpoint) => Endpoint, isNews: boolean): void {
    for (const [kept, endpoint] of this.#endpoints) this.#endpoints.set(kept, change(endpoint))
    if (!this.isOpen || this.#told === undefined) return
    const isOther = this.#told !== this.#text()
    this.#told = this.#text()
    if (isOther && isNews) this.#tell({ type: 'moved' })
  }

  /** Without `kept`, all of it. */
  lose(kept?: KeptEither): void {
    if (kept === undefined) this.#open.clear()
    else this.#open.delete(kept)
    if (this.#told === undefined || this.#isLost) return
    this.#isLost = true
    this.#tell({ type: 'lost' })
  }

  /** Without `kept`, all of it: there is no gateway to ask. */
  fail(error: AnyPortMappingError, retryInMs: number, kept?: KeptEither): void {
    if (!this.isOpen) this.error = error
    if (kept === undefined || this.#isFinal(kept)) this.#decide(error)
    this.#tell({ type: 'failed', error, retryInMs })
  }

  /** Whether it decides what becomes of the first attempt. */
  #isFinal({ samePortAs }: KeptEither): boolean {
    return samePortAs === undefined || this.#open.has(samePortAs) // the failure of the first one decides
  }

  noteRemoved(kept: KeptEither, wasGone = false): void {
    this.#open.delete(kept)
    if (wasGone) this.#gone.add(kept)
    else this.#removed.add(kept)
  }

  noteLeft(kept: KeptEither, why: string, error?: AnyPortMappingError): void {
    if (this.isClosing) this.#left.set(kept, { why, ...(error && { error }) })
  }

  /** What has become of what was open. `unclear` is why nobody knows of the others; undefined if they were not there. */
  closed(
    unclear: string | undefined,
    isOver: (endpoint: Endpoint) => boolean,
  ): { removed: Endpoint[]; left: LeftOpen[] } {
    const removed: Endpoint[] = []
    const left: LeftOpen[] = []
    for (const [kept, endpoint] of this.#endpoints) {
      const why = this.#left.get(kept) ?? (unclear === undefined ? undefined : { why: unclear })
      if (this.#gone.has(kept) || isOver(endpoint)) continue
      if (this.#removed.has(kept)) removed.push(endpoint)
      else if (why !== undefined) left.push({ endpoint, ...why })
    }
    this.#open.clear()
    return { removed, left }
  }

  #text(): string {
    return this.kept
      .map((kept) => `${this.#endpoints.get(kept)?.externalAddress}:${this.#endpoints.get(kept)?.externalPort}`)
      .join()
  }

  #tell(change: PartChange): void {
    this.#toldEndsMs = this.endpoints[0]?.endsAt?.getTime() ?? 0
    if (!this.isClosing) this.onChange(change)
  }
}

/** Looks for a gateway until there is one: with growing pauses, and sooner where there is a reason to. */
import { NoGatewayError, PortMappingError } from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'
import type { Clock } from '../net/clock.js'
import type { Alarm } from './alarm.js'
import type { Changes } from './changes.js'
import { searchPauses } from './schedule.js'

/** How often the clocks and the addresses of this computer are looked at meanwhile. */
const ADDRESS_POLL_MS = 1000
/** However many reasons there are. */
const LEAST_PAUSE_MS = 1000

export interface SearchOptions<G extends Gateway> {
  readonly clock: Clock
  readonly random: () => number
  /** @throws PortMappingError where there is none, or the signal aborts */
  readonly open: (signal: AbortSignal) => Promise<G>
}

export class GatewaySearch<G extends Gateway> {
  readonly #options: SearchOptions<G>
  readonly #alarm: Alarm
  readonly #changes: Changes
  #pauses: Iterator<number, never>
  #hasFailed = false
  /** Found, and nothing was heard of it since: to find it at once again would go round and round. */
  #isUnproven = false
  #isHurried = false
  /** Of the search that is under way: what is found is not to hear of the end any more. */
  #searching: AbortController | undefined

  constructor(options: SearchOptions<G>, alarm: Alarm, changes: Changes) {
    this.#options = options
    this.#alarm = alarm
    this.#changes = changes
    this.#pauses = searchPauses(options.random)
  }

  /** Something was heard: the pause ends. */
  hurry(): void {
    this.#isHurried = true
    this.#alarm.ring()
  }

  /** What was found has answered. */
  prove(): void {
    if (this.#isUnproven) this.#pauses = searchPauses(this.#options.random)
    this.#isUnproven = false
  }

  end(): void {
    this.#searching?.abort(new NoGatewayError('the search was given up'))
  }

  /** One search: the gateway, or undefined after a pause. `onFailure` is told of the first failure of a row. */
  async next(onFailure: (error: PortMappingError) => void): Promise<G | undefined> {
    this.#isHurried = false
    if (this.#isUnproven) {
      this.#isUnproven = false
      await this.#pause(this.#pauses.next().value)
      return undefined
    }
    try {
      const gateway = await this.#open()
      this.#hasFailed = false
      this.#isUnproven = true
      return gateway
    } catch (error) {
      if (!(error instanceof PortMappingError)) throw error
      if (!this.#hasFailed && !this.#alarm.isOff) onFailure(error)
      this.#hasFailed = true
      await this.#pause(this.#pauses.next().value)
      return undefined
    }
  }

  async #open(): Promise<G> {
    const searching = new AbortController()
    this.#searching = searching
    try {
      return await this.#options.open(searching.signal)
    } finally {
      this.#searching = undefined
    }
  }

  async #pause(pauseMs: number): Promise<void> {
    const { clock, random } = this.#options
    const [startMs, endMs] = [clock.monotonicMs(), clock.monotonicMs() + pauseMs]
    while (!this.#alarm.isOff) {
      const stopMs = this.#isHurried ? Math.min(endMs, startMs + LEAST_PAUSE_MS) : endMs
      const leftMs = stopMs - clock.monotonicMs()
      if (leftMs <= 0) return
      await this.#alarm.sleep(Math.min(ADDRESS_POLL_MS, leftMs))
      const [hasSlept, haveAddressesChanged] = [this.#changes.noticeSleep(), this.#changes.noticeAddresses()]
      if (!hasSlept && !haveAddressesChanged) continue
      this.#pauses = searchPauses(random) // an interface has come up: what it leads to may take a moment
      return
    }
  }
}

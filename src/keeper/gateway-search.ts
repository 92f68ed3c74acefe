/** Searches for a gateway until there is one, with growing pauses that end early if there is a reason. */
import { NoGatewayError, type PortMappingError } from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'
import type { Clock } from '../net/clock.js'
import type { Changes } from './changes.js'
import { failureOf } from './kept.js'
import { type Alarm, searchPauses } from './schedule.js'

/** How often the clocks and the addresses of this computer are checked during a pause. */
const ADDRESS_POLL_MS = 1000
/** The shortest pause, however many reasons there are to end it. */
const LEAST_PAUSE_MS = 1000
/** Anybody can forge a reason, so a pause is not ended twice within this time. */
const LEAST_HURRY_MS = 4000

export interface SearchOptions {
  readonly clock: Clock
  readonly random: () => number
  /** @throws PortMappingError if there is no gateway, or if the signal aborts */
  readonly open: (signal: AbortSignal) => Promise<Gateway>
}

export class GatewaySearch {
  readonly #options: SearchOptions
  readonly #alarm: Alarm
  readonly #changes: Changes
  #pauses: Iterator<number, never>
  #hasFailed = false
  /** The gateway was found, but has not answered since: finding it again at once would go round in circles. */
  #isUnproven = false
  #isHurried = false
  #hurriedMs = Number.NEGATIVE_INFINITY
  /** Set only during a search: end() must not abort the signal of a gateway that was found. */
  #searching: AbortController | undefined

  constructor(options: SearchOptions, alarm: Alarm, changes: Changes) {
    this.#options = options
    this.#alarm = alarm
    this.#changes = changes
    this.#pauses = searchPauses(options.random)
  }

  /** A gateway may be there: the pause ends early. */
  hurry(): void {
    this.#isHurried = true
    this.#alarm.ring()
  }

  /** The gateway that was found has been looked at, and all was well. Some grant everything and answer nothing else. */
  prove(): void {
    if (this.#isUnproven) this.#pauses = searchPauses(this.#options.random)
    this.#isUnproven = false
  }

  end(): void {
    this.#searching?.abort(new NoGatewayError('the search was given up'))
  }

  /** Searches once. Returns the gateway, or undefined after a pause. `onFailure` gets the first of several failures. */
  async next(onFailure: (error: PortMappingError) => void): Promise<Gateway | undefined> {
    this.#isHurried = false
    if (this.#isUnproven) {
      this.#isUnproven = false
      await this.#pause(this.#pauses.next().value)
      return undefined
    }
    const searching = new AbortController()
    this.#searching = searching
    try {
      const gateway = await this.#options.open(searching.signal).finally(() => {
        this.#searching = undefined
      })
      this.#hasFailed = false
      this.#isUnproven = true
      return gateway
    } catch (error) {
      const failure = failureOf(error, 'the search for a gateway')
      if (!this.#hasFailed && !this.#alarm.isOff) onFailure(failure)
      this.#hasFailed = true
      await this.#pause(this.#pauses.next().value)
      return undefined
    }
  }

  async #pause(pauseMs: number): Promise<void> {
    const { clock, random } = this.#options
    const [startMs, endMs] = [clock.monotonicMs(), clock.monotonicMs() + pauseMs]
    while (!this.#alarm.isOff) {
      const hurryMs = Math.max(startMs + LEAST_PAUSE_MS, this.#hurriedMs + LEAST_HURRY_MS)
      const stopMs = this.#isHurried ? Math.min(endMs, hurryMs) : endMs
      const leftMs = stopMs - clock.monotonicMs()
      if (leftMs <= 0) {
        if (stopMs < endMs) this.#hurriedMs = clock.monotonicMs()
        return
      }
      await this.#alarm.sleep(Math.min(ADDRESS_POLL_MS, leftMs))
      const [hasSlept, haveAddressesChanged] = [this.#changes.noticeSleep(), this.#changes.noticeAddresses()]
      if (!hasSlept && !haveAddressesChanged) continue
      this.#pauses = searchPauses(random) // an interface has come up, and its network may need a moment
      return
    }
  }
}

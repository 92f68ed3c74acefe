/**
 * What a gateway's events say about its state (WANIPConnection:2 2.3), if a granted mapping may depend on it. Nothing
 * else is news.
 *
 * Our own requests change the table of mappings too, and must not be news. Nobody has to remember them, because we only
 * add to the table, and what was lost is missing from it. So a number of entries is news if it is not higher than the
 * last one, and a number of changes if it starts again. (Not "lower": miniupnpd 2.3.1 gathers what happens within 2 s
 * in one event. If an entry of ours comes and goes in it, the number and its SystemUpdateID stay as they were.) The
 * next regular look notices what this misses: one entry of ours gone and two new ones in the same event. A few gateways
 * renew by removing and adding, which costs one look that is not needed.
 */
import { leadingNumber } from '../../wire/soap.js'

/** Any other value is news. */
const VALUES = ['externalipaddress', 'connectionstatus'] as const
const ENTRIES = 'portmappingnumberofentries'
const CHANGES = 'systemupdateid'

export class EventedState {
  readonly #values = new Map<string, string>()
  readonly #numbers = new Map<string, number>()

  /**
   * `isFirst`: the first event of a subscription reports the whole state (UDA 1.1 4.3.2), so a value is no news if it
   * was unknown. A known one can be: after a restart there is a new subscription.
   */
  isNews(variables: ReadonlyMap<string, string>, isFirst: boolean): boolean {
    const now = new Map([...variables].map(([name, value]) => [name.toLowerCase(), value]))
    const others = VALUES.map((name) => this.#isOther(name, now.get(name), isFirst))
    const changes = this.#step(CHANGES, now.get(CHANGES))
    const entries = this.#step(ENTRIES, now.get(ENTRIES))
    const isNewOrSame = changes === 'new' || entries === 'new' || entries === 'same'
    const isTableNews = changes === 'less' || entries === 'less' || (!isFirst && isNewOrSame)
    return isTableNews || others.includes(true)
  }

  #isOther(name: string, value: string | undefined, isFirst: boolean): boolean {
    if (value === undefined) return false
    const before = this.#values.get(name)
    this.#values.set(name, value)
    return before === undefined ? !isFirst : value !== before
  }

  #step(name: string, text = ''): 'untold' | 'new' | 'less' | 'same' | 'more' {
    const value = leadingNumber(text)
    if (value === undefined) return 'untold'
    const before = this.#numbers.get(name)
    this.#numbers.set(name, value)
    if (before === undefined) return 'new'
    return value < before ? 'less' : value === before ? 'same' : 'more'
  }
}

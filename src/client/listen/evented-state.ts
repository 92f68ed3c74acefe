/**
 * What a gateway's events say of its state (WANIPConnection:2 2.3), as far as something that it has granted may depend on
 * it; whatever else it tells is no news.
 *
 * Our own requests change the table of mappings too, and to be told of each of them would be to ask after each of them.
 * Nobody has to remember those requests: what we ask for only adds to the table, and what may have been lost is missing
 * from it. So a number of entries is news that is not higher than the last one, and a number of changes that begins anew.
 * (Not higher: miniupnpd 2.3.1 gathers what happens within 2 s in one event, and an entry of ours that came and went in
 * it leaves the number, and its SystemUpdateID too, as they were.) What is passed over (an entry of ours gone and two new in the same event) is seen by the next regular look. To renew
 * by removing and adding, as few gateways need it, costs one look that is not needed.
 */
import { leadingNumber } from '../../wire/soap.js'

/** Each other value is news. */
const VALUES = ['externalipaddress', 'connectionstatus'] as const
const ENTRIES = 'portmappingnumberofentries'
const CHANGES = 'systemupdateid'

export class EventedState {
  readonly #values = new Map<string, string>()
  readonly #numbers = new Map<string, number>()

  /**
   * `isFirst`: the event is the first one of a subscription, and tells of everything as it is (UDA 1.1 4.3.2): what was
   * not known before is no news then. What is known is: a subscription is made anew after a restart.
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

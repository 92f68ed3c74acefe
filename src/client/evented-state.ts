/**
 * What a gateway's events say of its state (WANIPConnection:2 2.3), as far as something that it has granted may depend on
 * it; whatever else it tells is no news.
 *
 * Our own requests change the table of mappings too, and to be told of each of them would be to ask after each of them.
 * Nobody has to remember those requests: what we ask for only adds to the table, and what may have been lost is missing
 * from it. So the number of entries is news where it falls, and the number of changes where it begins anew. What is
 * passed over (an entry of ours gone and another one new in the same event) is seen by the next regular look. To renew
 * by removing and adding, as few gateways need it, costs one look that is not needed.
 */
import { leadingNumber } from './soap-values.js'

/** Each other value is news. */
const VALUES = ['externalipaddress', 'connectionstatus'] as const
/** Each lower number is. */
const NUMBERS = ['portmappingnumberofentries', 'systemupdateid'] as const

export class EventedState {
  readonly #values = new Map<string, string>()
  readonly #numbers = new Map<string, number>()

  /**
   * `isFirst`: the event is the first one of a subscription, and tells of everything as it is (UDA 1.1 4.3.2): what was
   * not known before is no news then. What is known is: a subscription is made anew after a restart.
   */
  isNews(variables: ReadonlyMap<string, string>, isFirst: boolean): boolean {
    const now = new Map([...variables].map(([name, value]) => [name.toLowerCase(), value]))
    const news = [
      ...VALUES.map((name) => this.#isOther(name, now.get(name), isFirst)),
      ...NUMBERS.map((name) => this.#isLess(name, leadingNumber(now.get(name) ?? ''), isFirst)),
    ]
    return news.includes(true)
  }

  #isOther(name: string, value: string | undefined, isFirst: boolean): boolean {
    if (value === undefined) return false
    const before = this.#values.get(name)
    this.#values.set(name, value)
    return before === undefined ? !isFirst : value !== before
  }

  #isLess(name: string, value: number | undefined, isFirst: boolean): boolean {
    if (value === undefined) return false
    const before = this.#numbers.get(name)
    this.#numbers.set(name, value)
    return before === undefined ? !isFirst : value < before
  }
}

/**
 * Keeps mappings and pinholes alive, and knows nothing but Gateway and Clock. It makes them, renews them on schedule,
 * checks them now and then and at once upon any suspicion, puts back what was lost, and removes what it made when it
 * stops. It never gives up: if there is no gateway, it searches for one.
 *
 * One loop does everything, one thing at a time. It wakes for whatever comes first: a renewal, another attempt after a
 * failure, the next look at the gateway, a suspicion, the end. A message from the network is only ever a reason to ask.
 */
import { NoGatewayError, PortMappingError, RefusedError } from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'
import { ignore, orIgnore } from '../domain/ignored.js'
import type { Clock } from '../net/clock.js'
import { type Better, BetterGateway, type FindBetter } from './better-gateway.js'
import { Changes, Restarts, WATCH_MS } from './changes.js'
import { GatewaySearch } from './gateway-search.js'
import {
  failureOf,
  type Held,
  isSignOfTrouble,
  type KeeperEvent,
  type Kept,
  type LossReason,
  LostInRenewal,
  type Presence,
  pulseOf,
  unlessRefused,
} from './kept.js'
import { KeptRow } from './kept-row.js'
import { LeaseWatch } from './lease-watch.js'
import { LAST_TURN_MS, LONGEST_END_MS, Removal, type RemovalOptions } from './removal.js'
import { Alarm, closestRenewalsMs, type LookReason, LookSchedule, within } from './schedule.js'

/** How often to look at the gateway when all is well. After a change looks begin sooner, and double up to this. */
export const CHECK_MS = 120_000
/** RFC 6887 8.5 allows up to 5 s, to spare a server with many clients. Here a person is waiting. */
const LONGEST_SPREAD_MS = 500
/** After this long it is asked anew who comes first: a renewal may have become due meanwhile. */
const LONGEST_TURN_MS = 1000
/** A turn that meets a defect may meet it again at once. */
const AFTER_DEFECT_MS = 4000
/** A look asks for so many again at once. There are routers that answer 200 requests per second and drop the others. */
const AT_ONCE = 10
const AT_ONCE_PAUSE_MS = 100

/** What was heard: an announcement, which anybody on the link can forge, or an event, which nobody can. */
export type GatewayNews = 'announcement' | 'event'

export interface KeeperOptions<H extends Held> {
  readonly clock: Clock
  /** From 0 to 1. */
  readonly random: () => number
  readonly kept: readonly Kept<H>[]
  /** Searches for the gateway until the signal aborts. @throws PortMappingError if there is none */
  readonly open: (signal: AbortSignal) => Promise<Gateway>
  /**
   * Listens until the result is called; also while the gateway is gone. `onTrue` is called if a look shows that the
   * gateway has indeed changed.
   */
  readonly listen: (gateway: Gateway, onNews: (news: GatewayNews, onTrue?: () => void) => void) => () => void
  /** This computer's addresses. */
  readonly addresses: () => readonly string[]
  readonly onEvent: (event: KeeperEvent<H>) => void
  readonly checkMs?: number
  /** Asked at every regular look, while the work goes on. */
  readonly better?: FindBetter | undefined
}

export class Keeper<H extends Held> {
  readonly #options: KeeperOptions<H>
  /** LeaseWatch has the same array. */
  readonly #rows: KeptRow<H>[]
  readonly #alarm: Alarm
  readonly #changes: Changes
  readonly #search: GatewaySearch
  readonly #better: BetterGateway | undefined
  /** Of those that share a port with an earlier one. */
  readonly #leaders = new Map<KeptRow<H>, KeptRow<H>>()
  readonly #followers = new Map<KeptRow<H>, KeptRow<H>[]>()
  readonly #leases: LeaseWatch<H>
  #looks: LookSchedule
  #gateway: Gateway | undefined
  /** The gateway, even after it is gone. */
  #lastGateway: Gateway | undefined
  #stopListening: () => void = () => {}
  /** Called if the last announcement was true. */
  #onTrue: () => void = () => {}
  readonly #restarts = new Restarts()
  #externalAddress: string | undefined
  /** Of leases that cannot be renewed in time. */
  #isWarned = false
  /** What is asked for right now, or was asked for last. */
  #asked: { readonly row: KeptRow<H>; readonly isOver: Promise<void> } | undefined
  /** What is to be removed next, all at once. */
  #batch: { readonly rows: KeptRow<H>[]; readonly removal: Promise<void> } | undefined
  /** Ends when all that is released so far is removed. The work waits for that. */
  #releasing = Promise.resolve()
  #releases = 0
  #isOver = false
  readonly #stopped: Promise<void>
  #tellStopped: () => void = () => {}

  constructor(options: KeeperOptions<H>) {
    this.#options = options
    this.#alarm = new Alarm(options.clock)
    this.#changes = new Changes(options.clock, options.addresses)
    this.#search = new GatewaySearch(options, this.#alarm, this.#changes)
    const { better } = options
    this.#better = better && new BetterGateway(better, () => this.#alarm.ring())
    this.#looks = this.#newLooks()
    this.#stopped = new Promise((resolve) => {
      this.#tellStopped = resolve
    })
    this.#rows = options.kept.map((kept) => new KeptRow(kept, options.random))
    const rowOf = new Map(this.#rows.map((row) => [row.kept, row]))
    for (const row of this.#rows) {
      const leader = row.kept.samePortAs && rowOf.get(row.kept.samePortAs)
      if (leader === undefined) continue
      this.#leaders.set(row, leader)
      this.#followers.set(leader, [...(this.#followers.get(leader) ?? []), row])
    }
    this.#leases = new LeaseWatch(options.clock, this.#rows, (row) => this.#lose(row, 'expired'))
  }

  /** Runs until stop() is called, and then removes what was made. */
  async run(): Promise<void> {
    const { clock } = this.#options
    const work = this.#work()
    try {
      // Once: waiting for #stopped in every turn would pile up listeners. After rest() the work is over, and this is not.
      await Promise.race([work.then(() => this.#stopped), this.#stopped])
      const endsMs = this.#now() + LONGEST_END_MS
      await within(clock, LAST_TURN_MS, work) // what is being made right now would be left behind otherwise
      const [gateway, rows] = [this.#lastGateway, this.#rows] // it is asked even if it is gone: it may be back
      if (gateway === undefined) return
      await new Removal({ clock, rows, gateway, endsMs, onEvent: (event) => this.#tell(event) }).run(work)
      await this.#releasing
    } finally {
      this.#isOver = true
      this.#leases.end()
      this.#stopListening()
    }
  }

  stop(): void {
    this.#tellStopped()
    this.rest()
  }

  /** From now on nothing is renewed, looked at or listened to. What is open is removed upon stop() or release(). */
  rest(): void {
    this.#alarm.turnOff()
    this.#leases.end()
    this.#search.end()
    this.#better?.forget()
    this.#stopListening() // unsubscribing takes time, in which everything is removed
  }

  /** Asks for that one again at once: somebody else has asked for the same, with a lease that may be shorter. */
  renew(kept: Kept<H>): void {
    this.#rows.find((row) => row.kept === kept)?.beDueNow(this.#now())
    this.#alarm.ring()
  }

  /**
   * Removes these and keeps them no more, while the others go on. What is released at one moment is removed together. It
   * takes as long as the end does, and the same is told about each.
   */
  release(kept: readonly Kept<H>[]): Promise<void> {
    const rows = this.#rows.filter((row) => kept.includes(row.kept))
    for (const row of rows) {
      row.isReleased = true
      this.#rows.splice(this.#rows.indexOf(row), 1)
    }
    this.#batch ??= this.#nextBatch()
    this.#batch.rows.push(...rows)
    return this.#batch.removal
  }

  #nextBatch() {
    const rows: KeptRow<H>[] = []
    this.#releases++
    const removal = this.#releasing
      .then(() => this.#removeBatch(rows))
      .catch((error: unknown) => ignore('turn', 'release', error))
      .finally(() => this.#releases--)
    this.#releasing = removal
    return { rows, removal }
  }

  async #removeBatch(rows: readonly KeptRow<H>[]): Promise<void> {
    this.#batch = undefined
    const [gateway, asked] = [this.#lastGateway, this.#asked]
    if (gateway === undefined) return
    const { clock } = this.#options
    const endsMs = this.#now() + LONGEST_END_MS
    if (asked !== undefined) await within(clock, LAST_TURN_MS, asked.isOver)
    const unfinished = asked !== undefined && rows.includes(asked.row) ? asked.isOver : Promise.resolve()
    const removal = { clock, rows, gateway, endsMs, onEvent: (event: KeeperEvent<H>) => this.#tell(event) }
    await new Removal(removal).run(unfinished)
    // What is made only now is removed all the same.
    void unfinished.then(() => this.#removeLate(removal))
  }

  async #removeLate(removal: RemovalOptions<H>): Promise<void> {
    if (this.#isOver || !removal.rows.some(({ mayBeOpen }) => mayBeOpen)) return
    const endsMs = this.#now() + LONGEST_END_MS
    await new Removal({ ...removal, endsMs, onEvent: () => {} }).run(Promise.resolve())
  }

  #hear(news: GatewayNews, onTrue?: () => void): void {
    if (news === 'announcement') this.#looks.announce()
    else this.#looks.suspect()
    if (onTrue !== undefined) this.#onTrue = onTrue
    this.#search.hurry()
  }

  /** The gateway has indeed changed, so its last announcement is not counted as one that may be forged. */
  #believe(): void {
    this.#looks.believe()
    this.#onTrue()
  }

  async #work(): Promise<void> {
    while (!this.#alarm.isOff) {
      try {
        await this.#turn()
      } catch (error) {
        ignore('turn', this.#gateway?.address ?? '', error)
        await this.#alarm.sleep(AFTER_DEFECT_MS)
      }
    }
  }

  async #turn(): Promise<void> {
    if (this.#releases > 0) await this.#releasing
    this.#noticeChanges()
    const gateway = this.#gateway
    if (gateway === undefined) return this.#findGateway()
    if (this.#looks.dueMs <= this.#now()) await this.#look(gateway)
    await this.#askDue(gateway)
    if (this.#gateway !== gateway) return
    const better = this.#better?.take()
    if (better !== undefined) return this.#moveTo(better, gateway)
    const dueMs = Math.min(this.#looks.dueMs, ...this.#rows.map((row) => row.dueMs))
    await this.#alarm.sleep(Math.min(dueMs - this.#now(), WATCH_MS))
  }

  /** Until one is not answered, or it is to be asked anew who comes first. */
  async #askDue(gateway: Gateway): Promise<void> {
    const endsMs = this.#now() + LONGEST_TURN_MS
    for (const row of this.#dueRows()) {
      if (this.#alarm.isOff || this.#gateway !== gateway || this.#releases > 0) return
      if (row.isReleased || row.dueMs > this.#now()) continue
      if (!(await this.#makeOrRenew(row, gateway)) || this.#now() >= endsMs) return
    }
  }

  /** What is open comes first, because a lease runs out. Then whoever has waited longest: no port holds up another. */
  #dueRows(): readonly KeptRow<H>[] {
    const nowMs = this.#now()
    const due = this.#rows.filter((row) => row.dueMs <= nowMs)
    const rank = (row: KeptRow<H>): number => (row.present === undefined ? 1 : 0)
    return due.sort((one, other) => rank(one) - rank(other) || one.dueMs - other.dueMs)
  }

  async #findGateway(): Promise<void> {
    const gateway = await this.#search.next((error) => this.#tell({ type: 'searching', error }))
    if (gateway === undefined) return
    this.#gateway = gateway
    this.#lastGateway = gateway
    if (!this.#alarm.isOff) this.#use(gateway, { type: 'found', gateway })
  }

  /** Closes all that it can at the gateway in use, and opens it at the better one. */
  async #moveTo({ gateway, externalAddress }: Better, previous: Gateway): Promise<void> {
    const { clock } = this.#options
    const rows = this.#rows
    const events: KeeperEvent<H>[] = []
    const onEvent = (event: KeeperEvent<H>): unknown => events.push(event)
    const endsMs = this.#now() + LONGEST_END_MS
    await new Removal({ clock, rows, gateway: previous, endsMs, onEvent }).run(Promise.resolve())
    if (this.#alarm.isOff) {
      for (const event of events) this.#tell(event)
      return
    }
    const closed = events.flatMap((event) => (event.type === 'removed' ? [event.kept] : []))
    for (const row of rows) row.close()
    this.#gateway = gateway
    this.#lastGateway = gateway
    this.#externalAddress = externalAddress ?? this.#externalAddress
    this.#use(gateway, { type: 'moved', gateway, previous, externalAddress, closed })
    for (const event of events) if (event.type === 'not-removed') this.#tell(event)
  }

  #use(gateway: Gateway, news: KeeperEvent<H>): void {
    this.#restarts.forget()
    this.#better?.forget()
    this.#tell(news)
    this.#stopListening()
    this.#stopListening = this.#listenTo(gateway)
    for (const row of this.#rows) row.beDueNow(this.#now())
    this.#looks = this.#newLooks()
  }

  /** The regular looks do without it. */
  #listenTo(gateway: Gateway): () => void {
    try {
      return this.#options.listen(gateway, (...news) => this.#hear(...news))
    } catch (error) {
      ignore('turn', gateway.address ?? '', error)
      return () => {}
    }
  }

  #newLooks(): LookSchedule {
    return new LookSchedule(this.#options.checkMs ?? CHECK_MS, this.#now())
  }

  #loseGateway(error: PortMappingError): void {
    this.#tell({ type: 'gateway-lost', error })
    this.#gateway = undefined
    for (const row of this.#rows) row.doubt(this.#now())
  }

  /** Returns whether the gateway answered. */
  async #makeOrRenew(row: KeptRow<H>, gateway: Gateway): Promise<boolean> {
    const asking = this.#ask(row, gateway)
    this.#asked = { row, isOver: asking.then(noMore, noMore) }
    return asking
  }

  async #ask(row: KeptRow<H>, gateway: Gateway): Promise<boolean> {
    if (row.isOver(this.#now())) this.#lose(row, 'expired')
    const [askedMs, isRenewal] = [this.#now(), row.present !== undefined]
    try {
      const granted = await row.ask(gateway, (reason) => {
        this.#lose(row, reason)
        this.#looks.suspect() // the others may be gone too
      })
      const hasRestarted = this.#noticeRestart(gateway)
      const event = row.grant(granted, askedMs, this.#now(), gateway)
      if (!row.isReleased) this.#leases.add(row.endsMs)
      if (event.type === 'restored') this.#looks.beSoon(this.#now())
      this.#learnAddress(granted.externalAddress)
      this.#tell(event)
      this.#warnOfGaps(gateway, granted)
      this.#followPort(row, gateway)
      if (hasRestarted) await this.#spread()
      return true
    } catch (thrown) {
      const isGone = thrown instanceof LostInRenewal
      const error = isGone ? thrown.cause : failureOf(thrown, row.kept.name)
      if (error instanceof RefusedError && error.hasEpoch) this.#noticeRestart(gateway)
      const wasLost = isGone && this.#lose(row, 'gone')
      const longestMs = this.#options.checkMs ?? CHECK_MS
      this.#tell(row.fail(error, { askedMs, nowMs: this.#now(), longestMs, wasLost }))
      if (isRenewal || isSignOfTrouble(error)) this.#looks.suspect()
      return !isSignOfTrouble(error)
    }
  }

  /**
   * Checks whether the gateway is there, has kept its state, and shows what it has granted. An announcement can be
   * forged, so it leads to one question, however many ports there are.
   */
  async #look(gateway: Gateway): Promise<void> {
    const reason = this.#looks.begin(this.#now())
    if (reason === 'regular') void this.#better?.look()
    try {
      if (reason === 'announcement' && (await this.#isFirstThere(gateway))) return
      const [pulse, before] = [await pulseOf(gateway), this.#externalAddress]
      const address = pulse?.externalAddress
      // A refusal carries no epoch, and the old one would look as if it stood still.
      const isOther = before !== undefined && address !== undefined && address !== before
      const hasRestarted = pulse !== undefined && this.#noticeRestart(gateway)
      if (hasRestarted || isOther) this.#believe()
      if (hasRestarted) {
        this.#learnAddress(address)
        return await this.#spread()
      }
      if (isOther) for (const row of this.#rows) if (row.present === undefined) row.beDueNow(this.#now())
      // Over PCP and NAT-PMP the epoch has told what an announcement is worth.
      if (reason !== 'announcement' || isOther || gateway.protocol === 'igd')
        await this.#findAll(gateway, reason, isOther)
      // First what is lost is told, so that it has not moved. A later answer may have told the address meanwhile.
      if (this.#externalAddress === before) this.#learnAddress(address)
      this.#search.prove()
    } catch (error) {
      if (!(error instanceof PortMappingError)) throw error
      this.#loseGateway(error)
    }
  }

  /** What nobody can be asked about is asked for again, if there is doubt. Mappings are whenever it is time. */
  async #findAll(gateway: Gateway, reason: LookReason, isInDoubt: boolean): Promise<void> {
    const untold: KeptRow<H>[] = []
    let askedAgain = 0
    let turnEndsMs = this.#now() + LONGEST_TURN_MS
    let isDoubtful = isInDoubt || reason === 'announcement'
    for (const row of [...this.#rows]) {
      if (this.#releases > 0) await this.#releasing
      if (this.#now() >= turnEndsMs) {
        await this.#askDue(gateway)
        turnEndsMs = this.#now() + LONGEST_TURN_MS
      }
      if (this.#alarm.isOff) return
      const presence = await this.#find(row, gateway)
      if (presence === 'gone') isDoubtful = true
      if (presence === 'ask-again' && reason === 'regular') row.beDueSoon(this.#now() + paceMs(askedAgain++), true)
      if (presence === 'ask-again' || presence === 'untold') untold.push(row)
    }
    if (isDoubtful) for (const row of untold) row.beDue(this.#now())
  }

  /** Whether the gateway shows the first of its mappings: one that has lost its state shows none. */
  async #isFirstThere(gateway: Gateway): Promise<boolean> {
    const row = this.#rows.find(({ present }) => present !== undefined)
    return row !== undefined && (await this.#find(row, gateway)) === 'there'
  }

  /** What is gone is lost from now on. Undefined if it was not there before, or the gateway refuses to tell. */
  async #find(row: KeptRow<H>, gateway: Gateway): Promise<Presence | undefined> {
    if (row.present === undefined || row.isReleased) return undefined
    const presence = await row.kept.find(gateway, row.present).catch((error: unknown) => {
      if (error instanceof PortMappingError) return unlessRefused(error)
      ignore('turn', row.kept.name, error) // nobody can tell
    })
    if (presence === 'gone' || presence === 'taken') this.#lose(row, presence)
    if (presence === 'gone') this.#believe()
    return presence
  }

  #warnOfGaps({ protocol }: Gateway, { leaseMs }: H): void {
    const closestMs = closestRenewalsMs(protocol, leaseMs)
    if (leaseMs > closestMs || this.#isWarned) return
    this.#isWarned = true
    this.#tell({ type: 'lease-too-short', leaseMs, closestMs })
  }

  /** Returns whether it was there. */
  #lose(row: KeptRow<H>, reason: LossReason): boolean {
    if (row.isReleased) return false
    const event = row.lose(reason, this.#now())
    if (event !== undefined) this.#tell(event)
    return event !== undefined
  }

  /** Returns whether the address is another one than before. */
  #learnAddress(address: string | undefined): boolean {
    const previous = this.#externalAddress
    if (address === undefined || address === previous) return false
    this.#externalAddress = address
    this.#tell({ type: 'external-address', address, previous })
    return previous !== undefined
  }

  /** Returns whether the gateway has lost its state. */
  #noticeRestart(gateway: Gateway): boolean {
    const nowMs = this.#now()
    if (!this.#restarts.notice(gateway, nowMs)) {
      const { doubtedUntilMs } = this.#restarts
      if (doubtedUntilMs !== undefined) this.#looks.beBy(doubtedUntilMs) // no other announcement may come
      return false
    }
    for (const row of this.#rows) {
      const event = row.restart(nowMs - (gateway.epochSeconds ?? 0) * 1000, nowMs)
      if (event !== undefined) this.#tell(event)
    }
    return true
  }

  #spread(): Promise<void> {
    return this.#alarm.sleep(this.#options.random() * LONGEST_SPREAD_MS)
  }

  #noticeChanges(): void {
    const [hasSlept, haveAddressesChanged] = [this.#changes.noticeSleep(), this.#changes.noticeAddresses()]
    if (hasSlept) {
      // Leases and the epoch went on during the sleep, and nobody knows for how long.
      this.#restarts.forget()
      for (const row of this.#rows) row.beDueNow(this.#now())
    }
    if (hasSlept || haveAddressesChanged) this.#looks.suspect()
    if (!haveAddressesChanged || this.#gateway === undefined) return
    const { localAddress } = this.#gateway
    if (this.#changes.has(localAddress)) this.#renewOutdated(this.#gateway)
    else this.#loseGateway(new NoGatewayError(`this computer does not have the address ${localAddress} any more`))
  }

  /**
   * Of two that share a port the first one decides. If the second gets another port, the first one has to be asked. They
   * are renewed together: over PCP and NAT-PMP miniupnpd closes the second until that is renewed too (2.3.1, nftables).
   */
  #followPort(row: KeptRow<H>, gateway: Gateway): void {
    const leader = this.#leaders.get(row)
    if (leader?.isOutdated(gateway)) leader.beDue(this.#now())
    else if (row.isOutdated(gateway)) leader?.beDueSoon(this.#now())
    if (leader !== undefined) row.renewAfter(leader)
    for (const follower of this.#followers.get(row) ?? []) {
      if (follower.isOutdated(gateway)) follower.beDue(this.#now())
      else if (follower.present !== undefined) follower.beDueSoon(this.#now())
    }
  }

  #renewOutdated(gateway: Gateway): void {
    for (const row of this.#rows) if (row.isOutdated(gateway) || row.present === undefined) row.beDueNow(this.#now())
  }

  #tell(event: KeeperEvent<H>): void {
    if (!this.#isOver) orIgnore('turn', event.type, () => this.#options.onEvent(event))
  }

  #now(): number {
    return this.#options.clock.monotonicMs()
  }
}

function noMore(): void {}

/** How long a look waits before it asks for that one again. */
function paceMs(at: number): number {
  return Math.floor(at / AT_ONCE) * AT_ONCE_PAUSE_MS
}

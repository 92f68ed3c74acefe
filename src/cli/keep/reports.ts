/** The keeper's events -> Reports, and a queue for these. A failure that repeats is reported once, a renewal every time. */
import { isReachableAt } from '../../domain/address.js'
import type { KeeperEvent } from '../../keeper/kept.js'
import type { HeldEither, KeptEither } from '../../keeper/kept-pinhole.js'
import type { PortState } from '../../library/keeping/kept-ports.js'
import { portStateOf, type Sharing } from '../../library/keeping/kept-ports.js'
import { reportedError } from '../failure.js'
import type { Report } from '../report.js'

/** Knows which failures are repetitions. A success, or the loss of the port, ends a series of equal failures. */
export class Repetitions {
  readonly #failures = new Map<KeptEither, string>()

  isOne(event: KeeperEvent<HeldEither>): boolean {
    if (!('kept' in event)) return false
    if (event.type !== 'failed') {
      this.#failures.delete(event.kept)
      return false
    }
    const failure = `${event.error.code} ${event.error.message}`
    if (this.#failures.get(event.kept) === failure) return true
    this.#failures.set(event.kept, failure)
    return false
  }
}

/** A router may tell a lease that is as long as before with some seconds less. */
const SAME_LEASE = 0.9

/** Knows which renewals are no news: the port and its lease are as they were told, and no trouble has been told since. */
export class Renewals {
  readonly #told = new Map<KeptEither, HeldEither>()

  changesNothing(event: KeeperEvent<HeldEither>): boolean {
    if (event.type === 'gateway-lost') this.#told.clear()
    if (!('kept' in event)) return false
    const told = this.#told.get(event.kept)
    if (!('held' in event)) {
      this.#told.delete(event.kept)
      return false
    }
    if (event.type === 'renewed' && told !== undefined && isAsTold(event.held, told)) return true
    this.#told.set(event.kept, event.held)
    return false
  }
}

function isAsTold(held: HeldEither, told: HeldEither): boolean {
  const [now, before] = [portStateOf(held, 0), portStateOf(told, 0)]
  const [shorter, longer] = held.leaseMs < told.leaseMs ? [held, told] : [told, held]
  return (
    now.externalPort === before.externalPort &&
    now.internalPort === before.internalPort &&
    now.internalClient === before.internalClient &&
    shorter.leaseMs >= longer.leaseMs * SAME_LEASE
  )
}

/** Knows which external port was told last. Two that share a port are told of once, when both have the new one. */
export class PortMoves {
  readonly #ports = new Map<KeptEither, { told: number; now: number; readonly protocol: string }>()
  readonly #sharing: Sharing

  constructor(sharing: Sharing) {
    this.#sharing = sharing
  }

  hear(event: KeeperEvent<HeldEither>, timeMs: number): Report[] {
    if (!('kept' in event)) return []
    if ('held' in event) {
      const { externalPort, protocol } = portStateOf(event.held, timeMs)
      const told = this.#ports.get(event.kept)?.told ?? externalPort
      this.#ports.set(event.kept, { told, now: externalPort, protocol })
    }
    const both = [event.kept, ...this.#sharing(event.kept)].flatMap((kept) => this.#ports.get(kept) ?? [])
    const isWaiting = event.type !== 'failed' && both.some(({ now }) => now !== both[0]?.now)
    const moved = both.filter(({ told, now }) => told !== now)
    const [first] = moved
    if (isWaiting || first === undefined) return []
    const [protocol, previous] = [
      moved
        .map((each) => each.protocol)
        .toSorted()
        .join('+'),
      first.told,
    ]
    for (const each of moved) each.told = each.now
    return [{ type: 'external-port-changed', timeMs, protocol, externalPort: first.now, previous }]
  }
}

/** `portOf` gives a port as it last was, if that is known. `isPinhole` says whether pinholes are kept. */
export function reportsOf(
  event: KeeperEvent<HeldEither>,
  timeMs: number,
  portOf: (kept: KeptEither) => PortState | undefined,
  isPinhole = false,
): Report[] {
  if (event.type === 'found') return []
  if (event.type === 'searching' || event.type === 'gateway-lost')
    return [{ type: event.type, timeMs, error: reportedError(event.error) }]
  if (event.type === 'moved') {
    const { gateway, previous, externalAddress } = event
    return [
      { type: 'moved', timeMs, gateway: gateway.address ?? '', previous: previous.address ?? '', externalAddress },
    ]
  }
  if (event.type === 'external-address') {
    const { address, previous } = event
    return previous === undefined ? [] : [{ type: 'external-address-changed', timeMs, address, previous }]
  }
  if (event.type === 'lease-too-short') {
    const { leaseMs, closestMs } = event
    return [
      { type: 'notice', kind: 'lease-too-short', leaseSeconds: leaseMs / 1000, renewedEverySeconds: closestMs / 1000 },
    ]
  }
  const { kept } = event
  const about = { timeMs, name: kept.name, port: portOf(kept) }
  switch (event.type) {
    case 'mapped':
      return firstReports(event, timeMs)
    case 'renewed':
      return [{ type: 'renewed', ...about, ...heldFor(event.held, timeMs) }]
    case 'restored':
      return [{ type: 'restored', ...about, ...heldFor(event.held, timeMs), afterMs: event.afterMs }]
    case 'lost':
      return [{ type: 'lost', ...about, reason: event.reason }]
    case 'failed': {
      const { error, againInMs } = event
      const { leftBehind } = error
      return [{ type: 'keep-failed', ...about, isPinhole, error: reportedError(error), leftBehind, againInMs }]
    }
    case 'removed':
      return [{ type: 'removed', ...about }]
    case 'ends-with-lease':
      return [{ type: 'ends-with-lease', ...about, endsWallMs: timeMs + event.endsInMs }]
    case 'not-removed':
      return [{ type: 'not-removed', ...about, error: reportedError(event.error) }]
  }
}

/** The port as it is from now on, and its lease: 0 if the lease has no end. */
function heldFor(held: HeldEither, timeMs: number): { readonly port: PortState; readonly leaseSeconds: number } {
  const leaseSeconds = Number.isFinite(held.leaseMs) ? Math.round(held.leaseMs / 1000) : 0
  return { port: portStateOf(held, timeMs), leaseSeconds }
}

/** The Reports that the same command makes without --keep. */
function firstReports(
  { held, gateway }: Extract<KeeperEvent<HeldEither>, { type: 'mapped' }>,
  timeMs: number,
): Report[] {
  if ('pinhole' in held) {
    const asked = { ...held.pinhole, remoteHostTyped: held.pinhole.remoteHost }
    const { leaseSeconds } = heldFor(held, timeMs)
    return [{ type: 'pinhole-added', timeMs, via: gateway.protocol, asked, ok: true, id: held.id, leaseSeconds }]
  }
  const { mapping, asked, externalAddress: address = '' } = held
  return [
    { type: 'external-address', during: 'map', ok: true, address },
    {
      type: 'mapped',
      timeMs,
      asked,
      mapping,
      externalAddress: address,
      reachable: isReachableAt(held.externalAddress),
    },
  ]
}

/** Reports that arrive at any time -> an async iteration, for one reader. */
export class ReportQueue {
  readonly #reports: Report[] = []
  #isOver = false
  #failure: { readonly error: unknown } | undefined
  #wake: () => void = () => {}

  add(report: Report): void {
    this.#reports.push(report)
    this.#wake()
  }

  /** The reader ends after the reports that have been added. */
  end(): void {
    this.#isOver = true
    this.#wake()
  }

  /** The reader throws this error after the reports that have been added. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wake()
  }

  async *read(): AsyncGenerator<Report, void> {
    for (;;) {
      const report = this.#reports.shift()
      if (report !== undefined) yield report
      else if (this.#failure !== undefined) throw this.#failure.error
      else if (this.#isOver) return
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

/** A keeper at work: on a fake clock, with a simulated router, and a log of what it tells. */
import { expect } from 'vitest'
import type { Gateway } from '../../src/domain/gateway.ts'
import type { GatewayProtocol } from '../../src/domain/port-mapping.ts'
import type { FindBetter } from '../../src/keeper/better-gateway.ts'
import { Keeper } from '../../src/keeper/keeper.ts'
import type { Held, KeeperEvent, Kept, Presence } from '../../src/keeper/kept.ts'
import { KeptMapping, type WantedMapping } from '../../src/keeper/kept-mapping.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { ignoredLog } from '../support/ignored.ts'
import { SimulatedRouter } from '../support/simulated-gateway.ts'

export const PROTOCOLS: readonly GatewayProtocol[] = ['igd', 'pcp', 'nat-pmp']
export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS

/** Its wall clock can jump, and it counts. */
export class WatchedClock extends FakeClock {
  #shiftMs = 0
  fired = 0

  override wallMs(): number {
    return super.wallMs() + this.#shiftMs
  }

  override schedule(delayMs: number, task: () => void): () => void {
    return super.schedule(delayMs, () => {
      this.fired++
      task()
    })
  }

  /** As after a sleep of that length, in which the monotonic clock stands still. */
  jump(ms: number): void {
    this.#shiftMs += ms
  }
}

export function wanted(settings: Partial<WantedMapping> = {}): WantedMapping {
  const { externalPort = 8080 } = settings
  const usual = { protocol: 'TCP', remoteHost: '', description: 'kept', any: false, lease: { seconds: 3600 } } as const
  return { ...usual, externalPort, internalPort: 80, ...settings }
}

/** It is not asked for again at looks, so only its renewals are seen. */
export class Unlooked extends KeptMapping {
  override async find(...[gateway, held]: Parameters<KeptMapping['find']>): Promise<Presence> {
    return gateway.protocol === 'igd' ? super.find(gateway, held) : 'untold'
  }
}

export interface Settings {
  readonly kept?: readonly Kept[]
  readonly random?: () => number
  readonly checkMs?: number
  readonly onEvent?: (event: KeeperEvent) => void
  readonly open?: (signal: AbortSignal) => Promise<Gateway>
  readonly better?: FindBetter
  /** The test plants a defect. Without it, one that a boundary hides fails the test. */
  readonly mayIgnore?: boolean
  /** What the router is like before the keeper begins. */
  readonly before?: (router: SimulatedRouter) => void
}

export type Keeping = ReturnType<typeof begin>

/** Begins to keep external port 8080 TCP, unless something else is given. */
export function begin(protocol: GatewayProtocol, settings: Settings = {}) {
  const { kept = [new KeptMapping(wanted())], random = () => 0.5, checkMs, before } = settings
  const clock = new WatchedClock()
  const router = new SimulatedRouter(clock, protocol)
  before?.(router)
  const ignored = ignoredLog()
  const expectNoDefect = (): void => {
    if (settings.mayIgnore !== true) expect(ignored.all).toEqual([])
  }
  const log: string[] = []
  const names = new Map<Kept, string>()
  const events: KeeperEvent[] = []
  const state = { addresses: [router.localAddress], isOver: false, overMs: Number.NaN, error: undefined as unknown }
  const keeper = new Keeper<Held>({
    clock,
    random,
    kept,
    open: settings.open ?? ((signal) => router.open(signal)),
    listen: (_gateway, onNews) => router.listen(onNews),
    addresses: () => state.addresses,
    onEvent:
      settings.onEvent ??
      ((event) => {
        const isLook = event.type === 'renewed' && event.isForLook === true
        if (isLook && names.get(event.kept) === event.kept.name) return // it shows nothing new
        if ('kept' in event) names.set(event.kept, event.kept.name)
        log.push(`${clock.monotonicMs()} ${textOf(event)}`)
        events.push(event)
      }),
    ...(checkMs === undefined ? {} : { checkMs }),
    better: settings.better,
  })
  const over = (error?: unknown): void => {
    Object.assign(state, { isOver: true, overMs: clock.monotonicMs(), error })
  }
  keeper.run().then(() => over(), over)
  return {
    clock,
    router,
    keeper,
    events,
    state,
    /** What was told since the last time. */
    told: (): string[] => log.splice(0),
    /** The same without times. */
    toldInOrder: (): string[] => log.splice(0).map((line) => line.replace(/^\d+(\.\d+)? /, '')),
    async wait(ms: number): Promise<void> {
      await clock.advance(ms)
      expect(state.error).toBeUndefined()
      expectNoDefect()
    },
    /** This computer sleeps, and the router does not. */
    sleep(ms: number): void {
      clock.jump(ms)
      router.passWhileAsleep(ms)
    },
    /** This computer gets another address. */
    move(address: string): void {
      router.localAddress = address
      state.addresses = [address]
    },
    /** Stops it; returns how long that took, and proves that nothing is left behind. */
    async stop(withinMs = 2000): Promise<number> {
      const beganMs = clock.monotonicMs()
      keeper.stop()
      await settle()
      for (let ms = 0; ms < withinMs && !state.isOver; ms += 50) await clock.advance(50)
      expect(state.isOver, `ended within ${withinMs} ms`).toBe(true)
      expect(state.error).toBeUndefined()
      expect(router.listenerCount, 'listeners left').toBe(0)
      const tookMs = state.overMs - beganMs
      const toldBefore = log.length
      await clock.advance(10 * MINUTE_MS) // what still waits for an answer
      expect(clock.pending, 'timers left').toBe(0)
      expect(log.length, 'told after the end').toBe(toldBefore)
      expectNoDefect()
      ignored.end()
      return tookMs
    },
  }
}

export function textOf(event: KeeperEvent): string {
  switch (event.type) {
    case 'searching':
    case 'gateway-lost':
      return `${event.type}: ${event.error.message}`
    case 'found':
      return 'found'
    case 'moved':
      return `moved; closed: ${event.closed.map(({ name }) => name)}`
    case 'mapped':
    case 'renewed':
    case 'removed':
      return `${event.type} ${event.kept.name}`
    case 'lost':
      return `lost ${event.kept.name}: ${event.reason}`
    case 'restored':
      return `restored ${event.kept.name} after ${event.afterMs}`
    case 'failed':
      return `failed ${event.kept.name}: ${event.error.message}; again in ${event.againInMs}`
    case 'ends-with-lease':
      return `ends-with-lease ${event.kept.name} in ${event.endsInMs}`
    case 'not-removed':
      return `not-removed ${event.kept.name}: ${event.error.message}`
    case 'lease-too-short':
      return `lease-too-short: ${event.leaseMs} ms, every ${event.closestMs} ms`
    case 'external-address':
      return `external-address ${event.address}`
  }
}

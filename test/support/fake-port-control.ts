/** A gateway of PCP or NAT-PMP that is nothing but answers, and remembers what it was asked; and whoever collects Reports. */
import type { ChosenPortControl, RunContext } from '../../src/cli/context.ts'
import type { Report } from '../../src/cli/report.ts'
import type { Gateway, MappingToRemove, PinholeOpener, PortControlGateway } from '../../src/domain/gateway.ts'
import type { MappingKey, MappingRequest, PortMapping } from '../../src/domain/port-mapping.ts'
import { Router } from '../../src/library/router.ts'
import { memoryFiles } from '../../src/net/files/private-files.ts'
import { FakeClock } from './fake-clock.ts'

export interface Answers {
  readonly protocol?: 'pcp' | 'nat-pmp'
  readonly localAddress?: string
  readonly epochSeconds?: number
  readonly map?: (request: MappingRequest) => PortMapping | Error
  readonly mapAny?: (request: MappingRequest) => PortMapping | Error
  readonly unmap?: (mapping: MappingToRemove) => Error | undefined
  readonly externalAddress?: () => string | Error
  /** True if not given. */
  readonly remembers?: (key: MappingKey) => boolean
  /** 'untold' if not given. */
  readonly isFree?: boolean
  readonly pinholes?: PinholeOpener
}

/** As it was asked, with the port that any is. */
export function granted(request: MappingRequest, port = request.externalPort): PortMapping {
  const { lease, ...rest } = request
  const leaseSeconds = lease === 'unlimited' ? 7200 : lease.seconds
  return { ...rest, externalPort: port, enabled: true, description: '', leaseSeconds }
}

export interface Call {
  readonly name: 'map' | 'mapAny' | 'unmap' | 'externalAddress'
  readonly asked?: MappingRequest | MappingToRemove
}

export class FakePortControl implements PortControlGateway {
  readonly protocol: 'pcp' | 'nat-pmp'
  readonly address = '192.168.1.1'
  readonly port = 5351
  readonly localAddress: string
  readonly epochSeconds: number
  readonly pinholes: PinholeOpener | undefined
  readonly calls: Call[] = []
  readonly #answers: Answers

  constructor(answers: Answers = {}) {
    this.#answers = answers
    this.protocol = answers.protocol ?? 'pcp'
    this.localAddress = answers.localAddress ?? '192.168.1.10'
    this.epochSeconds = answers.epochSeconds ?? 0
    this.pinholes = answers.pinholes
  }

  async isFree(): Promise<boolean | 'untold'> {
    return this.#answers.isFree ?? 'untold'
  }

  async externalAddress(): Promise<string> {
    this.calls.push({ name: 'externalAddress' })
    return orThrow(this.#answers.externalAddress?.() ?? '11.22.33.44')
  }

  async map(asked: MappingRequest): Promise<PortMapping> {
    this.calls.push({ name: 'map', asked })
    return orThrow(this.#answers.map?.(asked) ?? granted(asked))
  }

  async mapAny(asked: MappingRequest): Promise<PortMapping> {
    this.calls.push({ name: 'mapAny', asked })
    return orThrow(this.#answers.mapAny?.(asked) ?? granted(asked))
  }

  async pulse(): Promise<{ readonly externalAddress: string | undefined }> {
    return { externalAddress: await this.externalAddress() }
  }

  async find(): Promise<'untold'> {
    return 'untold'
  }

  async remembers(key: MappingKey): Promise<boolean> {
    return this.#answers.remembers?.(key) ?? true
  }

  async unmap(asked: MappingToRemove): Promise<void> {
    this.calls.push({ name: 'unmap', asked })
    orThrow(this.#answers.unmap?.(asked))
  }
}

function orThrow<T>(answer: T | Error): T {
  if (answer instanceof Error) throw answer
  return answer
}

export interface Scene {
  readonly gateway: FakePortControl
  readonly chosen: ChosenPortControl
  readonly context: RunContext
  readonly controller: AbortController
}

export function sceneOf(answers: Answers, more: Partial<ChosenPortControl> = {}): Scene {
  const gateway = new FakePortControl(answers)
  const controller = new AbortController()
  const common = { externalAddress: undefined, troubles: [], router: routerOf(gateway) }
  const chosen = { gateway, until: () => gateway, ...common, ...more }
  const clock = new FakeClock()
  const context = {
    signal: controller.signal,
    clock,
    interfaces: () => [],
    files: memoryFiles(),
  } as unknown as RunContext
  return { gateway, chosen, context, controller }
}

/** All that it yields, and what it returns or throws. */
export async function outcome(run: AsyncGenerator<Report, unknown>): Promise<{ reports: Report[]; ended: unknown }> {
  const reports: Report[] = []
  try {
    for (;;) {
      const next = await run.next()
      if (next.done === true) return { reports, ended: next.value }
      reports.push(next.value)
    }
  } catch (ended) {
    return { reports, ended }
  }
}

/** The router that speaks nothing but the protocol of that gateway. */
export function routerOf(gateway: Gateway): Router {
  const alone = { gateway, askOthers: async () => [], isOnly: true }
  return new Router(alone, { files: memoryFiles(), clock: new FakeClock(), interfaces: () => [] })
}

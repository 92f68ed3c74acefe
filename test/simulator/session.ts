/** A keeper of the command line on a computer of the simulation, and what it tells: lines, the state file, the hook. */

import { sameWithinASecond } from '../../src/cli/keep/same-signal.ts'
import { type KeepContext, keep } from '../../src/cli/keep/session.ts'
import { type GatewayInvocation, parseInvocation } from '../../src/cli/parse/invocation.ts'
import type { Report } from '../../src/cli/report.ts'
import { TransportError } from '../../src/domain/errors.ts'
import { onIgnored } from '../../src/domain/ignored.ts'
import { listenToGateway } from '../../src/library/listening.ts'
import { sleep } from '../../src/net/clock.ts'
import type { Datagrams } from '../../src/net/datagrams.ts'
import type { PrivateFiles } from '../../src/net/files/private-files.ts'
import { createHttpClient } from '../../src/net/http/client.ts'
import { InterfaceWatch } from '../../src/net/interfaces.ts'
import type { Computer } from './network.ts'
import { ROUTER } from './router.ts'

/** What is loaded late has to be there already: the time of a simulation does not wait for files. */
await Promise.all([import('node:crypto'), import('../../src/client/search/candidate.ts')])

/** How long the command of --on-change runs. */
const HOOK_MS = 20

/** What is kept, as the words of the command line say it. */
export interface Wanted {
  readonly protocol: 'TCP' | 'UDP'
  readonly internalPort: number
  /** Undefined if any will do. */
  readonly externalPort: number | undefined
  /** Which port of the command line it belongs to: both halves of TCP+UDP have one external port. */
  readonly pair: number
}

export interface ToldPort {
  readonly protocol: string
  readonly internalPort: number
  readonly externalPort: number
}

export interface ToldState {
  readonly externalAddress: string | null
  readonly ports: readonly (ToldPort & { readonly ends: string | null })[]
}

/** What a planted bug puts in place of the real thing. */
export interface Bugs {
  readonly datagrams?: (datagrams: Datagrams, computer: Computer) => Datagrams
  /** Undefined to say nothing. */
  readonly report?: (report: Report) => Report | undefined
  /** Whether the file is written. */
  readonly writes?: (text: string) => boolean
  /** Whether the hook is run, by how often it was before. */
  readonly hooks?: (times: number) => boolean
  readonly listen?: (listen: KeepContext['listen'], computer: Computer) => KeepContext['listen']
}

export interface SessionOptions {
  readonly name: string
  readonly computer: Computer
  readonly files: PrivateFiles
  readonly argv: readonly string[]
  readonly bugs?: Bugs
  readonly onLine: (report: Report) => void
}

export class Session {
  readonly computer: Computer
  /** How many lines say that something was lost. */
  losses = 0
  /** What the lines say is open, by protocol and internal port. */
  readonly open = new Map<string, ToldPort>()
  /** The names of what it could not close at its end, or was not its own to close. */
  readonly left: string[] = []
  /** The text of the state file. */
  written = ''
  /** The environment of the last hook that has succeeded. */
  hook: Readonly<Record<string, string>> | undefined
  isHookBroken = false
  isDiskFull = false
  exitCode: number | undefined
  /** Why it has ended, if it should not have. */
  failure: unknown
  #signal: ((name: string) => void) | undefined
  #hooks = 0
  #read: { readonly text: string; readonly state: ToldState | undefined } = { text: '', state: undefined }

  constructor(options: SessionOptions) {
    this.computer = options.computer
    // A boundary that has hidden a defect does not hide it here.
    const stop = onIgnored(({ error }) => {
      this.failure ??= error
    })
    void this.#run(options)
      .catch((error: unknown) => {
        this.failure = error
      })
      .finally(stop)
  }

  get isOver(): boolean {
    return this.exitCode !== undefined || this.failure !== undefined
  }

  get state(): ToldState | undefined {
    if (this.written !== this.#read.text) this.#read = { text: this.written, state: JSON.parse(this.written) }
    return this.#read.state
  }

  stop(): void {
    this.#signal?.('SIGTERM')
  }

  async #run(options: SessionOptions): Promise<void> {
    const invocation = parseInvocation(options.argv)
    if (invocation.kind !== 'gateway' || invocation.keep === undefined) throw new Error('no --keep in the words')
    const reports = keep(invocation, invocation.keep, this.#context(options))
    for (;;) {
      const next = await reports.next()
      if (next.done === true) {
        this.exitCode = next.value
        return
      }
      const { report = (each: Report) => each } = options.bugs ?? {}
      const said = report(next.value)
      if (said !== undefined) this.#hear(said, options)
    }
  }

  #context({ name, computer, files, bugs = {} }: SessionOptions): KeepContext {
    const { clock, interfaces } = computer
    const wire = computer.datagramsOf(name)
    const watch = new InterfaceWatch(interfaces)
    const net = {
      clock,
      datagrams: bugs.datagrams?.(wire, computer) ?? wire,
      http: createHttpClient(clock, computer.exchangeOf(name)),
      interfaces: () => watch.look(),
      defaultGateways: async (family: 4 | 6) => (family === 4 ? [ROUTER] : []),
      hardwareAddress: async (address: string) => `02:00:${address.split('.').join(':')}`,
    }
    const listen: KeepContext['listen'] = (gateway, onSuspicion) =>
      listenToGateway({ ...net, httpServers: computer.httpServers, watch, isOnlyRoute: false }, gateway, onSuspicion)
    return {
      ...net,
      files,
      onSignal: sameWithinASecond((_, listener) => {
        this.#signal = listener
        return () => {
          this.#signal = undefined
        }
      }, clock),
      startProgram: () => {
        throw new Error('there is no program')
      },
      runHook: async (_, env, signal) => {
        await sleep(clock, HOOK_MS, signal)
        const isRun = bugs.hooks?.(this.#hooks++) ?? true
        if (!this.isHookBroken && isRun) this.hook = { ...env }
        return { code: this.isHookBroken ? 1 : 0, signal: undefined, timedOut: false }
      },
      writeFile: (_, text) => {
        if (this.isDiskFull) throw new TransportError('the disk is full')
        if (bugs.writes?.(text) ?? true) this.written = text
      },
      notifyServiceManager: async () => {},
      listen: bugs.listen?.(listen, computer) ?? listen,
    }
  }

  #hear(report: Report, { onLine }: SessionOptions): void {
    onLine(report)
    if (report.type === 'lost' || report.type === 'gateway-lost') this.losses++
    if (report.type === 'not-removed' || report.type === 'left-open') this.left.push(report.name)
    switch (report.type) {
      case 'mapped': {
        const { protocol, internalPort, externalPort = 0 } = report.mapping
        this.open.set(`${protocol} ${internalPort}`, { protocol, internalPort: internalPort ?? 0, externalPort })
        return
      }
      case 'renewed':
      case 'restored':
        this.open.set(`${report.port.protocol} ${report.port.internalPort}`, report.port)
        return
      case 'lost':
      case 'removed':
      case 'not-removed':
        if (report.port !== undefined) this.open.delete(`${report.port.protocol} ${report.port.internalPort}`)
        return
      case 'gateway-lost':
        this.open.clear()
    }
  }
}

/** @throws Error if the words keep no ports */
export function wantedOf(argv: readonly string[]): readonly Wanted[] {
  const { command } = parseInvocation(argv) as GatewayInvocation
  if (command.name !== 'map') throw new Error('the words map no port')
  let pair = -1
  return command.mappings.map(({ protocol, internalPort, externalPort, pairedWithPrevious }) => {
    if (pairedWithPrevious !== true) pair++
    const isAny = command.any || externalPort === 0
    return { protocol, internalPort, externalPort: isAny ? undefined : externalPort, pair }
  })
}

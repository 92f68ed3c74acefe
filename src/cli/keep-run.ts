/**
 * --keep: the keeper on one side, Reports on the other, and beside them the command that runs while the ports are open,
 * the hook that hears of changes, and the state file. It ends when it is told to, or when the command does.
 */
import { NoGatewayError, type PortMappingError, TransportError } from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'
import { Keeper } from '../keeper/keeper.js'
import type { KeeperEvent } from '../keeper/kept.js'
import { writeFileAtomically } from '../net/atomic-file.js'
import { exitStatusOf, type RunningCommand } from '../net/child-process.js'
import { reportedError } from './failure.js'
import { describeGiven, search } from './find.js'
import type { GatewayInvocation } from './invocation.js'
import {
  environmentOf,
  type HeldEither,
  type KeepFacts,
  type KeptEither,
  type OpenPort,
  openPortOf,
  stateText,
} from './keep-facts.js'
import { ChangeHook } from './keep-hook.js'
import type { KeepOptions } from './keep-options.js'
import { keptOf, type OwnMarks, ownMarks } from './keep-wanted.js'
import { reportsOf } from './keeper-reports.js'
import type { ExitCode, Report } from './report.js'
import { ReportQueue } from './report-queue.js'
import type { Chosen, ChosenPortControl, RunContext } from './run.js'
import { COMMAND_SIGNALS, END_SIGNALS, type OnSignal } from './signals.js'

export interface KeepContext extends Omit<RunContext, 'signal'> {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly onSignal: OnSignal
  readonly startCommand: (argv: readonly string[], env: Record<string, string>) => RunningCommand
  readonly runHook: (command: string, env: Record<string, string>) => Promise<unknown>
  readonly notifyServiceManager: (message: string) => Promise<void>
  readonly listen: (gateway: Gateway, onSuspicion: () => void) => () => void
}

export async function* keep(
  invocation: GatewayInvocation,
  options: KeepOptions,
  context: KeepContext,
): AsyncGenerator<Report, number> {
  const session = new KeepSession(invocation, options, context)
  yield* session.reports()
  return session.exitCode
}

class KeepSession {
  readonly #invocation: GatewayInvocation
  readonly #options: KeepOptions
  readonly #context: KeepContext
  readonly #queue = new ReportQueue()
  readonly #marks: OwnMarks
  readonly #kept: readonly KeptEither[]
  readonly #open = new Map<KeptEither, OpenPort>()
  readonly #keeper: Keeper<HeldEither, Gateway>
  readonly #hook: ChangeHook
  #opened = new AbortController()
  #hasPresented = false
  #externalAddress: string | undefined
  #command: RunningCommand | undefined
  #cancelTimeout = (): void => {}
  #stopHearing = (): void => {}
  #isStopping = false
  exitCode: ExitCode | number = 0

  constructor(invocation: GatewayInvocation, options: KeepOptions, context: KeepContext) {
    this.#invocation = invocation
    this.#options = options
    this.#context = context
    this.#marks = ownMarks(context.files)
    this.#kept = keptOf(invocation, context, this.#marks)
    this.#hook = new ChangeHook(options.onChange, context.runHook, (error) => this.#say(reportOfTrouble(error)))
    this.#keeper = new Keeper<HeldEither, Gateway>({
      clock: context.clock,
      random: Math.random,
      kept: this.#kept,
      open: () => this.#find(),
      listen: context.listen,
      addresses: () => context.interfaces().map(({ address }) => address),
      onEvent: (event) => this.#hear(event),
      ...(options.checkMs === undefined ? {} : { checkMs: options.checkMs }),
    })
  }

  async *reports(): AsyncGenerator<Report, void> {
    const { clock } = this.#context
    this.#stopHearing = this.#listenForSignals()
    if (this.#options.command.length > 0) {
      this.#cancelTimeout = clock.schedule(this.#invocation.timeoutMs, () => this.#startWithoutPorts())
    }
    this.#keeper
      .run()
      .then(() => this.#hook.settled())
      .then(
        () => this.#queue.end(),
        (error: unknown) => this.#queue.fail(error),
      )
    try {
      yield* this.#queue.read()
    } finally {
      this.#cancelTimeout()
      this.#opened.abort(new NoGatewayError('the command is over'))
    }
  }

  #say(report: Report): void {
    this.#queue.add(report)
  }

  /** Finds the gateway; the first time it says which one in upnpc's words. */
  async #find(): Promise<Gateway> {
    this.#opened.abort(new NoGatewayError('another gateway is looked for'))
    this.#opened = new AbortController()
    const context = { ...this.#context, signal: this.#opened.signal }
    const { url } = this.#invocation
    const finding =
      url === undefined ? search(this.#invocation, context) : describeGiven(url, this.#invocation, context)
    const said: Report[] = []
    for (;;) {
      const next = await finding.next()
      if (next.done !== true) said.push(next.value)
      else if (next.value !== undefined) return this.#present(next.value, said)
      else throw new NotFound(said.at(-1))
    }
  }

  #present({ gateway }: Chosen | ChosenPortControl, said: readonly Report[]): Gateway {
    if (!this.#hasPresented) for (const report of said) this.#say(report)
    if (!this.#hasPresented) this.#say({ type: 'local-address', address: gateway.localAddress })
    this.#hasPresented = true
    return gateway
  }

  #hear(event: KeeperEvent<HeldEither>): void {
    const nowMs = this.#context.clock.wallMs()
    for (const report of reportsOf(event, nowMs)) this.#say(report)
    if (event.type === 'external-address') this.#externalAddress = event.address
    if (event.type === 'mapped' || event.type === 'renewed' || event.type === 'restored') {
      this.#open.set(event.kept, openPortOf(event.held, nowMs))
      if (event.type !== 'renewed') this.#marks.set(event.kept.name, event.held)
    }
    if (event.type === 'lost' || event.type === 'removed') this.#open.delete(event.kept)
    if (event.type === 'removed') this.#marks.remove(event.kept.name)
    this.#tellOthers()
  }

  #facts(): KeepFacts {
    const ports = this.#kept.flatMap((each) => this.#open.get(each) ?? [])
    return { externalAddress: this.#externalAddress, ports }
  }

  #tellOthers(): void {
    const facts = this.#facts()
    this.#writeState(facts)
    if (this.#isStopping || facts.ports.length < this.#kept.length) return
    this.#hook.change(environmentOf(facts))
    this.#cancelTimeout()
    if (this.#command === undefined && this.#options.command.length > 0) this.#start(environmentOf(facts))
    this.#context.notifyServiceManager('READY=1').catch(() => {})
  }

  #writeState(facts: KeepFacts): void {
    const { stateFile } = this.#options
    if (stateFile === undefined) return
    try {
      writeFileAtomically(stateFile, stateText(facts, this.#context.clock.wallMs()))
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      this.#say(reportOfTrouble(error))
    }
  }

  /** The ports could not be opened in time: without --require the command runs all the same. */
  #startWithoutPorts(): void {
    if (this.#isStopping || this.#command !== undefined) return
    const seconds = this.#invocation.timeoutMs / 1000
    if (this.#options.require) {
      const message = `no port was open within ${seconds} s, and --require was given: the command is not started`
      this.#say({ type: 'error', error: { code: 'NO_GATEWAY', message } })
      this.exitCode = 1
      this.#stop()
      return
    }
    this.#say({ type: 'notice', message: `no port was open within ${seconds} s: the command starts without` })
    this.#start(environmentOf(this.#facts()))
  }

  #start(env: Record<string, string>): void {
    const command = this.#context.startCommand(this.#options.command, env)
    this.#command = command
    command.exited.then(
      (end) => {
        this.exitCode = exitStatusOf(end)
        this.#stop()
      },
      (error: PortMappingError) => {
        this.#say({ type: 'error', error: reportedError(error) })
        this.exitCode = 127 // as a shell has it
        this.#stop()
      },
    )
  }

  /** A command hears of every signal, and its end is the end of all. */
  #listenForSignals(): () => void {
    const names = this.#options.command.length > 0 ? COMMAND_SIGNALS : END_SIGNALS
    return this.#context.onSignal(names, (signal) => {
      if (this.#command !== undefined) this.#command.passOn(signal)
      else if (END_SIGNALS.includes(signal)) this.#stop()
    })
  }

  /** From here on a signal ends the process at once. */
  #stop(): void {
    this.#isStopping = true
    this.#stopHearing()
    this.#context.notifyServiceManager('STOPPING=1').catch(() => {})
    this.#keeper.stop()
  }
}

/** What the search said last tells why. */
class NotFound extends NoGatewayError {
  constructor(said: Report | undefined) {
    super(said?.type === 'error' ? said.error.message : 'no gateway was found')
  }
}

function reportOfTrouble(error: PortMappingError): Report {
  return { type: 'notice', message: reportedError(error).message }
}

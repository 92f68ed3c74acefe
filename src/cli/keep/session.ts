/**
 * --keep: turns what the keeper does into Reports. It also runs the user's program while the ports are open, runs the
 * hook after changes, writes the state file, and informs the service manager. It ends when a signal asks it to, or when
 * the program ends.
 */
import { isInternetAddress, splitZone } from '../../domain/address.js'
import type { Gateway } from '../../domain/gateway.js'
import type { GatewayNews } from '../../keeper/keeper.js'
import type { KeeperEvent } from '../../keeper/kept.js'
import type { HeldEither, KeptEither } from '../../keeper/kept-pinhole.js'
import { type KeepFacts, opened, sharingAmong } from '../../library/keeping/kept-ports.js'
import { PortKeeper } from '../../library/keeping/port-keeper.js'
import type { WantedPort } from '../../library/keeping/wanted-ports.js'
import { listenToGateway } from '../../library/listening.js'
import { stableAddress } from '../../library/pinhole-address.js'
import type { Opened } from '../../library/search-gateway.js'
import { notifyServiceManager, type RunningCommand, runInShell, startCommand } from '../../net/child-process.js'
import { OncePer } from '../../net/clock.js'
import { writeFileAtomically } from '../../net/files/atomic-file.js'
import { nodeHttpServers } from '../../net/http/server.js'
import { InterfaceWatch } from '../../net/interfaces.js'
import type { RunContext } from '../context.js'
import { type Reporting, reportedError } from '../failure.js'
import type { GatewayInvocation } from '../parse/invocation.js'
import type { KeepOptions } from '../parse/option-values.js'
import type { Report, SearchSummary } from '../report.js'
import { findReports, isDoubtful, openFor } from '../run/find.js'
import { adviceAbout, mayOpenBeside } from '../run/run.js'
import type { OnSignal, Surroundings } from '../surroundings.js'
import { ChangeHook, type RunHook } from './change-hook.js'
import { environmentOf } from './environment.js'
import { keepYoungMemorySmall, oldMemoryCollector } from './memory.js'
import { OwnProgram } from './own-program.js'
import { PortMoves, Renewals, Repetitions, ReportQueue, reportsOf } from './reports.js'
import { sameWithinASecond } from './same-signal.js'
import { ServiceStatus, StateFile } from './state.js'

export interface KeepContext extends Omit<RunContext, 'signal'> {
  readonly onSignal: OnSignal
  readonly startProgram: (argv: readonly string[], env: Record<string, string>) => RunningCommand
  readonly runHook: RunHook
  /** @throws TransportError */
  readonly writeFile: (path: string, text: string) => void
  /** @throws TransportError if it was not heard */
  readonly notifyServiceManager: (message: string) => Promise<void>
  readonly listen: (gateway: Gateway, onNews: (news: GatewayNews) => void) => () => void
  /** Called after every report. */
  readonly tidyMemory?: () => void
}

const HOOK_TIMEOUT_MS = 30_000
/**
 * One answer must not keep the other ports waiting: six that never come take less than a minute. Some routers take more
 * than 4 s to make or remove a mapping.
 */
const ANSWER_MS = 8000
/** How late --for may notice that this computer has slept. */
const LOOK_AT_CLOCK_MS = 30_000

export function keepSurroundings(surroundings: Surroundings): KeepContext {
  keepYoungMemorySmall()
  const { env, onlyRoute, clock, onSignal } = surroundings
  const watch = new InterfaceWatch(surroundings.interfaces)
  const net = { ...surroundings, httpServers: nodeHttpServers, watch, isOnlyRoute: onlyRoute !== undefined }
  return {
    ...surroundings,
    interfaces: () => watch.look(), // the keeper looks on every round
    onSignal: sameWithinASecond(onSignal, clock),
    startProgram: startCommand,
    runHook: (command, variables, signal) => {
      const isSilent = surroundings.stderr.isFull === true // it would wait until its time is over
      return runInShell(command, variables, { timeoutMs: HOOK_TIMEOUT_MS, signal, isSilent })
    },
    writeFile: writeFileAtomically,
    notifyServiceManager: (message) => notifyServiceManager(message, env),
    listen: (gateway, onNews) => listenToGateway(net, gateway, onNews),
    tidyMemory: oldMemoryCollector(),
  }
}

export function keep(invocation: GatewayInvocation, options: KeepOptions, context: KeepContext): Reporting<number> {
  return new KeepSession(invocation, options, context).reports()
}

class KeepSession {
  readonly #invocation: GatewayInvocation
  readonly #options: KeepOptions
  readonly #context: KeepContext
  readonly #queue = new ReportQueue()
  readonly #say = (report: Report): void => this.#queue.add(report)
  /** IPv4 first, then what is kept over IPv6 beside it. */
  readonly #families: readonly KeptFamily[]
  readonly #program: OwnProgram
  readonly #hook: ChangeHook
  readonly #state: StateFile
  readonly #service: ServiceStatus
  /** Tells others what is open: each time all ports have to be gone through. */
  readonly #others: OncePer
  #stopHearing = (): void => {}
  #hookEnds: Promise<void> | undefined
  /** Set while it is not clear what became of every port. */
  #cancelWait: (() => void) | undefined
  /** It has not become clear in time. */
  #hasWaited = false
  #isStopping = false
  #isAddressTold = false
  #cancelEnd = (): void => {}

  constructor(invocation: GatewayInvocation, options: KeepOptions, context: KeepContext) {
    const { clock } = context
    const { beside } = invocation
    this.#invocation = invocation
    this.#options = options
    this.#context = context
    const invocations = [invocation, ...(beside !== undefined && mayOpenBeside(context) ? [beside] : [])]
    this.#families = invocations.map((each) => this.#keptFamily(each))
    const pauseMs = Math.max(...this.#families.map(({ keeper }) => keeper.pauseMs))
    this.#others = new OncePer(clock, pauseMs, () => this.#tellOthers())
    this.#hook = new ChangeHook({
      command: options.onChange,
      run: context.runHook,
      clock,
      onTrouble: (failure, willTryAgain) =>
        this.#say({ type: 'notice', kind: 'hook-failed', ...failure, willTryAgain }),
      onSuccess: (failures) => this.#say({ type: 'hook-succeeded', timeMs: clock.wallMs(), failures }),
    })
    this.#service = new ServiceStatus(context.notifyServiceManager, clock)
    this.#state = new StateFile({
      path: options.stateFile,
      clock,
      write: context.writeFile,
      onTrouble: (error, willTryAgain) =>
        this.#say({ type: 'notice', kind: 'state-not-written', error: reportedError(error), willTryAgain }),
    })
    this.#program = new OwnProgram({
      argv: options.program,
      requirePorts: options.require,
      timeoutMs: invocation.timeoutMs,
      clock,
      start: context.startProgram,
      say: this.#say,
      environment: () => environmentOf(this.#facts),
      onStart: () => this.#service.ready(),
      onTimeUp: () => this.#close(),
      timeUpStatus: () => this.#timeUpStatus,
      onEnd: () => this.#stop(),
    })
  }

  #keptFamily(invocation: GatewayInvocation): KeptFamily {
    const context = this.#context
    const keeper: PortKeeper = new PortKeeper({
      wanted: wantedBy(invocation),
      net: context,
      isOnlyRoute: context.onlyRoute !== undefined,
      checkMs: this.#options.checkMs,
      pinholeAddress: isForLastingAddress(invocation, context)
        ? (gateway) => lastingAddress(gateway, context)
        : undefined,
      search: (net, routerBefore) => openFor(invocation, { ...context, ...net, answerMs: ANSWER_MS }, routerBefore),
      onSearched: (opened) => this.#noteSearch(opened, family),
      onFound: (opened, gateway) => this.#present(opened, gateway, family),
      onEvent: (event, told) => this.#hear(event, told, family),
      onLeftOpen: (kept, reason) => this.#sayLeftOpen(kept, reason, family),
    })
    const common = { repetitions: new Repetitions(), renewals: new Renewals(), searched: undefined, isDoubtful: false }
    const moves = new PortMoves(sharingAmong(keeper.kept))
    const isBeside = invocation !== this.#invocation
    const family: KeptFamily = { ...common, invocation, keeper, moves, isBeside, isTold: false }
    return family
  }

  /** Of both families: those of IPv6 come last. */
  get #facts(): KeepFacts {
    return together(this.#families.map(({ keeper }) => keeper.ports.facts))
  }

  /** Returns the exit code. */
  async *reports(): Reporting<number> {
    this.#stopHearing = this.#context.onSignal(this.#program.signals, (signal) => this.#program.hear(signal))
    for (const advice of adviceAbout(this.#invocation)) this.#say(advice)
    this.#program.begin()
    this.#state.show(this.#facts)
    const { forMs } = this.#options
    if (forMs !== undefined) this.#endAfter(forMs)
    this.#keep().then(
      () => this.#queue.end(),
      (error: unknown) => this.#queue.fail(error),
    )
    try {
      for await (const report of this.#queue.read()) {
        yield report
        this.#context.tidyMemory?.()
      }
    } finally {
      this.#stop()
      this.#program.abandon() // the program has ended by now, unless something is broken
      for (const { keeper } of this.#families) keeper.close()
    }
    return this.#program.exitCode
  }

  /** A person was told a time of day. While this computer sleeps, the monotonic clock stands still. */
  #endAfter(leftMs: number): void {
    const { clock } = this.#context
    const [monotonicMs, wallMs] = [clock.monotonicMs(), clock.wallMs()]
    this.#cancelEnd = clock.schedule(Math.min(leftMs, LOOK_AT_CLOCK_MS), () => {
      const passedMs = Math.max(clock.monotonicMs() - monotonicMs, clock.wallMs() - wallMs)
      if (passedMs < leftMs) this.#endAfter(leftMs - passedMs)
      else this.#program.timeIsUp()
    })
  }

  async #keep(): Promise<void> {
    try {
      await Promise.all(this.#families.map(({ keeper }) => keeper.run()))
    } finally {
      this.#others.cancel()
      this.#state.end({ ...this.#facts, ports: [] })
    }
    await this.#hookEnds
    await this.#program.over
  }

  /** 0 is a promise: all that was asked for was open. IPv6 beside IPv4 was not asked for. */
  get #timeUpStatus(): number {
    const [asked] = this.#families
    if (asked?.keeper.ports.known.every((port) => port !== undefined) === true) return 0
    return asked?.isTold === true ? 2 : 1
  }

  #sayLeftOpen(kept: KeptEither, reason: 'was-open' | 'kept-by-another', { keeper }: KeptFamily): void {
    const timeMs = this.#context.clock.wallMs()
    this.#say({ type: 'left-open', timeMs, name: kept.name, port: keeper.ports.portOf(kept), reason })
  }

  /** Returns why no gateway was found, if so. */
  #noteSearch(opened: Opened, family: KeptFamily): string | undefined {
    family.isDoubtful = isDoubtful(opened)
    const last = [...findReports(opened, family.invocation)].at(-1)
    if (last?.type !== 'error') return undefined
    family.searched = last.searched
    return 'message' in last.error ? last.error.message : undefined
  }

  /** The first search that succeeds also reports the gateway, as upnpc does. */
  #present(opened: Opened, { localAddress }: Gateway, family: KeptFamily): void {
    if (family.isTold || family.isBeside) return
    family.isTold = true
    for (const report of findReports(opened, family.invocation)) this.#say(report)
    this.#say({ type: 'local-address', address: localAddress })
  }

  #hear(event: KeeperEvent<HeldEither>, told: KeeperEvent<HeldEither>, family: KeptFamily): void {
    const { keeper, renewals, repetitions, searched } = family
    const nowMs = this.#context.clock.wallMs()
    const changesNothing = renewals.changesNothing(event)
    // A look is not told, unless it shows something new.
    const isLook = event.type === 'renewed' && event.isForLook === true && changesNothing
    if (!isLook && !repetitions.isOne(event)) {
      const isPinhole = family.invocation.command.name === 'add-pinholes'
      for (const report of reportsOf(event, nowMs, (kept) => keeper.ports.portOf(kept), isPinhole))
        if (report.type === 'searching') this.#sayOf(family, { ...report, searched })
        else this.#sayOf(family, report.type === 'renewed' ? { ...report, changesNothing } : report)
    }
    for (const report of family.moves.hear(event, nowMs)) this.#say(report)
    if (told.type === 'mapped' && 'mapping' in told.held) this.#doubt(told.held.externalAddress)
    // Of such a renewal only the state file shows something: when the lease ends.
    if (!changesNothing || this.#state.isWanted) this.#others.tell()
  }

  /** Nobody has asked for IPv6 beside IPv4, so that it is not open there is told once, in one line. */
  #sayOf(family: KeptFamily, report: Report): void {
    const isDoubtful = report.type === 'mapped' && family.isDoubtful && report.reachable === true
    if (!family.isBeside) this.#say(isDoubtful ? { ...report, reachable: undefined } : report)
    else if (report.type === 'searching' || report.type === 'keep-failed' || report.type === 'gateway-lost') {
      if (family.isTold) return
      family.isTold = true
      const searched = report.type === 'searching' ? report.searched : undefined
      this.#say({ type: 'notice', kind: 'not-over-ipv6', error: report.error, searched, late: false })
    } else {
      family.isTold ||= report.type === 'pinhole-added'
      this.#say(report)
    }
  }

  /** Says once, as the command does without --keep, that the internet cannot come in at that address. */
  #doubt(address: string | undefined): void {
    if (this.#isAddressTold || (address !== undefined && isInternetAddress(address))) return
    this.#isAddressTold = true
    const why =
      address === undefined ? { kind: 'address-unknown' as const } : { kind: 'address-not-public' as const, address }
    this.#say({ type: 'notice', ...why })
  }

  #tellOthers(): void {
    const facts = this.#facts
    this.#state.show(facts)
    if (this.#isStopping) return
    this.#service.show(facts)
    this.#tellHook()
    if (this.#families[0]?.keeper.ports.areAllOpen !== true) return
    this.#service.ready()
    if (this.#program.isWaiting) this.#program.startWith(environmentOf(facts))
  }

  /**
   * Tells the hook once it is clear what became of every port. One port must not hold up the others, so that is waited
   * for until --timeout at most.
   */
  #tellHook(): void {
    if (!this.#hook.isWanted) return
    const isClear = this.#families.every(({ keeper, isBeside }) => {
      return keeper.ports.isClear || (isBeside && !keeper.ports.hasGateway)
    })
    const hasGateway = this.#families[0]?.keeper.ports.hasGateway === true
    const lastKnown = together(this.#families.map(({ keeper }) => keeper.ports.lastKnown))
    if (isClear || !hasGateway) {
      this.#stopWaiting()
    } else if (this.#cancelWait === undefined) {
      this.#cancelWait = this.#context.clock.schedule(this.#invocation.timeoutMs, () => {
        this.#hasWaited = true
        this.#tellHook()
      })
    }
    if ((isClear || this.#hasWaited) && opened(lastKnown).length > 0) this.#hook.change(environmentOf(lastKnown))
  }

  #stopWaiting(): void {
    this.#cancelWait?.()
    this.#cancelWait = undefined
    this.#hasWaited = false
  }

  /** After this, another signal ends the process at once. */
  #stop(): void {
    this.#stopHearing()
    this.#stopHearing = () => {}
    this.#close()
  }

  #close(): void {
    if (this.#isStopping) return
    this.#isStopping = true
    this.#stopWaiting()
    this.#cancelEnd()
    this.#service.stopping()
    this.#hookEnds = this.#hook.end()
    for (const { keeper } of this.#families) keeper.stop()
  }
}

/** What is kept over one family, and what has been told of it. */
interface KeptFamily {
  readonly invocation: GatewayInvocation
  readonly keeper: PortKeeper
  /** It is IPv6, which nobody has asked for. */
  readonly isBeside: boolean
  readonly repetitions: Repetitions
  readonly renewals: Renewals
  readonly moves: PortMoves
  /** What the last search tried, if it found nothing. */
  searched: SearchSummary | undefined
  /** What was found may not be what the internet comes in by. */
  isDoubtful: boolean
  /** Its gateway has been told of, or beside IPv4, what has become of it. */
  isTold: boolean
}

/** A pinhole translates nothing: outside a port has the address that it has inside, so that of IPv4 is told for all. */
function together(all: readonly KeepFacts[]): KeepFacts {
  return { externalAddress: all[0]?.externalAddress, ports: all.flatMap(({ ports }) => ports) }
}

function isForLastingAddress({ command }: GatewayInvocation, { onlyRoute }: KeepContext): boolean {
  const pinholes = command.name === 'add-pinholes' ? command.pinholes : []
  return onlyRoute === undefined && pinholes.some(({ internalClient }) => internalClient === 'stable')
}

function lastingAddress({ localAddress }: Gateway, { interfaces, temporaryAddresses = () => [] }: KeepContext): string {
  return stableAddress(localAddress, interfaces(), temporaryAddresses()) ?? splitZone(localAddress).address
}

/** The mappings and pinholes of the command line. */
export function wantedBy({ command, description }: GatewayInvocation): readonly WantedPort[] {
  if (command.name === 'add-pinholes') {
    return command.pinholes.map(({ remoteHostTyped: _, pairedWithPrevious: _pair, internalClient, ...pinhole }) => {
      return { kind: 'pinhole', pinhole: { ...pinhole, internalClient: otherThanLocal(internalClient) } }
    })
  }
  if (command.name !== 'map') return []
  return command.mappings.map(({ internalClient, pairedWithPrevious = false, ...mapping }) => {
    const any = command.any || mapping.externalPort === 0 || mapping.internalPort === 0
    const wanted = { ...mapping, description, internalClient: otherThanLocal(internalClient), any }
    return { kind: 'mapping', mapping: wanted, sharesPort: pairedWithPrevious }
  })
}

function otherThanLocal(internalClient: string): string | undefined {
  return internalClient === 'local' || internalClient === 'stable' ? undefined : internalClient
}

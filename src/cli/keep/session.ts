/**
 * --keep: turns what the keeper does into Reports. It also runs the user's program while the ports are open, runs the
 * hook after changes, writes the state file, and informs the service manager. It ends when a signal asks it to, or when
 * the program ends.
 */
import { isInternetAddress } from '../../domain/address.js'
import { NoGatewayError } from '../../domain/errors.js'
import type { Gateway } from '../../domain/gateway.js'
import type { MappingKey } from '../../domain/port-mapping.js'
import type { LeftBehind } from '../../domain/refusal-cause.js'
import { type GatewayNews, Keeper } from '../../keeper/keeper.js'
import type { KeeperEvent } from '../../keeper/kept.js'
import { KeptMapping } from '../../keeper/kept-mapping.js'
import { type HeldEither, type KeptEither, KeptPinhole } from '../../keeper/kept-pinhole.js'
import { KeptRouter } from '../../library/kept-router.js'
import { leftBehindAt } from '../../library/left-behind.js'
import { listenToGateway } from '../../library/listening.js'
import { OwnMarks } from '../../library/own-marks.js'
import { pinholeAddress } from '../../library/pinhole-address.js'
import { addressOf } from '../../library/router.js'
import { RunningKeeper } from '../../library/running-keepers.js'
import { GatewayFinder, type Opened } from '../../library/search-gateway.js'
import { notifyServiceManager, type RunningCommand, runInShell, startCommand } from '../../net/child-process.js'
import { forASecond, OncePer } from '../../net/clock.js'
import { writeFileAtomically } from '../../net/files/atomic-file.js'
import { listedFiles } from '../../net/files/listed-files.js'
import { nodeHttpServers } from '../../net/http/server.js'
import { InterfaceWatch } from '../../net/interfaces.js'
import { LastingSockets } from '../../net/lasting-sockets.js'
import type { RunContext } from '../context.js'
import { type Reporting, reportedError } from '../failure.js'
import type { GatewayInvocation } from '../parse/invocation.js'
import type { KeepOptions } from '../parse/option-values.js'
import type { Report, SearchSummary } from '../report.js'
import { findReports, openFor } from '../run/find.js'
import { adviceAbout } from '../run/run.js'
import type { OnSignal, Surroundings } from '../surroundings.js'
import { ChangeHook, type RunHook } from './change-hook.js'
import { keepYoungMemorySmall, oldMemoryCollector } from './memory.js'
import { environmentOf, type KeepFacts, KeptPorts, opened, sharingAmong } from './open-ports.js'
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
/** Between two times that others are told what is open. So what that takes does not grow with the square of the ports. */
const PAUSE_FOR_EACH_PORT_MS = 0.1

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
  readonly #context: KeepContext
  readonly #queue = new ReportQueue()
  readonly #say = (report: Report): void => this.#queue.add(report)
  readonly #sockets: LastingSockets
  /** What the gateway needs for each of thousands of ports. */
  readonly #net: Pick<RunContext, 'datagrams' | 'files' | 'hardwareAddress'>
  readonly #finder: GatewayFinder
  readonly #router = new KeptRouter()
  readonly #marks: OwnMarks
  readonly #running: RunningKeeper
  readonly #kept: readonly KeptEither[]
  readonly #ports: KeptPorts
  readonly #keeper: Keeper<HeldEither>
  readonly #program: OwnProgram
  readonly #hook: ChangeHook
  readonly #state: StateFile
  readonly #service: ServiceStatus
  readonly #repetitions = new Repetitions()
  readonly #renewals = new Renewals()
  readonly #moves: PortMoves
  /** Tells others what is open: each time all ports have to be gone through. */
  readonly #others: OncePer
  /** Could not be closed at the end: their marks stay, for the next keeper. */
  readonly #left = new Set<KeptEither>()
  #stopHearing = (): void => {}
  #hookEnds: Promise<void> | undefined
  /** Set while it is not clear what became of every port. */
  #cancelWait: (() => void) | undefined
  /** It has not become clear in time. */
  #hasWaited = false
  /** Open at the last device, and not known to be open or refused at the router to which the keeper has moved. */
  readonly #moving = new Set<KeptEither>()
  /** What the last search tried, if it found nothing. */
  #searched: SearchSummary | undefined
  #hasPresented = false
  #isStopping = false
  #isAddressTold = false
  /** Of the gateway that was found last. */
  #address = ''
  #localAddress = ''

  constructor(invocation: GatewayInvocation, options: KeepOptions, context: KeepContext) {
    const { clock, files } = context
    this.#invocation = invocation
    this.#context = context
    const { datagrams, hardwareAddress } = context
    this.#sockets = new LastingSockets(datagrams, clock)
    this.#net = {
      datagrams: this.#sockets,
      files: listedFiles(files, clock),
      hardwareAddress: hardwareAddress && forASecond(clock, hardwareAddress),
    }
    this.#finder = new GatewayFinder((signal) => this.#search(signal))
    this.#marks = new OwnMarks(files, clock)
    this.#running = new RunningKeeper(files, clock, crypto.randomUUID())
    this.#kept = keptOf(invocation, context, this.#marks, {
      isKeptElsewhere: (kept, key) => this.#isKeptElsewhere(kept, key),
      isKeptByAnother: (key) => this.#running.isKeptByAnother(this.#address, key),
      leftBehind: (gateway, key) => leftBehindAt(gateway, key, context),
    })
    this.#ports = new KeptPorts(this.#kept)
    this.#moves = new PortMoves(sharingAmong(this.#kept))
    const pauseMs = Math.floor(this.#kept.length * PAUSE_FOR_EACH_PORT_MS)
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
      environment: () => environmentOf(this.#ports.facts),
      onStart: () => this.#service.ready(),
      onEnd: () => this.#stop(),
    })
    this.#keeper = new Keeper<HeldEither>({
      clock,
      random: Math.random,
      kept: this.#kept,
      open: (signal) => this.#open(signal),
      better: (signal) => this.#router.better(this.#finder, (signal) => this.#lookFor(signal), signal),
      listen: context.listen,
      addresses: () => context.interfaces().map(({ address }) => address),
      onEvent: (event) => this.#hear(event),
      ...(options.checkMs === undefined ? {} : { checkMs: options.checkMs }),
    })
  }

  /** Returns the exit code. */
  async *reports(): Reporting<number> {
    this.#stopHearing = this.#context.onSignal(this.#program.signals, (signal) => this.#program.hear(signal))
    for (const advice of adviceAbout(this.#invocation)) this.#say(advice)
    this.#program.begin()
    this.#state.show(this.#ports.facts)
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
      this.#running.end()
      this.#finder.close()
      this.#sockets.close()
    }
    return this.#program.exitCode
  }

  async #keep(): Promise<void> {
    try {
      await this.#keeper.run()
      for (const kept of this.#kept) if (!this.#left.has(kept)) this.#marks.remove(kept)
      for (const kept of this.#ports.thatWereThere) this.#sayLeftOpen(kept, 'was-open')
    } finally {
      this.#others.cancel()
      this.#state.end({ ...this.#ports.facts, ports: [] })
    }
    await this.#hookEnds
  }

  /** The mark stays too: it is about the same mapping. */
  async #isKeptElsewhere(kept: KeptEither, key: MappingKey): Promise<boolean> {
    if (!(await this.#running.isOpenElsewhere(key))) return false
    if (!this.#isStopping) return true // at a device that is left for the router
    this.#left.add(kept)
    this.#sayLeftOpen(kept, 'kept-by-another')
    return true
  }

  #sayLeftOpen(kept: KeptEither, reason: 'was-open' | 'kept-by-another'): void {
    const timeMs = this.#context.clock.wallMs()
    this.#say({ type: 'left-open', timeMs, name: kept.name, port: this.#ports.portOf(kept), reason })
  }

  /** The first search that succeeds also reports the gateway, as upnpc does. @throws PortMappingError */
  async #search(signal: AbortSignal): Promise<Gateway> {
    const opened = await this.#lookFor(signal, this.#router.address)
    const reports = [...findReports(opened, this.#invocation)]
    const last = reports.at(-1)
    this.#searched = last?.type === 'error' ? last.searched : undefined
    if (opened.found === undefined) throw new NoGatewayError(whyNot(last))
    const { gateway } = opened.found
    this.#router.use(gateway, opened.remarks)
    if (this.#hasPresented) return gateway
    this.#hasPresented = true
    for (const report of [...reports, { type: 'local-address', address: gateway.localAddress } as const])
      this.#say(report)
    return gateway
  }

  #lookFor(signal: AbortSignal, routerBefore?: string): Promise<Opened> {
    signal.throwIfAborted()
    const context = { ...this.#context, ...this.#net, signal, answerMs: ANSWER_MS }
    return openFor(this.#invocation, context, routerBefore)
  }

  async #open(signal: AbortSignal): Promise<Gateway> {
    const gateway = await this.#finder.find(signal)
    this.#meet(gateway)
    return gateway
  }

  #meet(gateway: Gateway): void {
    this.#marks.meet(gateway)
    this.#address = addressOf(gateway)
    this.#localAddress = gateway.localAddress
  }

  #hear(told: KeeperEvent<HeldEither>): void {
    const nowMs = this.#context.clock.wallMs()
    if (told.type === 'moved') this.#move(told)
    const event = this.#asRenewal(told)
    const changesNothing = this.#renewals.changesNothing(event)
    // A look is not told, unless it shows something new.
    const isLook = event.type === 'renewed' && event.isForLook === true && changesNothing
    if (!isLook && !this.#repetitions.isOne(event)) {
      const isPinhole = this.#invocation.command.name === 'add-pinholes'
      for (const report of reportsOf(event, nowMs, (kept) => this.#ports.portOf(kept), isPinhole))
        if (report.type === 'searching') this.#say({ ...report, searched: this.#searched })
        else this.#say(report.type === 'renewed' ? { ...report, changesNothing } : report)
    }
    for (const report of this.#moves.hear(event, nowMs)) this.#say(report)
    if (told.type === 'mapped' && 'mapping' in told.held) this.#doubt(told.held.externalAddress)
    this.#ports.hear(event, nowMs)
    if ('held' in event) this.#marks.set(event.kept, event.held)
    if (event.type === 'removed') this.#marks.remove(event.kept)
    if (event.type === 'not-removed' && this.#isStopping) this.#left.add(event.kept)
    // Of such a renewal only the state file shows something: when the lease ends.
    if (!changesNothing || this.#state.isWanted) this.#others.tell()
  }

  /** From now on the ports are kept at the router, and not at the device that was used in its place. */
  #move({ gateway, closed }: Extract<KeeperEvent<HeldEither>, { type: 'moved' }>): void {
    const { ports } = this.#ports.facts
    for (const [at, kept] of this.#kept.entries()) if (ports[at] !== undefined) this.#moving.add(kept)
    for (const kept of closed) this.#marks.remove(kept)
    this.#finder.settleOn(gateway)
    this.#router.use(gateway)
    this.#meet(gateway)
  }

  /** One line has told of the move, so what is open at the router as it was before is no news. */
  #asRenewal(event: KeeperEvent<HeldEither>): KeeperEvent<HeldEither> {
    if (event.type === 'gateway-lost') this.#moving.clear()
    if (event.type === 'failed') this.#moving.delete(event.kept)
    if (event.type !== 'mapped' || !this.#moving.delete(event.kept)) return event
    return { type: 'renewed', kept: event.kept, held: event.held }
  }

  /** A port that is lost is still held: it is opened again. */
  #holdMappings({ ports }: KeepFacts): void {
    const { command } = this.#invocation
    if (command.name !== 'map') return
    const { known } = this.#ports
    const held = command.mappings.flatMap(({ protocol, remoteHost }, at) => {
      const [port, isOpen] = [known[at], ports[at] !== undefined]
      return port === undefined ? [] : [{ externalPort: port.externalPort, protocol, remoteHost, isOpen }]
    })
    if (held.length > 0) this.#running.hold(this.#address, held, this.#localAddress)
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
    const { facts, areAllOpen } = this.#ports
    this.#state.show(facts)
    if (this.#isStopping) return
    this.#holdMappings(facts)
    this.#service.show(facts)
    this.#tellHook()
    if (!areAllOpen) return
    this.#service.ready()
    if (this.#program.isWaiting) this.#program.startWith(environmentOf(facts))
  }

  /**
   * Tells the hook once it is clear what became of every port. One port must not hold up the others, so that is waited
   * for until --timeout at most.
   */
  #tellHook(): void {
    if (!this.#hook.isWanted) return
    const { isClear, hasGateway, lastKnown } = this.#ports
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
    if (this.#isStopping) return
    this.#isStopping = true
    this.#stopHearing()
    this.#stopWaiting()
    this.#running.end() // before anything is closed: from now on other keepers do not leave a port to this one
    this.#service.stopping()
    this.#hookEnds = this.#hook.end()
    this.#keeper.stop()
  }
}

/** The last report says why no gateway was found. */
function whyNot(report: Report | undefined): string {
  return report?.type === 'error' && 'message' in report.error ? report.error.message : 'no gateway was found'
}

/** What other keepers of this user do, and earlier runs have done. */
interface OtherRuns {
  readonly isKeptElsewhere: (kept: KeptEither, key: MappingKey) => Promise<boolean>
  readonly isKeptByAnother: (key: MappingKey) => Promise<boolean>
  readonly leftBehind: (gateway: Gateway, key: MappingKey) => Promise<LeftBehind | undefined>
}

const NO_OTHERS: OtherRuns = {
  isKeptElsewhere: async () => false,
  isKeptByAnother: async () => false,
  leftBehind: async () => undefined,
}

/** The mappings and pinholes of the command line, as the keeper takes them. */
export function keptOf(
  { command, description }: GatewayInvocation,
  { interfaces, onlyRoute }: Pick<RunContext, 'interfaces' | 'onlyRoute'>,
  marks: Pick<OwnMarks, 'has'>,
  others: OtherRuns = NO_OTHERS,
): readonly KeptEither[] {
  if (command.name === 'add-pinholes') {
    return command.pinholes.map(({ remoteHostTyped: _, internalClient, ...pinhole }) => {
      const isLocal = internalClient === 'local'
      return new KeptPinhole({ ...pinhole, internalClient: isLocal ? undefined : internalClient }, ({ localAddress }) =>
        pinholeAddress(localAddress, onlyRoute === undefined ? interfaces() : []),
      )
    })
  }
  if (command.name !== 'map') return []
  let previous: KeptMapping | undefined
  return command.mappings.map(({ internalClient, pairedWithPrevious, ...mapping }) => {
    const samePortAs = pairedWithPrevious === true ? previous : undefined
    const kept: KeptMapping = new KeptMapping({
      ...mapping,
      description,
      internalClient: internalClient === 'local' ? undefined : internalClient,
      any: command.any || mapping.externalPort === 0 || mapping.internalPort === 0,
      samePortAs,
      isOwn: (key, description) => marks.has(key, description),
      isKeptElsewhere: (key) => others.isKeptElsewhere(kept, key),
      isKeptByAnother: others.isKeptByAnother,
      leftBehind: others.leftBehind,
    })
    previous = kept
    return kept
  })
}

/** The program: parses the command line, gives the command a network, prints what it reports, returns the exit code. */
import { NoReplyError } from '../domain/errors.js'
import { onIgnored } from '../domain/ignored.js'
import { PORT_CONTROL_PORT, SSDP_PORT } from '../domain/ports.js'
import { rehearse } from '../library/search-gateway.js'
import { deadlineAfter } from '../net/clock.js'
import type { RunContext } from './context.js'
import { reportedError } from './failure.js'
import { isForVerb } from './parse/help-words.js'
import { type EmulateInvocation, type GatewayInvocation, parseInvocation } from './parse/invocation.js'
import type { KeepOptions } from './parse/option-values.js'
import { type Output, outputOf } from './parse/output-options.js'
import type { ServiceInvocation } from './parse/service-words.js'
import { UsageError } from './parse/words.js'
import { Printer, type Streams } from './print/printer.js'
import { SignOfLife } from './print/sign-of-life.js'
import { BANNER, VERSION_TEXT } from './print/usage.js'
import { upnpcVoice, type Voice } from './print/voice.js'
import type { ExitCode, Report } from './report.js'
import { withNonce } from './run/given-nonce.js'
import { mayOpenBeside, run } from './run/run.js'
import { END_SIGNALS, ofProcess, type Surroundings } from './surroundings.js'

interface Beginning {
  readonly banner?: string
  readonly streams?: Streams
  readonly voice?: Voice
}

/** The first call opens the streams and prints the banner. It comes late, because opening Node's streams takes 3 ms. */
type Begin = (beginning?: Beginning) => Promise<Printer>

export async function main(argv: readonly string[], surroundings: Surroundings = ofProcess()): Promise<number> {
  const output = outputOf(argv)
  let printer: Promise<Printer> | undefined
  let usual: Beginning = isForVerb(argv) ? { banner: '' } : {} // a pipe puts what `service` prints into a file
  const begin: Begin = (beginning) => {
    const { banner = BANNER, streams = surroundings, voice } = { ...usual, ...beginning }
    printer ??= makePrinter(output, streams, banner, voice)
    return printer
  }
  const speakAs = (voice: Voice): void => {
    usual = { banner: '', voice }
  }
  const { clock } = surroundings
  const stopListening = output.verbose
    ? onIgnored(async (ignored) => (await begin()).ignored(ignored, clock.wallMs()))
    : undefined
  try {
    const shown = output.verbose ? await traced(surroundings, begin) : surroundings
    const exitCode = await obey(argv, begin, speakAs, shown)
    ;(await printer)?.finish(exitCode)
    if (exitCode !== 0) (await printer)?.complain()
    await new Promise((resolve) => setImmediate(resolve)) // Node reports a failed write later
    const isOutputLost = (await printer)?.tellFailure() === true
    return exitCode === 0 && isOutputLost ? 2 : exitCode
  } catch (error) {
    const usage = error instanceof UsageError && error.usageOf !== undefined ? { usageOf: error.usageOf } : {}
    const complaining = await begin(error instanceof UsageError ? { voice: await fittingVoice(output) } : {})
    complaining.report({ type: 'error', error: reportedError(error), ...usage })
    complaining.complain()
    return 1
  } finally {
    stopListening?.()
    ;(await printer)?.tellIgnored()
    await (await printer)?.end()
  }
}

/** What is wrong with a command line is told in lines that fit, for letters too. */
async function fittingVoice({ compat }: Output): Promise<Voice> {
  const { fitted } = await import('./print/fit.js')
  return { ...upnpcVoice(compat), fit: fitted }
}

async function makePrinter(
  output: Output,
  streams: Streams,
  banner: string,
  voice: Voice | undefined,
): Promise<Printer> {
  const printer = new Printer(output, streams, voice)
  await printer.prepare()
  if (banner !== '') printer.text(banner)
  return printer
}

async function obey(
  argv: readonly string[],
  begin: Begin,
  speakAs: (voice: Voice) => void,
  surroundings: Surroundings,
): Promise<number> {
  const invocation = parseInvocation(argv)
  switch (invocation.kind) {
    case 'version':
      await begin({ banner: '' })
      surroundings.stdout.write(VERSION_TEXT)
      return 0
    case 'help':
    case 'completion': {
      const { explanation } = await import('./print/help/explanation.js')
      const text = explanation(invocation, outputOf(argv), surroundings.stdout.columns)
      await begin({ banner: '' })
      surroundings.stdout.write(text)
      return 0
    }
    case 'emulate':
      return emulate(invocation, begin, surroundings)
    case 'service':
      await begin()
      return printService(invocation, surroundings)
    case 'gateway': {
      const whole = await withNonce(invocation, surroundings.stdin)
      if (whole.voice === 'plain') speakAs(await plainly(whole, argv, surroundings))
      if (!whole.emulate) return command(whole, begin, surroundings)
      const { onEmulatedGateway } = await import('./emulated.js')
      return onEmulatedGateway(whole, surroundings, (alone, emulated) => command(alone, begin, emulated))
    }
  }
}

/** Verbs answer in plain words, without the banner. */
async function plainly(
  invocation: GatewayInvocation,
  argv: readonly string[],
  { clock, stdout, env, interfaces }: Surroundings,
): Promise<Voice> {
  const { plainVoice } = await import('./print/plain/plain-voice.js')
  const hasQr = invocation.handOver?.hasQr === true
  const { qrCode, canvasOf } = hasQr ? await import('./print/plain/open/qr-code.js') : {}
  const drawQr = qrCode && canvasOf && ((text: string) => qrCode(text, canvasOf(stdout, env)))
  const opensBeside = invocation.beside !== undefined && !invocation.emulate && mayOpenBeside({ interfaces })
  const nowMs = (): number => clock.wallMs()
  return plainVoice({ invocation, argv, nowMs, columns: () => stdout.columns, opensBeside, drawQr })
}

/** --verbose: the same surroundings, but every message that passes prints a line. */
async function traced(surroundings: Surroundings, begin: Begin): Promise<Surroundings> {
  const { tracedNet } = await import('../library/trace.js')
  return tracedNet(surroundings, async (message) => (await begin()).trace(message))
}

async function command(invocation: GatewayInvocation, begin: Begin, surroundings: Surroundings): Promise<number> {
  if (invocation.keep !== undefined) return keepOpen(invocation, invocation.keep, begin, surroundings)
  if (invocation.command.name === 'watch') return watch(invocation, begin, surroundings)
  const { clock, datagrams, http, interfaces, defaultGateways, hardwareAddress, files } = surroundings
  const { computerName, temporaryAddresses, onlyRoute, onlyEndpoint, listeners } = surroundings
  const seconds = invocation.timeoutMs / 1000
  const outOfTime = (): Error =>
    new NoReplyError(`gave up after ${seconds} s; --timeout MS gives the command more time`)
  const deadline = deadlineAfter(clock, invocation.timeoutMs, outOfTime)
  const { via } = invocation.portControl
  const searchesForIgd = invocation.url === undefined && (via === 'auto' || via === 'igd') // has time for a rehearsal
  const onIdle = (): void => void Promise.allSettled([begin(), searchesForIgd && rehearse(clock)])
  const { raise, onSignal } = surroundings
  // What a verb has opened, it tells at the end: so a signal may not end it in silence.
  const tellsAtEnd = invocation.voice === 'plain' && invocation.facts.changes && raise !== undefined
  const sign = signOf(invocation, begin, tellsAtEnd ? { ...surroundings, raise: undefined } : surroundings)
  let telling: Printer | undefined
  const stopHearing = onSignal(tellsAtEnd ? END_SIGNALS : [], (name) => {
    stopHearing()
    if (name === 'SIGINT' && !sign.isShown) telling?.leaveLine() // a sign of life goes with the line that it is on
    sign.end()
    telling?.interrupted()
    raise?.(name)
  })
  let gatewayFound = false
  try {
    const { signal } = deadline
    const computer = { interfaces, defaultGateways, hardwareAddress, computerName, temporaryAddresses, files }
    const agrees = invocation.command.name === 'close-mine' ? await agreement(await begin(), surroundings) : undefined
    const net = { clock, datagrams, http, ...computer, onlyRoute, onlyEndpoint, listeners, agrees }
    const reports = run(invocation, { ...net, signal, answerMs: invocation.timeoutMs, onIdle })
    for (;;) {
      const next = await reports.next()
      const printer = await begin()
      telling = printer
      if (next.done === true) return next.value
      if (next.value.type === 'asked') sign.end()
      else sign.hear(next.value)
      printer.report(next.value)
      gatewayFound ||= next.value.type === 'local-address'
      // A change is completed even if nobody reads about it.
      if (printer.readerIsGone && !invocation.facts.changes) return 0
    }
  } catch (error) {
    if (!deadline.signal.aborted && !gatewayFound) throw error
    const report = { type: 'error', error: reportedError(deadline.signal.reason ?? error) } as const
    ;(await begin()).report(report)
    return gatewayFound ? 2 : 1
  } finally {
    sign.end()
    stopHearing()
    deadline.abort(new NoReplyError('the command is over'))
    deadline.dispose()
  }
}

/** --keep: runs in the foreground until a signal or the user's program ends it. The program has stdout for itself. */
async function keepOpen(
  invocation: GatewayInvocation,
  options: KeepOptions,
  begin: Begin,
  surroundings: Surroundings,
): Promise<number> {
  const { clock, env, patientStreams } = surroundings
  const streams = (await patientStreams?.((count) => printer.droppedLine(clock.wallMs(), count))) ?? surroundings
  const hasProgram = options.program.length > 0
  const printer = await begin({ streams: { ...streams, stdout: hasProgram ? streams.stderr : streams.stdout, env } })
  const { keep, keepSurroundings } = await import('./keep/session.js')
  const sign = signOf(invocation, begin, surroundings)
  const isAlone = !hasProgram && invocation.voice === 'plain'
  const onSignal = leavingLine(surroundings, printer, () => isAlone && !sign.isShown)
  const reports = keep(invocation, options, keepSurroundings({ ...surroundings, ...streams, onSignal }))
  try {
    for (;;) {
      const next = await reports.next()
      if (next.done === true) return next.value
      sign.hear(next.value)
      printer.report(next.value)
      printer.complain() // now, because --keep may run for months
    }
  } finally {
    sign.end()
  }
}

/** Asks the person at the terminal. Undefined if there is none. */
async function agreement(printer: Printer, { stdin }: Surroundings): Promise<RunContext['agrees']> {
  const keyboard = printer.hasScreen ? stdin?.() : undefined
  if (keyboard?.isTTY !== true) return undefined
  const { answerFrom } = await import('./run/answer.js')
  return (signal) => answerFrom(keyboard, signal)
}

/** Until it has found a router, there is a sign of life. */
async function watch(invocation: GatewayInvocation, begin: Begin, surroundings: Surroundings): Promise<number> {
  const { watching } = await import('./watching.js')
  const sign = signOf(invocation, begin, { ...surroundings, raise: undefined })
  const printer = await begin()
  let hasRouter = false
  const onReport = (report: Report): void => {
    hasRouter ||= report.type === 'router'
    if (hasRouter) sign.end()
    else sign.hear(report)
  }
  const onSignal = leavingLine(surroundings, printer, () => !sign.isShown && !(hasRouter && printer.hasScreen))
  try {
    return await watching(invocation, printer, { ...surroundings, onSignal }, onReport)
  } finally {
    sign.end()
  }
}

/** Ctrl-C leaves `^C` where the cursor is: what comes next begins a line of its own. */
function leavingLine({ onSignal }: Surroundings, printer: Printer, mayLeave: () => boolean): Surroundings['onSignal'] {
  return (names, listener) =>
    onSignal(names, (name) => {
      if (name === 'SIGINT' && mayLeave()) printer.leaveLine()
      listener(name)
    })
}

/** With --keep, whoever keeps the ports obeys signals; otherwise a signal ends the process, as if nobody had heard it. */
function signOf(invocation: GatewayInvocation, begin: Begin, surroundings: Surroundings): SignOfLife {
  const { clock, interfaces, stderr, onSignal, raise } = surroundings
  return new SignOfLife({
    clock,
    invocation,
    interfaces: () => interfaces().flatMap(({ loopback, name }) => (loopback ? [] : [name])),
    open: async (sign) => (await begin()).placeFor(sign),
    columns: () => stderr.columns,
    onEnd: (listener) =>
      onSignal(END_SIGNALS, (name) => {
        listener()
        if (invocation.keep === undefined) raise?.(name)
      }),
  })
}

/** `upnp-ts emulate`: a gateway in the foreground, for other programs to use. */
async function emulate(invocation: EmulateInvocation, begin: Begin, surroundings: Surroundings): Promise<ExitCode> {
  const { address, port, externalAddress, quirks } = invocation
  const interrupted = firstSignal(surroundings)
  const printer = await begin({ banner: '' }) // the first line is the URL
  const { startEmulator } = await import('../emulator.js')
  const ports = { httpPort: port, ssdpPort: SSDP_PORT, portControlPort: PORT_CONTROL_PORT }
  const emulator = await startEmulator({ address, ...ports, externalAddress, quirks })
  const { descriptionUrl, ssdpError, portControl } = emulator
  const searchError = ssdpError && reportedError(ssdpError)
  const portControlError = emulator.portControlError && reportedError(emulator.portControlError)
  printer.report({ type: 'emulator', descriptionUrl, address, searchError, portControl, portControlError })
  await interrupted
  await emulator.close()
  return 0
}

/** `upnp-ts service`: the file is all of stdout, so that a pipe can put it in its place. */
async function printService(invocation: ServiceInvocation, { stdout, stderr }: Surroundings): Promise<ExitCode> {
  const { closedToOthers, installedProgram } = await import('../net/files/installed-program.js')
  const { serviceHints, serviceText } = await import('./print/service/service.js')
  const plan = { invocation, installed: installedProgram() }
  stdout.write(serviceText(plan))
  for (const hint of serviceHints(plan, closedToOthers, process.platform)) stderr.write(hint)
  return 0
}

/** Waits for the first signal. A second signal ends the process at once. */
function firstSignal({ onSignal }: Surroundings): Promise<void> {
  return new Promise((resolve) => {
    const stop = onSignal(END_SIGNALS, () => {
      stop()
      resolve()
    })
  })
}

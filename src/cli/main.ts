/** The composition root: parses the command line, puts the network under the command, prints, returns the exit code. */
import { NoReplyError } from '../domain/errors.js'
import { VERSION } from '../domain/version.js'
import { deadlineAfter } from '../net/clock.js'
import { preloadHttpClient } from '../net/http-client.js'
import { ipv4Interfaces } from '../net/interfaces.js'
import { type ClientNet, nodeNet } from '../net/network.js'
import { defaultGateways } from '../net/routes.js'
import { reportedError } from './failure.js'
import { type EmulateInvocation, type GatewayInvocation, outputOf, parseInvocation } from './invocation.js'
import { Printer, type Streams } from './printer.js'
import type { ExitCode } from './report.js'
import type { RunContext } from './run.js'
import { BANNER, USAGE } from './usage.js'
import { UsageError } from './words.js'

/** What the command line runs in: the process, or a test. */
export interface Surroundings extends Streams, ClientNet, Pick<RunContext, 'interfaces' | 'defaultGateways'> {
  /** Resolves when the user wants a foreground command to end. */
  readonly interrupted: () => Promise<void>
}

export async function main(argv: readonly string[], surroundings: Surroundings = ofProcess()): Promise<ExitCode> {
  const printer = new Printer(outputOf(argv), surroundings)
  await printer.prepare()
  try {
    return await obey(argv, printer, surroundings)
  } catch (error) {
    const isUsage = error instanceof UsageError
    if (isUsage) printer.text(BANNER)
    const usage = isUsage && error.withUsage ? ({ withUsage: true } as const) : {}
    printer.report({ type: 'error', error: reportedError(error), ...usage })
    return 1
  }
}

async function obey(argv: readonly string[], printer: Printer, surroundings: Surroundings): Promise<ExitCode> {
  const invocation = parseInvocation(argv)
  switch (invocation.kind) {
    case 'version':
      surroundings.stdout.write(`${VERSION}\n`)
      return 0
    case 'help':
      surroundings.stdout.write(BANNER + USAGE)
      return 0
    case 'emulate':
      return emulate(invocation, printer, surroundings)
    case 'gateway':
      printer.text(BANNER)
      return invocation.emulate
        ? onEmulatedGateway(invocation, printer, surroundings)
        : command(invocation, printer, surroundings)
  }
}

async function command(
  invocation: GatewayInvocation,
  printer: Printer,
  surroundings: Surroundings & Pick<RunContext, 'onlyRoute'>,
): Promise<ExitCode> {
  const { clock } = surroundings
  const seconds = invocation.timeoutMs / 1000
  const outOfTime = (): Error =>
    new NoReplyError(`gave up after ${seconds} s; --timeout MS gives the command more time`)
  const deadline = deadlineAfter(clock, invocation.timeoutMs, outOfTime)
  let gatewayFound = false
  // undici loads while the router thinks about the search; a failure would show again, with a reason, at the first request.
  clock.schedule(0, () => void preloadHttpClient().catch(() => {}))
  try {
    const { run } = await import('./run.js') // not for help and usage: it brings the XML parser
    const reports = run(invocation, { ...surroundings, signal: deadline.signal })
    for (;;) {
      const next = await reports.next()
      if (next.done === true) return next.value
      printer.report(next.value)
      gatewayFound ||= next.value.type === 'local-address'
      if (printer.readerIsGone && onlyReads(invocation)) return 0
    }
  } catch (error) {
    if (!deadline.signal.aborted) throw error
    printer.report({ type: 'error', error: reportedError(deadline.signal.reason) })
    return gatewayFound ? 2 : 1
  } finally {
    deadline.abort(new NoReplyError('the command is over'))
    deadline.dispose()
  }
}

/** Nothing is lost by stopping such a command when nobody reads what it says; a mapping is made all the same. */
function onlyReads({ command: { name } }: GatewayInvocation): boolean {
  return name === 'list' || name === 'status' || name === 'presentation'
}

/** --emulate: the command finds a gateway of its own by the same search, on loopback and nowhere else. */
async function onEmulatedGateway(
  invocation: GatewayInvocation,
  printer: Printer,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { startEmulator } = await import('../emulator/index.js')
  const emulator = await startEmulator({})
  try {
    const unicastTo = emulator.ssdp === undefined ? [] : [emulator.ssdp]
    const onlyRoute = { address: '127.0.0.1', netmask: '255.0.0.0', multicast: false, unicastTo }
    return await command(invocation, printer, { ...surroundings, onlyRoute })
  } finally {
    await emulator.close()
  }
}

/** `upnp-ts emulate`: a gateway in the foreground, for other programs to use. */
async function emulate(invocation: EmulateInvocation, printer: Printer, surroundings: Surroundings): Promise<ExitCode> {
  const { address, port: httpPort, externalAddress } = invocation
  const { startEmulator } = await import('../emulator/index.js')
  const interrupted = surroundings.interrupted()
  const emulator = await startEmulator({ address, httpPort, ssdpPort: 1900, externalAddress })
  const search =
    emulator.ssdpError === undefined
      ? `It answers searches on ${address}; stop it with Ctrl-C.`
      : `It does not answer searches (${emulator.ssdpError.message}): name it with -u. Stop it with Ctrl-C.`
  printer.report({ type: 'emulator', descriptionUrl: emulator.descriptionUrl, search })
  await interrupted
  await emulator.close()
  return 0
}

function ofProcess(): Surroundings {
  const { stdout, stderr, env } = process
  return {
    ...nodeNet(),
    interfaces: ipv4Interfaces,
    defaultGateways,
    stdout,
    stderr,
    env,
    interrupted: interruptedBySignal,
  }
}

function interruptedBySignal(): Promise<void> {
  return new Promise((resolve) => {
    // A second signal finds no listener any more and ends the process at once.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
}

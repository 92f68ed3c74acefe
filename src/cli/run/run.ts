/**
 * A GatewayInvocation -> Reports, in the order in which upnpc prints, and the exit code. It finds a gateway, reports
 * which one, and hands over to the function that RUNS names. It knows nothing about SOAP, PCP or any other message.
 */
import { isGlobalIPv6, isInternetAddress } from '../../domain/address.js'
import type { Chosen, ChosenPortControl, RunContext } from '../context.js'
import { type Reporting, reportedError } from '../failure.js'
import type { AnyCommand, GatewayCommand } from '../parse/command-table.js'
import type { GatewayInvocation } from '../parse/invocation.js'
import type { ExitCode, Report } from '../report.js'
import { close, closePinholes, hasPinholeToClose } from './close.js'
import { closeMine, closeMyPinholes, hasPinholeOfMine } from './close-mine.js'
import { find } from './find.js'
import {
  listAtOnce,
  listMappings,
  listRemembered,
  reportOverview,
  reportPortControlOverview,
  reportPortControlStatus,
  reportStatus,
} from './list-and-status.js'
import { map, unmap, unmapRanges } from './map.js'
import {
  addPinholes,
  checkPinholes,
  deletePinholes,
  reportFirewall,
  reportOutboundTimeouts,
  reportPinholePackets,
  updatePinhole,
} from './pinholes.js'

/** With --print endpoint, a port that the internet cannot reach is a failure: there is nothing to print. */
export async function* run(invocation: GatewayInvocation, context: RunContext): Reporting<ExitCode> {
  if (invocation.handOver?.endpointOnly !== true) return yield* runAll(invocation, context)
  let isReachable = false
  const reports = runAll(invocation, context)
  for (;;) {
    const next = await reports.next()
    if (next.done === true) return next.value === 0 && !isReachable ? 2 : next.value
    isReachable ||= hasEndpoint(next.value)
    yield next.value
  }
}

function hasEndpoint(report: Report): boolean {
  if (report.type === 'mapped') return report.isOtherwise !== true && isInternetAddress(report.externalAddress)
  return report.type === 'pinhole-added' && report.ok && isInternetAddress(report.asked.internalClient)
}

async function* runAll(invocation: GatewayInvocation, context: RunContext): Reporting<ExitCode> {
  const { beside } = invocation
  if (beside === undefined) return yield* runOne(invocation, context)
  if (beside.command.name === 'add-pinholes') {
    if (!mayOpenBeside(context)) return yield* runOne(invocation, context)
    const { runBeside } = await import('./beside.js')
    return yield* runBeside(
      context,
      (one) => runOne(invocation, one),
      (other) => runOne(beside, other),
    )
  }
  const exitCode = yield* runOne(invocation, context)
  const isMine = beside.command.name === 'close-my-pinholes'
  if (isMine && exitCode === 1) return exitCode // nobody has agreed
  if (!(await isWorthAsking(beside, context))) return exitCode
  const besideCode = yield* runOne(beside, context)
  return exitCode === 0 && besideCode !== 0 ? 2 : exitCode
}

/** Whether the internet can reach this computer over IPv6. An emulated gateway is asked for what was asked for. */
export function mayOpenBeside({ interfaces, onlyRoute }: Pick<RunContext, 'interfaces' | 'onlyRoute'>): boolean {
  return onlyRoute === undefined && interfaces().some(({ address }) => isGlobalIPv6(address))
}

/** Whether the same can be done over IPv6: the search for a router takes its time. */
async function isWorthAsking({ command }: GatewayInvocation, context: RunContext): Promise<boolean> {
  if (command.name === 'close-pinholes') return hasPinholeToClose(command, context)
  if (command.name === 'close-my-pinholes') return hasPinholeOfMine(command, context)
  return context.interfaces().some(({ address }) => isGlobalIPv6(address))
}

async function* runOne(invocation: GatewayInvocation, context: RunContext): Reporting<ExitCode> {
  yield* adviceAbout(invocation)
  const chosen = yield* find(invocation, context)
  if (chosen === undefined) return 1
  yield { type: 'local-address', address: chosen.gateway.localAddress }
  if (chosen.protocol === 'igd') {
    const { command, description } = invocation
    return yield* waysOf(RUNS, command).igd(chosen, context, command, description)
  }
  return yield* runOverPortControl(invocation, chosen, context)
}

/** Before the search: pinholes are IPv6's, and ports IPv4's. PCP always uses IPv6 for pinholes. */
export function* adviceAbout({ command, facts, search: { family }, portControl }: GatewayInvocation) {
  const { via, nonce, nonceFrom } = portControl
  if (family === 4 && via !== 'pcp' && facts.family === 6) yield { type: 'pinhole-advice' } as const
  if (family === 6 && command.name === 'map') yield { type: 'notice', kind: 'ports-over-ipv4' } as const
  if (nonce !== undefined && nonceFrom === undefined) yield { type: 'notice', kind: 'nonce-in-sight' } as const
}

type Run<Command, Gateway> = (
  chosen: Gateway,
  context: RunContext,
  command: Command,
  description: string,
) => Reporting<ExitCode>

/** The functions that do a command: over UPnP, and over PCP and NAT-PMP if these can do it. */
interface Ways<Command> {
  readonly igd: Run<Command, Chosen>
  readonly portControl?: Run<Command, ChosenPortControl>
}

/** The functions of each command, by its name. */
export type Runs<Commands> = { readonly [Name in keyof Commands]: Ways<Commands[Name]> }

type ByName<C extends AnyCommand> = { [Each in C as Each['name']]: Each }

export const RUNS: Runs<ByName<GatewayCommand>> = {
  search: { igd: nothingMore },
  close: { igd: close, portControl: close },
  'close-mine': { igd: closeMine, portControl: closeMine },
  'close-my-pinholes': { igd: closeMyPinholes, portControl: closeMyPinholes },
  'close-pinholes': { igd: closePinholes, portControl: closePinholes },
  list: { igd: listMappings, portControl: listRemembered },
  'list-at-once': { igd: listAtOnce },
  watch: { igd: nothingMore }, // it does not end by itself: run/watch.ts
  overview: { igd: reportOverview, portControl: reportPortControlOverview },
  status: { igd: reportStatus, portControl: reportPortControlStatus },
  presentation: { igd: presentation },
  map: { igd: map, portControl: map },
  unmap: { igd: unmap, portControl: unmap },
  'unmap-ranges': { igd: unmapRanges },
  'firewall-status': { igd: reportFirewall },
  'add-pinholes': { igd: addPinholes, portControl: addPinholes },
  'update-pinhole': { igd: updatePinhole, portControl: updatePinhole },
  'check-pinholes': { igd: checkPinholes },
  'pinhole-packets': { igd: reportPinholePackets },
  'delete-pinholes': { igd: deletePinholes, portControl: deletePinholes },
  'outbound-timeout': { igd: reportOutboundTimeouts },
}

/** The functions of this command in a table. */
export function waysOf<Commands, Name extends keyof Commands>(
  runs: Runs<Commands>,
  command: Commands[Name] & { readonly name: Name },
): Ways<Commands[Name]> {
  return runs[command.name]
}

/** Runs a command on a gateway that speaks PCP or NAT-PMP. Commands that only an IGD can do do not get here. */
export async function* runOverPortControl(
  { command, description }: GatewayInvocation,
  chosen: ChosenPortControl,
  context: RunContext,
): Reporting<ExitCode> {
  const { portControl = nothingMore } = waysOf(RUNS, command)
  const exitCode = yield* portControl(chosen, context, command, description)
  yield* troublesOf(chosen)
  return exitCode
}

/** --discovery-time alone: the search has reported everything. */
async function* nothingMore(): Reporting<ExitCode> {
  yield* []
  return 0
}

async function* presentation({ gateway }: Chosen): Reporting<ExitCode> {
  yield { type: 'presentation-url', url: gateway.presentationUrl }
  if (gateway.presentationUrl !== '') return 0
  yield { type: 'notice', kind: 'no-presentation-url' }
  return 2
}

/** What went wrong without stopping the command. It is reported once, at the end. */
export function* troublesOf({ troubles }: ChosenPortControl): Generator<Report> {
  for (const error of troubles) yield { type: 'notice', kind: 'nonce-key-not-kept', error: reportedError(error) }
}

/** Runs a command on the chosen gateway. One table says which function runs which command. */

import { NO_FIREWALL } from '../../domain/gateway.js'
import type { Chosen, ChosenGateway, ChosenPortControl, RunContext } from '../context.js'
import { reportedError } from '../failure.js'
import type { AnyCommand, GatewayCommand } from '../parse/command-table.js'
import type { GatewayInvocation } from '../parse/invocation.js'
import type { ExitCode, Report } from '../report.js'
import { listAtOnce, listMappings, reportPortControlStatus, reportStatus } from './list-and-status.js'
import { map } from './map.js'
import {
  addPinholes,
  checkPinholes,
  deletePinholes,
  type PinholesOf,
  reportFirewall,
  reportOutboundTimeouts,
  reportPinholePackets,
  updatePinhole,
} from './pinholes.js'
import { unmap, unmapRanges } from './unmap.js'

type Running = AsyncGenerator<Report, ExitCode>

type Run<Command, Gateway> = (command: Command, chosen: Gateway, context: RunContext, description: string) => Running

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
  list: { igd: (_, chosen, context) => listMappings(chosen, context) },
  'list-at-once': { igd: (_, chosen, context) => listAtOnce(chosen, context) },
  status: {
    igd: (_, chosen, context) => reportStatus(chosen, context),
    portControl: (_, chosen, context) => reportPortControlStatus(chosen, context),
  },
  presentation: { igd: (_, chosen) => presentation(chosen) },
  map: { igd: mapPorts, portControl: mapPorts },
  unmap: { igd: unmap, portControl: unmap },
  'unmap-ranges': { igd: ({ ranges }, chosen, context) => unmapRanges(ranges, chosen, context) },
  'firewall-status': { igd: (_, chosen, context) => reportFirewall(chosen, context) },
  'add-pinholes': {
    igd: ({ pinholes }, chosen, context) => addPinholes(pinholes, withFirewall(chosen), context),
    portControl: ({ pinholes }, chosen, context) => addPinholes(pinholes, withPinholes(chosen), context),
  },
  'update-pinhole': {
    igd: (command, chosen, context) => updatePinhole(command, withFirewall(chosen), context, chosen.gateway),
    portControl: (command, chosen, context) => updatePinhole(command, withPinholes(chosen), context),
  },
  'check-pinholes': { igd: ({ ids }, chosen, context) => checkPinholes(ids, chosen, context) },
  'pinhole-packets': { igd: ({ ids }, chosen, context) => reportPinholePackets(ids, chosen, context) },
  'delete-pinholes': {
    igd: ({ ids }, chosen, context) => deletePinholes(ids, withFirewall(chosen), context),
    portControl: ({ ids }, chosen, context) => deletePinholes(ids, withPinholes(chosen), context),
  },
  'outbound-timeout': { igd: ({ pinholes }, chosen, context) => reportOutboundTimeouts(pinholes, chosen, context) },
}

/** The functions of this command in a table. */
export function waysOf<Commands, Name extends keyof Commands>(
  runs: Runs<Commands>,
  command: Commands[Name] & { readonly name: Name },
): Ways<Commands[Name]> {
  return runs[command.name]
}

export function runCommand({ command, description }: GatewayInvocation, chosen: Chosen, context: RunContext): Running {
  return waysOf(RUNS, command).igd(command, chosen, context, description)
}

/** Runs a command on a gateway that speaks PCP or NAT-PMP. Commands that only an IGD can do do not get here. */
export async function* runOverPortControl(
  { command, description }: GatewayInvocation,
  chosen: ChosenPortControl,
  context: RunContext,
): Running {
  const { portControl = nothingMore } = waysOf(RUNS, command)
  const exitCode = yield* portControl(command, chosen, context, description)
  yield* troublesOf(chosen)
  return exitCode
}

/** --discovery-time alone: the search has reported everything. */
async function* nothingMore(): Running {
  yield* []
  return 0
}

function mapPorts(
  command: Extract<GatewayCommand, { name: 'map' }>,
  chosen: ChosenGateway,
  context: RunContext,
  description: string,
): Running {
  return map(command, description, chosen, context)
}

function withPinholes(chosen: ChosenPortControl): PinholesOf {
  return { ...chosen, pinholes: chosen.gateway.pinholes ?? NO_FIREWALL }
}

function withFirewall(chosen: Chosen): PinholesOf {
  return { ...chosen, pinholes: chosen.gateway.firewall ?? NO_FIREWALL }
}

async function* presentation({ gateway }: Chosen): Running {
  yield { type: 'presentation-url', url: gateway.presentationUrl }
  if (gateway.presentationUrl !== '') return 0
  yield { type: 'notice', kind: 'no-presentation-url' }
  return 2
}

/** What went wrong without stopping the command. It is reported once, at the end. */
export function* troublesOf({ troubles }: ChosenPortControl): Generator<Report> {
  for (const error of troubles) yield { type: 'notice', kind: 'nonce-key-not-kept', error: reportedError(error) }
}

/** The chosen gateway and the command -> the command's Reports and its exit code. */

import { NO_FIREWALL } from '../../domain/no-firewall.js'
import type { Chosen, ChosenPortControl, RunContext } from '../context.js'
import { reportedError } from '../failure.js'
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

export function runCommand(
  invocation: GatewayInvocation,
  chosen: Chosen,
  context: RunContext,
): AsyncGenerator<Report, ExitCode> {
  const { command } = invocation
  switch (command.name) {
    case 'search':
      return nothingMore()
    case 'list':
      return listMappings(chosen, context)
    case 'list-at-once':
      return listAtOnce(chosen, context)
    case 'status':
      return reportStatus(chosen, context)
    case 'presentation':
      return presentation(chosen)
    case 'map':
      return map(command, invocation.description, chosen, context)
    case 'unmap':
      return unmap(command, chosen, context)
    case 'unmap-ranges':
      return unmapRanges(command.ranges, chosen, context)
    case 'firewall-status':
      return reportFirewall(chosen, context)
    case 'add-pinholes':
      return addPinholes(command.pinholes, withFirewall(chosen), context)
    case 'update-pinhole':
      return updatePinhole(command, withFirewall(chosen), context, chosen.gateway)
    case 'check-pinholes':
      return checkPinholes(command.ids, chosen, context)
    case 'pinhole-packets':
      return reportPinholePackets(command.ids, chosen, context)
    case 'delete-pinholes':
      return deletePinholes(command.ids, withFirewall(chosen), context)
    case 'outbound-timeout':
      return reportOutboundTimeouts(command.pinholes, chosen, context)
  }
}

/** The same where the gateway speaks PCP or NAT-PMP: what only an IGD can do has been sorted out before. */
export async function* runOverPortControl(
  invocation: GatewayInvocation,
  chosen: ChosenPortControl,
  context: RunContext,
): AsyncGenerator<Report, ExitCode> {
  const exitCode = yield* portControlCommand(invocation, chosen, context)
  yield* troublesOf(chosen)
  return exitCode
}

function portControlCommand(
  { command, description }: GatewayInvocation,
  chosen: ChosenPortControl,
  context: RunContext,
): AsyncGenerator<Report, ExitCode> {
  const { pinholes = NO_FIREWALL } = chosen.gateway
  switch (command.name) {
    case 'map':
      return map(command, description, chosen, context)
    case 'unmap':
      return unmap(command, chosen, context)
    case 'status':
      return reportPortControlStatus(chosen, context)
    case 'add-pinholes':
      return addPinholes(command.pinholes, { ...chosen, pinholes }, context)
    case 'update-pinhole':
      return updatePinhole(command, { ...chosen, pinholes }, context)
    case 'delete-pinholes':
      return deletePinholes(command.ids, { ...chosen, pinholes }, context)
    default:
      return nothingMore()
  }
}

/** --discovery-time alone: it has all been said. */
async function* nothingMore(): AsyncGenerator<Report, ExitCode> {
  yield* []
  return 0
}

function withFirewall(chosen: Chosen): PinholesOf {
  return { ...chosen, pinholes: chosen.gateway.firewall ?? NO_FIREWALL }
}

async function* presentation({ gateway }: Chosen): AsyncGenerator<Report, ExitCode> {
  yield { type: 'presentation-url', url: gateway.presentationUrl }
  if (gateway.presentationUrl !== '') return 0
  yield { type: 'notice', kind: 'no-presentation-url' }
  return 2
}

/** Told at the end, and once: what went wrong without stopping the command. */
export function* troublesOf({ troubles }: ChosenPortControl): Generator<Report> {
  for (const error of troubles) yield { type: 'notice', kind: 'nonce-key-not-kept', error: reportedError(error) }
}

/** The chosen gateway and the command -> the command's Reports and its exit code. */
import { listAtOnce, listMappings, map, reportStatus, unmap, unmapRanges } from './commands.js'
import type { GatewayInvocation } from './invocation.js'
import {
  addPinholes,
  checkPinholes,
  deletePinholes,
  reportFirewall,
  reportOutboundTimeouts,
  reportPinholePackets,
  updatePinhole,
} from './pinhole-runs.js'
import type { ExitCode, Report } from './report.js'
import type { Chosen, RunContext } from './run.js'

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
      return addPinholes(command.pinholes, chosen, context)
    case 'update-pinhole':
      return updatePinhole(command, chosen, context)
    case 'check-pinholes':
      return checkPinholes(command.ids, chosen, context)
    case 'pinhole-packets':
      return reportPinholePackets(command.ids, chosen, context)
    case 'delete-pinholes':
      return deletePinholes(command.ids, chosen, context)
    case 'outbound-timeout':
      return reportOutboundTimeouts(command.pinholes, chosen, context)
  }
}

/** --discovery-time alone: it has all been said. */
async function* nothingMore(): AsyncGenerator<Report, ExitCode> {
  yield* []
  return 0
}

async function* presentation({ gateway }: Chosen): AsyncGenerator<Report, ExitCode> {
  yield { type: 'presentation-url', url: gateway.presentationUrl }
  if (gateway.presentationUrl !== '') return 0
  yield { type: 'notice', message: 'the router does not tell the address of its web page' }
  return 2
}

/** Opens ports and keeps them open: what `--keep` of the command line does, in one call. */
import { InvalidArgumentError } from '../../domain/errors.js'
import { checkOptions } from '../../domain/option-check.js'
import { shownValue } from '../../domain/port-mapping.js'
import { OPEN_PORT, WHERE } from '../options.js'
import type { Where } from '../where.js'
import type { OpenPort } from './open-port.js'
import { openAll, openPortAt } from './port-groups.js'
import type { PortOptions } from './port-options.js'

/**
 * Opens a port of this computer to the internet, and keeps it open until it is closed: renews it, looks whether it is
 * there, and opens it again at a router that has restarted, or has come back after it was gone.
 *
 * Calls of one program for the same port, external port and router share it, and the one that is closed last closes it.
 * For another port they are refused, as if it were taken. (Worker threads and other copies of this package are other
 * programs: they share it too, if they have the same `state`, and each has been open for a minute.)
 *
 * What has been left behind by an openPort of this user that was killed is taken over, and closed at the end. What another
 * program has opened for the same port, or `map()` has, stays as it is: with its description, its lease, which is extended
 * only if it would end, and open after close(). PCP and NAT-PMP do not show it: there it is taken over.
 *
 * It resolves when the port is open. If it rejects, nothing stays open, and what was asked for already is taken back; that
 * takes 2 s at most. `signal` and `timeoutMs` bound this call only, and never the open port.
 *
 * @example
 * const port = await openPort(25565, { protocol: 'TCP+UDP', externalPort: 'any' })
 * console.log(`${port.externalAddress}:${port.externalPort}`)
 * await port.close()
 *
 * @throws InvalidArgumentError if no router could do that; NoGatewayError if there is none to ask; RefusedError if
 * it says no, with `isPortTaken` if somebody else has the port; NotConfirmedError if it says yes, and shows something else;
 * NoReplyError, TransportError and MalformedMessageError; the signal's reason
 */
export async function openPort(port: number, options: PortOptions = {}): Promise<OpenPort> {
  checkOptions(options, OPEN_PORT, 'openPort')
  return openPortAt(undefined, port, options)
}

/**
 * Opens several ports with one search, one gateway and one keeper, and says for each what came of it, in their order. Each
 * is closed on its own. What stands beside a port comes before `where`; ports with another `where` have a search of their
 * own, and so have pinholes, which are asked for over IPv6.
 *
 * @example
 * const [web, game] = await openPorts([443, { port: 25565, protocol: 'TCP+UDP' }], { timeoutMs: 10_000 })
 * if (web?.status === 'rejected') console.error(web.reason.message)
 */
export async function openPorts(
  ports: readonly (number | ({ readonly port: number } & PortOptions))[],
  where: Where = {},
): Promise<readonly PromiseSettledResult<OpenPort>[]> {
  if (!Array.isArray(ports))
    throw new InvalidArgumentError(`openPorts: ports are an array, and not ${shownValue(ports)}`)
  checkOptions(where, WHERE, 'openPorts')
  return openAll(ports.map((each) => (typeof each === 'object' ? { ...where, ...each } : { ...where, port: each })))
}

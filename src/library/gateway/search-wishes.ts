/** Where a program wants to look -> the wishes of a search, and the network to search on. */
import type { SearchRoute } from '../../client/search/routes.js'
import { InvalidArgumentError } from '../../domain/errors.js'
import { isPort } from '../../domain/port-mapping.js'
import { PORT_CONTROL_PORT } from '../../domain/ports.js'
import { parseRouterWords } from '../../domain/router-words.js'
import type { Endpoint } from '../../net/datagrams.js'
import { type PrivateFiles, privateFiles, userPrivateFiles } from '../../net/files/private-files.js'
import { zoneMeantBy } from '../../net/interfaces.js'
import { type ClientNet, nodeNet } from '../../net/network.js'
import { programOn, type ThisProgram } from '../keeping/this-program.js'
import type { SearchWishes } from '../search-gateway.js'
import type { Net, Where } from '../where.js'

/** A network with this user's files. */
export interface SearchedNet extends ClientNet {
  readonly files: PrivateFiles
  readonly program: ThisProgram
  /** An IGD is searched for on this route only, and PCP and NAT-PMP are asked only there. */
  readonly onlyRoute?: SearchRoute | undefined
  readonly onlyEndpoint?: Endpoint | undefined
}

/** @throws InvalidArgumentError */
export function wishesOf({ via = 'auto', router, url, networkInterface, net }: Where): SearchWishes {
  if (url !== undefined && (via === 'pcp' || via === 'nat-pmp'))
    throw new InvalidArgumentError(`url names an IGD, and via is ${via}: leave one out`)
  if (url !== undefined && router !== undefined)
    throw new InvalidArgumentError('url and router both name a router: leave one out')
  if (!VIAS.has(via)) throw new InvalidArgumentError(`via '${String(via)}' is none of ${[...VIAS].join(', ')}`)
  const { onlyRoute, onlyEndpoint }: Partial<SearchedNet> = isWhole(net) ? net : {}
  return {
    via,
    url,
    gateway: router === undefined ? undefined : endpointOf(router),
    interface: networkInterface,
    changes: true,
    onlyRoute,
    onlyEndpoint,
    minissdpdPath: net === undefined ? undefined : '', // the daemon is on this computer's network
  }
}

const VIAS: ReadonlySet<string> = new Set(['auto', 'igd', 'pcp', 'nat-pmp'])

/** @throws InvalidArgumentError */
export function netOf({ net, state }: Where): SearchedNet {
  if (net !== undefined && !isWhole(net)) throw new InvalidArgumentError('net is not the net of an emulated gateway')
  const parts = net ?? nodeNet()
  const program = programOn(net)
  const own = net === undefined ? userPrivateFiles : (net.files ?? program.memory)
  const files = state === undefined ? own : state === false ? program.memory : privateFiles(state)
  return { ...parts, files, program }
}

type GivenNet = ClientNet & Partial<Pick<SearchedNet, 'files' | 'onlyRoute' | 'onlyEndpoint'>>

const PARTS = ['clock', 'datagrams', 'http', 'interfaces', 'defaultGateways'] as const satisfies (keyof ClientNet)[]

/** Whether all parts are there: a Net tells only of its clock. */
function isWhole(net: Net | undefined): net is GivenNet {
  return net !== undefined && PARTS.every((part) => part in net)
}

function endpointOf(router: string): Endpoint {
  const words = parseRouterWords(router)
  if (typeof words === 'string') throw new InvalidArgumentError(`router: ${words}`)
  const { address, zone, port = String(PORT_CONTROL_PORT) } = words
  if (!isPort(Number(port))) throw new InvalidArgumentError(`router: ${port} is not a port from 1 to 65535`)
  return { address: zone === '' ? address : `${address}%${zoneMeantBy(zone)}`, port: Number(port) }
}

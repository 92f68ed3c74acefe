/**
 * What upnp-ts has open at a router for this computer, in all protocols that the router speaks: what this user is
 * remembered to have made, and what has the description of upnp-ts and leads here.
 */
import { mappingsMadeAt } from '../../client/mapping-memory.js'
import { MalformedMessageError } from '../../domain/errors.js'
import type { Gateway } from '../../domain/gateway.js'
import { DEFAULT_DESCRIPTION, type MappingKey, type PortMapping, PROTOCOL_NUMBERS } from '../../domain/port-mapping.js'
import { isKept } from '../keeping/running-keepers.js'
import { addressOf, type Router } from '../router.js'
import { tableOf } from './look.js'
import { type RemovingNet, rememberedAt } from './remove-own.js'

export interface OwnMapping {
  readonly key: MappingKey
  readonly mapping: PortMapping
  /** Why it is not to be closed: it has the description of upnp-ts, but leads elsewhere, or a keeper holds it. */
  readonly leave?: 'another-computer' | 'kept'
}

type Net = Pick<RemovingNet, 'clock' | 'interfaces' | 'files'>

/** Each once, whatever the number of protocols that show it. @throws PortMappingError if a table cannot be read */
export async function ownMappings(router: Router, net: Net): Promise<readonly OwnMapping[]> {
  const own = new Map<string, OwnMapping>()
  for (const gateway of await router.gateways()) {
    for (const mapping of await shownAt(gateway, net)) {
      const found = await ownOf(mapping, gateway, net)
      const name = JSON.stringify([mapping.externalPort, mapping.protocol, mapping.remoteHost])
      if (found !== undefined && own.get(name) === undefined) own.set(name, found)
    }
  }
  return [...own.values()]
}

async function shownAt(gateway: Gateway, net: Net): Promise<readonly PortMapping[]> {
  if (gateway.protocol !== 'igd') return rememberedAt(gateway, net)
  const { rows, endedBy } = await tableOf(gateway)
  if (endedBy === 'limit') throw new MalformedMessageError('a table that ends', `${rows.length} entries`)
  return rows
}

async function ownOf(mapping: PortMapping, gateway: Gateway, net: Net): Promise<OwnMapping | undefined> {
  const { externalPort, protocol, remoteHost, internalClient, description } = mapping
  const isKnown = (name: string): name is MappingKey['protocol'] => name in PROTOCOL_NUMBERS
  if (externalPort === undefined || !isKnown(protocol)) return undefined
  const key = { externalPort, protocol, remoteHost }
  const isRemembered = gateway.protocol !== 'igd' || (await isMadeAt(gateway, key, internalClient, net))
  if (!isRemembered && description !== DEFAULT_DESCRIPTION) return undefined
  const here = [gateway.localAddress, ...net.interfaces().map(({ address }) => address)]
  if (!isRemembered && !here.includes(internalClient)) return { key, mapping, leave: 'another-computer' }
  const forAnyHost = remoteHost === '' && gateway.protocol === 'pcp'
  return (await isKept(net.files, net.clock, addressOf(gateway), key, forAnyHost))
    ? { key, mapping, leave: 'kept' }
    : { key, mapping }
}

/** Whether this user has made the mapping, and nobody else has taken its place since. */
async function isMadeAt(gateway: Gateway, key: MappingKey, internalClient: string, { files, clock }: Net) {
  const made = await mappingsMadeAt(files, clock, addressOf(gateway), key)
  const isThat = made.some((each) => each.via === gateway.protocol && each.internalClient === internalClient)
  return isThat && (await gateway.remembers(key)) // or it was another gateway with that address
}

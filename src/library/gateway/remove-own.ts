/**
 * Removes what this computer has left behind at a gateway, and nothing else: not what another computer or program has
 * made, and not what a running keeper of this user holds, because that would open it again.
 */
import { allMadeAt, mappingsMadeAt } from '../../client/mapping-memory.js'
import { type AnyPortMappingError, PortMappingError } from '../../domain/errors.js'
import type { Gateway, PortControlGateway } from '../../domain/gateway.js'
import { DEFAULT_DESCRIPTION, type MappingKey } from '../../domain/port-mapping.js'
import type { PrivateFiles } from '../../net/files/private-files.js'
import type { ClientNet } from '../../net/network.js'
import { forgetMark } from '../keeping/own-marks.js'
import { isKept } from '../keeping/running-keepers.js'
import type { ThisProgram } from '../keeping/this-program.js'
import { addressOf } from '../router.js'
import type { LeftMapping, OwnMappings, RemoveOwnOptions } from './gateway.js'
import type { PortMapping } from './shown-mapping.js'
import { toldError, whyNotClosed } from './told-error.js'

export interface RemovingNet extends Pick<ClientNet, 'clock' | 'interfaces' | 'computerName'> {
  readonly files: PrivateFiles
  readonly program: ThisProgram
}

/** `shown`: the table of an IGD. @throws whatever a call is ended with */
export async function removeOwn(
  gateway: Gateway,
  shown: readonly PortMapping[],
  { description = DEFAULT_DESCRIPTION, internalClient }: RemoveOwnOptions,
  net: RemovingNet,
  signal: AbortSignal | undefined,
): Promise<OwnMappings> {
  const removed: PortMapping[] = []
  const left: LeftMapping[] = []
  const mappings = gateway.protocol === 'igd' ? shown : await rememberedAt(gateway, net)
  for (const mapping of mappings) {
    const isMeant = isSameText(mapping.description, description)
    const isOurs = await leadsHere(mapping, gateway, net)
    const isWanted = internalClient === undefined || mapping.internalClient === internalClient
    if (!isMeant && !(isOurs && isWanted)) continue
    const why = !isOurs
      ? `it leads to another computer, ${mapping.internalClient}`
      : !isMeant
        ? `it was made with another description, '${mapping.description}'`
        : !isWanted
          ? `it leads to ${mapping.internalClient}`
          : await whyKept(mapping, gateway, net)
    signal?.throwIfAborted()
    const error = why === undefined ? await failureToRemove(mapping, gateway, net) : undefined
    signal?.throwIfAborted()
    if (error !== undefined) left.push({ mapping, why: `it could not be removed: ${whyNotClosed(error)}`, error })
    else if (why !== undefined) left.push({ mapping, why })
    else removed.push(mapping)
  }
  return { removed, left }
}

/** Routers cut off long descriptions: none that is shorter than this. */
const SHORTEST_CUT = 32

function isSameText(shown: string, asked: string): boolean {
  return shown === asked || (shown.length >= SHORTEST_CUT && asked.startsWith(shown))
}

/** To an address that this computer has, or had when this user made the mapping. */
async function leadsHere(mapping: PortMapping, gateway: Gateway, net: RemovingNet): Promise<boolean> {
  const { internalClient, remoteHost } = mapping
  const { files, clock, interfaces, computerName } = net
  if ([gateway.localAddress, ...interfaces().map(({ address }) => address)].includes(internalClient)) return true
  const made = await mappingsMadeAt(files, clock, addressOf(gateway), mapping)
  const isThat = made.some(
    (each) =>
      each.via === gateway.protocol &&
      computerName !== undefined &&
      each.computer === computerName &&
      each.internalClient === internalClient &&
      each.remoteHost === remoteHost,
  )
  return isThat && (await gateway.remembers(mapping)) // or it was another gateway with that address
}

async function whyKept(key: MappingKey, gateway: Gateway, net: RemovingNet): Promise<string | undefined> {
  const { files, clock } = net
  const forAnyHost = key.remoteHost === '' && gateway.protocol === 'pcp'
  if (net.program.ports.isHeld(addressOf(gateway), key, { forAnyHost })) return 'an open port of this program holds it'
  return (await isKept(files, clock, addressOf(gateway), key, forAnyHost))
    ? 'a running keeper of this user holds it'
    : undefined
}

async function failureToRemove(
  { internalPort, ...mapping }: PortMapping,
  gateway: Gateway,
  { files }: RemovingNet,
): Promise<AnyPortMappingError | undefined> {
  try {
    await gateway.unmap(internalPort === undefined ? mapping : { ...mapping, internalPort })
    await forgetMark(files, gateway, mapping)
    return undefined
  } catch (error) {
    if (error instanceof PortMappingError) return toldError(error, gateway)
    throw error
  }
}

/** Neither protocol can list mappings, so those count that this user is remembered to have made. */
export async function rememberedAt(
  gateway: PortControlGateway,
  { files, clock }: Pick<RemovingNet, 'files' | 'clock'>,
): Promise<readonly PortMapping[]> {
  const made = await allMadeAt(files, clock, gateway.address)
  const mappings: PortMapping[] = []
  for (const {
    via,
    externalPort,
    protocol,
    remoteHost,
    internalClient,
    internalPort,
    description = '',
    endsWallMs,
  } of made) {
    const key = { externalPort, protocol, remoteHost }
    if (via !== gateway.protocol || !(await gateway.remembers(key))) continue
    if (mappings.some((each) => each.externalPort === externalPort && each.protocol === protocol)) continue
    const leaseSeconds = Math.ceil((endsWallMs - clock.wallMs()) / 1000)
    mappings.push({ ...key, internalClient, internalPort, enabled: true, description, leaseSeconds })
  }
  return mappings
}

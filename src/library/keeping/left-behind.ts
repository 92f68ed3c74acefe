/**
 * What this user has opened from an address that this computer does not have any more: DHCP gave it another one. It
 * blocks the external port until its lease ends. Another computer with the same files is another one: so is a container.
 */
import { mappingsMadeAt } from '../../client/mapping-memory.js'
import type { Gateway } from '../../domain/gateway.js'
import type { MappingKey } from '../../domain/port-mapping.js'
import type { LeftBehind } from '../../domain/refusal-cause.js'
import type { PrivateFiles } from '../../net/files/private-files.js'
import type { ClientNet } from '../../net/network.js'

export interface LeftBehindNet extends Pick<ClientNet, 'clock' | 'interfaces' | 'computerName'> {
  readonly files: PrivateFiles
}

/** Undefined if nothing is known to be left behind at that external port. */
export async function leftBehindAt(
  gateway: Gateway,
  key: MappingKey,
  { files, clock, interfaces, computerName }: LeftBehindNet,
): Promise<LeftBehind | undefined> {
  if (computerName === undefined) return undefined
  const own = [gateway.localAddress, ...interfaces().map(({ address }) => address)]
  const made = await mappingsMadeAt(files, clock, gateway.address ?? '', key)
  const left = made.filter(({ via, computer, remoteHost, internalClient }) => {
    const isOurs = via === gateway.protocol && computer === computerName
    return isOurs && remoteHost === key.remoteHost && !own.includes(internalClient)
  })
  const [newest] = left.toSorted((a, b) => b.madeWallMs - a.madeWallMs)
  // It may have been another gateway with that address.
  return newest !== undefined && (await gateway.remembers(key)) ? newest : undefined
}

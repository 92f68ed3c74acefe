/** The command line's mappings and pinholes -> what is kept. */

import { isGlobalIPv6, splitZone } from '../../domain/address.js'
import type { Gateway } from '../../domain/gateway.js'
import type { KeptEither } from '../../keeper/kept-either.js'
import { KeptMapping } from '../../keeper/kept-mapping.js'
import { KeptPinhole } from '../../keeper/kept-pinhole.js'
import type { OwnMarks } from '../../library/own-marks.js'
import type { RunContext } from '../context.js'
import type { GatewayInvocation } from '../parse/invocation.js'

export function keptOf(
  { command, description }: GatewayInvocation,
  context: Pick<RunContext, 'interfaces'>,
  marks: Pick<OwnMarks, 'has'>,
): readonly KeptEither[] {
  if (command.name === 'add-pinholes') {
    return command.pinholes.map(({ remoteHostTyped: _, internalClient, ...pinhole }) => {
      const isLocal = internalClient === 'local'
      return new KeptPinhole({ ...pinhole, internalClient: isLocal ? undefined : internalClient }, (gateway) =>
        globalAddressOf(gateway, context),
      )
    })
  }
  if (command.name !== 'map') return []
  let previous: KeptMapping | undefined
  return command.mappings.map(({ internalClient, pairedWithPrevious, ...mapping }) => {
    const samePortAs = pairedWithPrevious === true ? previous : undefined
    previous = new KeptMapping({
      ...mapping,
      description,
      internalClient: internalClient === 'local' ? undefined : internalClient,
      any: command.any || mapping.externalPort === 0,
      samePortAs,
      isOwn: (key, description) => marks.has(key, description),
    })
    return previous
  })
}

/** An address of this computer that the internet can reach, of the interface that leads to the gateway if it has one. */
function globalAddressOf(gateway: Gateway, { interfaces }: Pick<RunContext, 'interfaces'>): string {
  const { address, zone } = splitZone(gateway.localAddress)
  if (isGlobalIPv6(address)) return address
  const global = interfaces().filter((each) => isGlobalIPv6(each.address))
  return (global.find((each) => each.name === zone) ?? global[0])?.address ?? address
}

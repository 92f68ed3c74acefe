/** The mappings and pinholes of the command line -> what the keeper keeps. */

import type { KeptEither } from '../../keeper/kept-either.js'
import { KeptMapping } from '../../keeper/kept-mapping.js'
import { KeptPinhole } from '../../keeper/kept-pinhole.js'
import type { OwnMarks } from '../../library/own-marks.js'
import { pinholeAddress } from '../../library/pinhole-address.js'
import type { RunContext } from '../context.js'
import type { GatewayInvocation } from '../parse/invocation.js'

export function keptOf(
  { command, description }: GatewayInvocation,
  { interfaces, onlyRoute }: Pick<RunContext, 'interfaces' | 'onlyRoute'>,
  marks: Pick<OwnMarks, 'has'>,
): readonly KeptEither[] {
  if (command.name === 'add-pinholes') {
    return command.pinholes.map(({ remoteHostTyped: _, internalClient, ...pinhole }) => {
      const isLocal = internalClient === 'local'
      return new KeptPinhole({ ...pinhole, internalClient: isLocal ? undefined : internalClient }, ({ localAddress }) =>
        pinholeAddress(localAddress, onlyRoute === undefined ? interfaces() : []),
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

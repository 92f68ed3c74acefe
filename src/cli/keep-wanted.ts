/** The command line's mappings and pinholes -> what is kept; and marks of what this user's keeper has made. */
import { isGlobalIPv6, splitZone } from '../domain/address.js'
import { TransportError } from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'
import type { MappingKey } from '../domain/port-mapping.js'
import { KeptMapping } from '../keeper/kept-mapping.js'
import { KeptPinhole } from '../keeper/kept-pinhole.js'
import type { PrivateFiles } from '../net/state-directory.js'
import type { GatewayInvocation } from './invocation.js'
import type { HeldEither, KeptEither } from './keep-facts.js'
import type { RunContext } from './run.js'

/**
 * A keeper that was killed leaves its mappings behind: a mark for each tells the next one that they are not somebody
 * else's, and are to be removed at its end.
 */
export interface OwnMarks {
  has(key: Pick<MappingKey, 'externalPort' | 'protocol'>): Promise<boolean>
  set(name: string, held: HeldEither): void
  remove(name: string): void
}

export function ownMarks(files: PrivateFiles): OwnMarks {
  const names = new Map<string, string>()
  const quietly = (work: Promise<unknown>): void => {
    work.catch((error: unknown) => {
      if (!(error instanceof TransportError)) throw error // without marks all the rest works
    })
  }
  const nameOf = ({ protocol, externalPort }: { protocol: string; externalPort: number }): string =>
    `kept-${protocol}-${externalPort}`
  return {
    async has(key) {
      return (await files.read(nameOf(key)).catch(() => undefined)) !== undefined
    },
    set(name, held) {
      if (!('mapping' in held) || held.wasThere) return
      const file = nameOf({ protocol: held.mapping.protocol, externalPort: held.mapping.externalPort ?? 0 })
      names.set(name, file)
      quietly(files.write(file, '\n'))
    },
    remove(name) {
      const file = names.get(name)
      if (file !== undefined) quietly(files.remove(file))
    },
  }
}

export function keptOf(
  { command, description }: GatewayInvocation,
  context: Pick<RunContext, 'interfaces'>,
  marks: OwnMarks,
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
      isOwn: (key) => marks.has(key),
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

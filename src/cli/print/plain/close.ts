/** `close`: each port, and whether nothing leads to it any more. What is closed is told at the end, in one line. */
import type { MappingKey } from '../../../domain/port-mapping.js'
import { cleaned } from '../clean.js'
import { complaint, good, type Piece } from '../pieces.js'
import type { Telling } from './telling.js'
import { listed } from './words.js'

export function closeTelling(): Telling {
  const closed: MappingKey[] = []
  let isClosedOverIPv6 = false
  const told = (): readonly Piece[] => {
    const names = portNames(closed.splice(0))
    if (names.length === 0) return []
    return [good(`${names.length === 1 ? `Port ${names[0]} is` : `Ports ${listed(names)} are`} closed.\n`)]
  }
  return {
    rows: {
      unmapped: ({ key }) => {
        closed.push(key)
        return []
      },
      'unmap-failed': ({ key, error }) => [
        complaint(`Port ${key.externalPort} ${key.protocol} could not be closed: ${cleaned(error.message)}.\n`),
      ],
      'pinhole-deleted': (report) => {
        if (!report.ok) return [complaint(`Over IPv6 it could not be closed: ${cleaned(report.error.message)}.\n`)]
        if (isClosedOverIPv6) return []
        isClosedOverIPv6 = true
        return [...told(), good('Over IPv6 it is closed too.\n')]
      },
      notice: (notice) => {
        if (notice.kind === 'nothing-open') {
          const [protocol, other] = notice.protocols
          return [good(`Port ${notice.externalPort}${other === undefined ? ` ${protocol}` : ''} was not open.\n`)]
        }
        return undefined
      },
    },
    end: told,
  }
}

/** `53 TCP and UDP`, `27015-27030 UDP` */
function portNames(keys: readonly MappingKey[]): readonly string[] {
  const ports = [...new Set(keys.map(({ externalPort }) => externalPort))]
  const names: { first: number; last: number; readonly protocols: string }[] = []
  for (const port of ports) {
    const protocols = keys
      .flatMap(({ externalPort, protocol }) => (externalPort === port ? [protocol] : []))
      .toSorted()
      .join(' and ')
    const before = names.at(-1)
    if (before?.last === port - 1 && before.protocols === protocols) before.last = port
    else names.push({ first: port, last: port, protocols })
  }
  return names.map(({ first, last, protocols }) => `${first === last ? first : `${first}-${last}`} ${protocols}`)
}

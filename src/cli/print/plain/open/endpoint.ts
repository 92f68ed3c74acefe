/**
 * `open --print endpoint`: where the ports can be reached is all that goes to stdout, a line for each, for a script. All
 * else is the answer of open, on stderr.
 */
import { isInternetAddress } from '../../../../domain/address.js'
import { type MappingKey, transportProtocolOf } from '../../../../domain/port-mapping.js'
import { cleaned } from '../../clean.js'
import { type Piece, plain } from '../../pieces.js'
import type { Occasion, Telling } from '../telling.js'
import { endpointText, type OpenPort } from './hand-over.js'
import { openTelling } from './open.js'

export function endpointTelling(occasion: Occasion): Telling {
  const open = openTelling(occasion)
  const isKept = occasion.invocation.keep !== undefined
  /** What is open, by the name under which it may be taken back. */
  const held = new Map<string, OpenPort>()
  const shown = new Set<string>()
  /** TCP and UDP on the same port are one line. */
  const show = (): readonly Piece[] => {
    const texts = new Set([...held.values()].map(endpointText).filter((text) => !shown.has(text)))
    held.clear()
    for (const text of texts) shown.add(text)
    return [...texts].map((text) => plain(`${cleaned(text)}\n`))
  }
  /** With --keep at once, because the end may be far away. */
  const hold = (name: string, port: OpenPort): readonly Piece[] => {
    held.set(name, port)
    return isKept ? show() : []
  }
  return {
    rows: {
      ...open.rows,
      mapped: (report) => {
        const { asked, mapping, externalAddress } = report
        if (report.isOtherwise === true || !isInternetAddress(externalAddress)) return aside(open.rows.mapped?.(report))
        const { protocol, internalPort } = asked
        const { externalPort = asked.externalPort } = mapping
        return hold(nameOf({ protocol, externalPort }), { protocol, internalPort, externalAddress, externalPort })
      },
      'taken-back': (report) => {
        held.delete(nameOf(report.key))
        return aside(open.rows['taken-back']?.(report))
      },
      'pinhole-added': (report) => {
        const { protocol, internalPort, internalClient: externalAddress } = report.asked
        if (!report.ok || !isInternetAddress(externalAddress)) return aside(open.rows['pinhole-added']?.(report))
        const name = transportProtocolOf(protocol) ?? String(protocol)
        return hold(`pinhole ${report.id}`, {
          protocol: name,
          internalPort,
          externalAddress,
          externalPort: internalPort,
        })
      },
      notice: (report) => {
        if (report.kind === 'pinhole-taken-back' && report.closed) held.delete(`pinhole ${report.id}`)
        return aside(open.rows.notice?.(report))
      },
    },
    beforeNews: () => aside(open.beforeNews?.()),
    end: (exitCode) => [...show(), ...aside(open.end(exitCode))],
  }
}

function nameOf({ externalPort, protocol }: Pick<MappingKey, 'externalPort' | 'protocol'>): string {
  return `${externalPort} ${protocol}`
}

export function aside(pieces: readonly Piece[] = []): readonly Piece[] {
  return pieces.map((piece) => ({ ...piece, stream: 'stderr' }))
}

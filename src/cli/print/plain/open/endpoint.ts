/**
 * `open --print endpoint`: where the ports can be reached is all that goes to stdout, a line for each, for a script. All
 * else is the answer of open, on stderr.
 */
import { isInternetAddress } from '../../../../domain/address.js'
import { transportProtocolOf } from '../../../../domain/port-mapping.js'
import { cleaned } from '../../clean.js'
import { type Piece, plain } from '../../pieces.js'
import type { Occasion, Telling } from '../telling.js'
import { endpointText, type OpenPort } from './hand-over.js'
import { openTelling } from './open.js'

export function endpointTelling(occasion: Occasion): Telling {
  const open = openTelling(occasion)
  const shown = new Set<string>()
  /** TCP and UDP on the same port are one line. */
  const shownOnce = (port: OpenPort): readonly Piece[] => {
    const text = endpointText(port)
    if (shown.has(text)) return []
    shown.add(text)
    return [plain(`${cleaned(text)}\n`)]
  }
  return {
    rows: {
      ...open.rows,
      mapped: (report) => {
        const { asked, mapping, externalAddress } = report
        if (report.isOtherwise === true || !isInternetAddress(externalAddress)) return aside(open.rows.mapped?.(report))
        const { protocol, internalPort, externalPort } = asked
        return shownOnce({
          protocol,
          internalPort,
          externalAddress,
          externalPort: mapping.externalPort ?? externalPort,
        })
      },
      'pinhole-added': (report) => {
        const { protocol, internalPort, internalClient: externalAddress } = report.asked
        if (!report.ok || !isInternetAddress(externalAddress)) return aside(open.rows['pinhole-added']?.(report))
        const name = transportProtocolOf(protocol) ?? String(protocol)
        return shownOnce({ protocol: name, internalPort, externalAddress, externalPort: internalPort })
      },
      notice: (report) => aside(open.rows.notice?.(report)),
    },
    beforeNews: () => aside(open.beforeNews?.()),
    end: (exitCode) => aside(open.end(exitCode)),
  }
}

export function aside(pieces: readonly Piece[] = []): readonly Piece[] {
  return pieces.map((piece) => ({ ...piece, stream: 'stderr' }))
}

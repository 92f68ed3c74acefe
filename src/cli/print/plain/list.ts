/** `list`: a table that fits the terminal, row by row as the router gives them, and what it comes to at the end. */
import type { PortMapping } from '../../../domain/port-mapping.js'
import { cleaned } from '../clean.js'
import { complaint, good, hint, type Piece, plain } from '../pieces.js'
import { cutTo, padded } from './columns.js'
import type { Occasion, Telling } from './telling.js'
import { shortDateText } from './words.js'

/** Of the columns but the last one, which has the rest: a port and its protocol, an IPv4 address and a port, a date. */
const WIDTHS = [9, 21, 12] as const
/** Without a terminal nothing is cut. */
const LEAST_REST = 8

export function listTelling({ nowMs, columns }: Occasion): Telling {
  const width = columns()
  const row = (mark: string, cells: readonly string[]): string => {
    const [last = ''] = cells.slice(WIDTHS.length)
    const begin = WIDTHS.map((each, at) => padded(cells[at] ?? '', each)).join('  ')
    const rest = width === undefined ? last : cutTo(last, Math.max(LEAST_REST, width - 2 - begin.length - 2 - 1))
    return `${mark} ${begin}  ${rest}`.trimEnd()
  }
  let [count, own] = [0, 0]
  let localAddress: string | undefined
  return {
    rows: {
      'local-address': ({ address }) => {
        localAddress = address
        return []
      },
      mapping: ({ mapping }) => {
        const isOwn = mapping.internalClient === localAddress
        const heading = count === 0 ? [plain(`${row(' ', ['Port', 'Leads to', 'Until', 'Opened by'])}\n`)] : []
        count++
        if (isOwn) own++
        const line = `${row(isOwn ? '*' : ' ', cellsOf(mapping, nowMs()))}\n`
        return [...heading, isOwn ? good(line) : plain(line)]
      },
      'listing-failed': ({ error }) => [
        complaint(`The list ends here, because the router did not give the rest: ${cleaned(error.message)}.\n`),
      ],
      'listing-end': ({ endedBy }) => {
        if (endedBy === 'limit') return [hint('The list of the router is longer than this; the rest was not read.\n')]
        if (endedBy === 'memory')
          return [
            plain('The router cannot tell what it has open. These are the ports that were opened with upnp-ts.\n'),
          ]
        return endedBy === 'repetition' ? [hint('The router repeats its last entry, so the list ends here.\n')] : []
      },
    },
    end: (exitCode) => (exitCode === 1 ? [] : sumOf(count, own)),
  }
}

function sumOf(count: number, own: number): readonly Piece[] {
  if (count === 0) return [plain('No port is open. To open one: upnp-ts open 25565\n')]
  const ofThese =
    own === count
      ? 'all of them lead'
      : own === 0
        ? 'none of them leads'
        : own === 1
          ? 'one of them leads'
          : `${own} of them lead`
  if (count === 1) return [plain(`One port is open${own === 1 ? ', and leads to this computer (*)' : ''}.\n`)]
  return [plain(`${count} ports are open, and ${ofThese} to this computer${own === 0 ? '' : ' (*)'}.\n`)]
}

function cellsOf(mapping: PortMapping, nowMs: number): readonly string[] {
  const { externalPort = '', protocol, internalClient, internalPort = '', description, remoteHost } = mapping
  const only = remoteHost === '' ? '' : ` (only for ${remoteHost})`
  const off = mapping.enabled === false ? ' (switched off)' : ''
  return [
    `${String(externalPort).padStart(5)} ${protocol}`,
    `${internalClient}:${internalPort}`,
    mapping.leaseSeconds === 0
      ? 'no end'
      : mapping.leaseSeconds === undefined
        ? ''
        : shortDateText(nowMs + mapping.leaseSeconds * 1000, nowMs),
    `${description}${only}${off}`,
  ].map(cleaned)
}

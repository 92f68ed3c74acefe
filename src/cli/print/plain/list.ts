/** `list`: a table that fits the terminal, row by row as the router gives them, and what it comes to at the end. */
import { cleaned } from '../clean.js'
import { complaint, good, hint, plain } from '../pieces.js'
import { endOf, PORT_HEADINGS, portCells, sumText, tableLine } from './port-table.js'
import type { Occasion, Telling } from './telling.js'

export const ONLY_REMEMBERED =
  'The router cannot tell what it has open. These are the ports that were opened with upnp-ts.\n'

export function listTelling({ nowMs, columns }: Occasion): Telling {
  const width = columns()
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
        const heading = count === 0 ? [plain(`${tableLine('', PORT_HEADINGS, width)}\n`)] : []
        count++
        if (isOwn) own++
        const now = nowMs()
        const line = `${tableLine(isOwn ? '*' : '', portCells(mapping, endOf(mapping, now), now), width)}\n`
        return [...heading, isOwn ? good(line) : plain(line)]
      },
      'listing-failed': ({ error }) => [
        complaint(`The list ends here, because the router did not give the rest: ${cleaned(error.message)}.\n`),
      ],
      'listing-end': ({ endedBy }) => {
        if (endedBy === 'limit') return [hint('The list of the router is longer than this; the rest was not read.\n')]
        if (endedBy === 'memory') return [plain(ONLY_REMEMBERED)]
        return endedBy === 'repetition' ? [hint('The router repeats its last entry, so the list ends here.\n')] : []
      },
    },
    end: (exitCode) => (exitCode === 1 ? [] : [plain(`${sumText(count, own)}\n`)]),
  }
}

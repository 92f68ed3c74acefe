/** `close`: each port, and whether nothing leads to it any more. What is closed is told at the end, in one line. */
import type { MappingKey, PortMapping } from '../../../domain/port-mapping.js'
import type { ReportedError, ReportOf } from '../../report.js'
import { cleaned } from '../clean.js'
import { complaint, good, type Piece, plain, remark } from '../pieces.js'
import { codeOf } from './failures.js'
import { type Port, portNames } from './port-names.js'
import { endOf, PORT_HEADINGS, portCells, tableLine } from './port-table.js'
import type { Occasion, Telling } from './telling.js'
import { listed } from './words.js'

export function closeTelling({ invocation, nowMs, columns }: Occasion): Telling {
  const isMine = invocation.command.name === 'close-mine'
  const width = columns()
  let shown = 0
  const closed: MappingKey[] = []
  /** Open in another protocol, or perhaps: one that said yes does not count. */
  const doubtful: MappingKey[] = []
  let isClosedOverIPv6 = false
  const notOpen: Port[] = []
  const told = (): readonly Piece[] => {
    const done = closed.splice(0).filter((key) => !doubtful.some((each) => isSame(each, key)))
    const others = notOpen.splice(0)
    const wholeNames = portNames(others).map((name) => name.replace(/ TCP and UDP$/, ''))
    return [
      ...(done.length === 0 ? [] : [good(`${subject(done, portNames(done), ['is', 'are'])} closed.\n`)]),
      ...(others.length === 0 ? [] : [good(`${subject(others, wholeNames, ['was', 'were'])} not open.\n`)]),
    ]
  }
  return {
    rows: {
      unmapped: ({ key }) => {
        closed.push(key)
        return []
      },
      'unmap-failed': ({ key, error }) => {
        doubtful.push(key)
        return [complaint(`Port ${key.externalPort} ${key.protocol} could not be closed: ${whyNot(error)}.\n`)]
      },
      'to-close': ({ mapping }) => {
        const heading = shown === 0 ? [plain(`${tableLine('', PORT_HEADINGS, width)}\n`)] : []
        shown++
        const cells = cellsOf(mapping, nowMs())
        return [...heading, plain(`${tableLine('', cells, width)}\n`)]
      },
      'left-alone': ({ mapping, reason }) => [
        plain(`Port ${mapping.externalPort} ${cleaned(mapping.protocol)} stays open: ${whyLeft(mapping, reason)}.\n`),
      ],
      'nothing-to-close': ({ left }) => [
        plain(left === 0 ? 'Nothing that upnp-ts has opened is open.\n' : 'There is nothing else to close.\n'),
      ],
      asked: ({ count }) => [remark(`Close ${count === 1 ? 'this port' : `these ${count} ports`}? [y/N] `)],
      declined: () => [plain('Nothing was closed.\n')],
      'pinhole-deleted': (report) => {
        if (!report.ok) return [complaint(`Over IPv6 it could not be closed: ${whyNot(report.error)}.\n`)]
        if (isClosedOverIPv6) return []
        isClosedOverIPv6 = true
        return [...told(), good(isMine ? 'What was open over IPv6 is closed.\n' : 'Over IPv6 it is closed too.\n')]
      },
      notice: (notice) => {
        if (notice.kind === 'nothing-open') {
          const { externalPort, protocols } = notice
          notOpen.push(...protocols.map((protocol) => ({ externalPort, protocol })))
          return []
        }
        if ('key' in notice && notice.kind !== 'made-by-another') doubtful.push(notice.key)
        return undefined
      },
    },
    end: told,
  }
}

function isSame(one: MappingKey, other: MappingKey): boolean {
  return one.externalPort === other.externalPort && one.protocol === other.protocol
}

/** An IPv6 address is too long for its column, so the last one has it. */
function cellsOf(mapping: PortMapping, nowMs: number): readonly string[] {
  const cells = portCells(mapping, endOf(mapping, nowMs), nowMs)
  const { internalClient } = mapping
  return internalClient.includes(':')
    ? [...cells.slice(0, 3).with(1, 'over IPv6'), `upnp-ts, to ${cleaned(internalClient)}`]
    : cells
}

function whyNot(error: ReportedError): string {
  if (error.number === undefined) return cleaned(error.message)
  const isNoRoom = error.name === 'NO_RESOURCES'
  return `your router refused it${codeOf(error)}${isNoRoom ? ', as some do if it is not open' : ''}`
}

function whyLeft({ internalClient, description }: PortMapping, reason: ReportOf<'left-alone'>['reason']): string {
  switch (reason) {
    case 'another-computer':
      return `it leads to another computer, ${cleaned(internalClient)} ('${cleaned(description)}')`
    case 'kept':
      return 'a running upnp-ts --keep keeps it open'
    case 'in-use':
      return 'a program listens on it'
    case 'use-unknown':
      return 'whether a program listens on it cannot be known from here'
    case 'another-router':
      return 'it was opened over IPv6 at a router that does not answer now'
  }
}

/** `Port 22 TCP is`, `Ports 2000-2099 TCP are` */
function subject(ports: readonly Port[], names: readonly string[], [is, are]: readonly [string, string]): string {
  const isOne = new Set(ports.map(({ externalPort }) => externalPort)).size === 1
  return isOne ? `Port ${listed(names)} ${is}` : `Ports ${listed(names)} ${are}`
}

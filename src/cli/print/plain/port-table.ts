/** A table of ports that fits the terminal: a line for the heading, and one for each port. Pure. */
import type { PortMapping } from '../../../domain/port-mapping.js'
import { cleaned } from '../clean.js'
import { cutTo, padded } from '../columns.js'
import { shortDateText } from './words.js'

/** Of the columns but the last one, which has the rest: a port and its protocol, an IPv4 address and a port, a date. */
const WIDTHS = [9, 21, 12] as const
/** Without a terminal nothing is cut. */
const LEAST_REST = 8
const MARKS_WIDTH = 2

export const PORT_HEADINGS = ['Port', 'Leads to', 'Until', 'Opened by'] as const

/** `marks`: what stands before the row, in two columns. `width`: of the terminal; undefined if there is none. */
export function tableLine(marks: string, cells: readonly string[], width: number | undefined): string {
  const [last = ''] = cells.slice(WIDTHS.length)
  const begin = WIDTHS.map((each, at) => padded(cells[at] ?? '', each)).join('  ')
  const rest =
    width === undefined ? last : cutTo(last, Math.max(LEAST_REST, width - MARKS_WIDTH - begin.length - 2 - 1))
  return `${marks.padEnd(MARKS_WIDTH)}${begin}  ${rest}`.trimEnd()
}

/** `endsWallMs`: when its lease ends; undefined if it does not say, Infinity if it has no end. */
export function portCells(mapping: PortMapping, endsWallMs: number | undefined, nowMs: number): readonly string[] {
  const { externalPort = '', protocol, internalClient, internalPort = '', description, remoteHost, enabled } = mapping
  const only = remoteHost === '' ? '' : ` (only for ${remoteHost})`
  const off = enabled === false ? ' (switched off)' : ''
  const until =
    endsWallMs === undefined
      ? ''
      : endsWallMs === Number.POSITIVE_INFINITY
        ? 'no end'
        : shortDateText(endsWallMs, nowMs)
  return [
    `${String(externalPort).padStart(5)} ${protocol}`,
    internalClient.includes(':') ? `[${internalClient}]:${internalPort}` : `${internalClient}:${internalPort}`,
    until,
    `${description}${only}${off}`,
  ].map(cleaned)
}

export function endOf({ leaseSeconds }: PortMapping, nowMs: number): number | undefined {
  if (leaseSeconds === undefined) return undefined
  return leaseSeconds === 0 ? Number.POSITIVE_INFINITY : nowMs + leaseSeconds * 1000
}

/** What a table comes to. */
export function sumText(count: number, own: number): string {
  if (count === 0) return 'No port is open. To open one: upnp-ts open 25565'
  const ofThese =
    own === count
      ? 'all of them lead'
      : own === 0
        ? 'none of them leads'
        : own === 1
          ? 'one of them leads'
          : `${own} of them lead`
  if (count === 1) return `One port is open${own === 1 ? ', and leads to this computer (*)' : ''}.`
  return `${count} ports are open, and ${ofThese} to this computer${own === 0 ? '' : ' (*)'}.`
}

/** Open ports of one family -> the lines that say where they are, where they lead, and until when. Pure. */
import { hostAndPort, isInternetAddress } from '../../../../domain/address.js'
import type { Server } from '../../../parse/server-table.js'
import { cleaned } from '../../clean.js'
import { good, type Piece, plain } from '../../pieces.js'
import { dateText, line, listed } from '../words.js'
import { handOverLine } from './hand-over.js'

/** A port that is open: outside, inside, and until when. */
export interface OpenedPort {
  readonly family: 4 | 6
  readonly protocols: readonly string[]
  readonly externalAddress: string | undefined
  readonly externalPort: number
  /** Another one was asked for, and was not free. */
  readonly instead: number | undefined
  readonly internalClient: string
  /** It leads to this computer. */
  readonly isHere: boolean
  readonly internalPort: number
  readonly remoteHost: string
  /** Undefined if it has no end. */
  readonly endsWallMs: number | undefined
  readonly reachable: boolean | undefined
}

/** Neighbours of a range, which are told in one breath. */
interface Run {
  readonly first: OpenedPort
  readonly count: number
}

/** What decides about the wording beside the ports. */
export interface Telling {
  readonly nowMs: number
  /** --as: what listens there. */
  readonly server: Server | undefined
  /** What ends it, in place of a date: `you press Ctrl-C`. */
  readonly end: string | undefined
  /** The port is open over both families, and this is the second one that is told. */
  readonly isBeside: boolean
}

export function openedText(ports: readonly OpenedPort[], telling: Telling): Piece[] {
  const runs = runsOf(merged(ports))
  const [run] = runs
  if (run === undefined) return []
  if (telling.isBeside) return runs.map((each) => besideText(each, telling))
  const { first } = run
  const over = first.family === 6 ? ' over IPv6' : ''
  const only = first.remoteHost === '' ? '' : `, for ${first.remoteHost} only`
  const instead = first.instead === undefined || runs.length > 1 ? '' : ` (${first.instead} was not free)`
  const names = listed(runs.map((each) => nameOf(each, runs.length === 1)))
  const noun = runs.length > 1 || run.count > 1 ? 'ports' : 'port'
  return [
    good(`Your router now lets ${noun} ${cleaned(names)} in${over}${cleaned(only)}${instead}.\n`),
    ...friendsText(runs),
    ...linesText(runs, telling.server),
    ...leadsText(runs),
    plain(line('Until', untilText(merged(ports), telling))),
  ]
}

/** `Over IPv6 friends connect to [2001:db8::5]:25565, until 7 December, 10:14.` */
function besideText(run: Run, { nowMs, end }: Telling): Piece {
  const { endsWallMs } = run.first
  const until = end !== undefined || endsWallMs === undefined ? '' : `, until ${dateText(endsWallMs, nowMs)}`
  const protocols = run.first.protocols.length > 1 ? ' (TCP and UDP)' : ''
  return good(`Over IPv6 friends connect to ${cleaned(endpointText(run))}${protocols}${until}.\n`)
}

/** The addresses that can be told to a friend: those of the internet. */
function friendsText(runs: readonly Run[]): Piece[] {
  const shown = runs.filter(({ first: { externalAddress = '' } }) => isInternetAddress(externalAddress))
  const isPlain = runs.length === 1 && runs[0]?.first.protocols.length === 1
  const label = shown.some(({ first }) => first.reachable === true) ? 'Friends connect to' : 'Address outside'
  return shown.map((run, at) => {
    const protocol = isPlain ? '' : ` (${run.first.protocols.join(' and ')})`
    const inside =
      run.first.externalPort === run.first.internalPort || runs.length === 1 ? '' : `, leads to port ${insideOf(run)}`
    return plain(line(at === 0 ? label : '', `${endpointText(run)}${protocol}${inside}`))
  })
}

/** What friends type, if that is more than where they connect to. */
function linesText(runs: readonly Run[], server: Server | undefined): Piece[] {
  const lines = runs.flatMap(({ first, count }) => {
    const { externalAddress = '', protocols } = first
    if (count > 1 || first.reachable === false || !isInternetAddress(externalAddress)) return []
    const line = handOverLine({ ...first, externalAddress, protocol: protocols.join('+') }, server)
    const isNoMore = line?.split(' ').at(-1) === endpointText({ first, count }) && line.split(' ').length === 2
    return line === undefined || (isNoMore && server === undefined) ? [] : [line]
  })
  return lines.map((each, at) => ({ ...plain(line(at === 0 ? 'Friends type' : '', each)), isWhole: true }))
}

function leadsText(runs: readonly Run[]): Piece[] {
  const clients = [...new Set(runs.map(({ first }) => first.internalClient))]
  const isOne = runs.length === 1
  return clients.map((client) => {
    const who = runs.some(({ first }) => first.internalClient === client && first.isHere)
      ? `this computer (${client})`
      : client
    const port = !isOne
      ? ''
      : runs[0]?.count === 1
        ? `, port ${insideOf(runs[0])}`
        : `, ports ${runs[0] && insideOf(runs[0])}`
    return plain(line(isOne && runs[0]?.count === 1 ? 'It leads to' : 'They lead to', `${who}${port}`))
  })
}

function untilText(ports: readonly OpenedPort[], { nowMs, end }: Telling): string {
  if (end !== undefined) return end
  const ends = ports.flatMap(({ endsWallMs }) => endsWallMs ?? [])
  const it = ports.length === 1 ? 'it' : 'them'
  if (ends.length === 0)
    return ports.length === 1 ? 'it is closed, or the router restarts' : 'they are closed, or the router restarts'
  const dates = [...new Set(ends.map((each) => dateText(each, nowMs)))]
  const first = dateText(Math.min(...ends), nowMs)
  const which = dates.length > 1 || ends.length < ports.length ? ' for the first of them' : ''
  return `${first}${which}; add --keep to keep ${it} open`
}

/** `25565 TCP`, `53 TCP and UDP`, `27015-27030 UDP` */
function nameOf(run: Run, isAlone: boolean): string {
  return `${outsideOf(run)} ${run.first.protocols.join(isAlone ? ' and ' : '+')}`
}

function endpointText(run: Run): string {
  const { externalAddress = '', externalPort } = run.first
  if (run.count === 1) return hostAndPort({ address: externalAddress, port: externalPort })
  return `${externalAddress}, ports ${outsideOf(run)}`
}

function outsideOf({ first: { externalPort }, count }: Run): string {
  return count === 1 ? String(externalPort) : `${externalPort}-${externalPort + count - 1}`
}

function insideOf({ first: { internalPort }, count }: Run): string {
  return count === 1 ? String(internalPort) : `${internalPort}-${internalPort + count - 1}`
}

/** TCP and UDP on the same port are one. */
export function merged(ports: readonly OpenedPort[]): readonly OpenedPort[] {
  const all: OpenedPort[] = []
  for (const port of ports) {
    const twin = all.findIndex((each) => isSameBut(each, port))
    const other = all[twin]
    if (other === undefined) all.push(port)
    else all[twin] = { ...other, protocols: [...other.protocols, ...port.protocols].toSorted() }
  }
  return all
}

function isSameBut(one: OpenedPort, other: OpenedPort): boolean {
  return (
    one.externalPort === other.externalPort &&
    one.internalPort === other.internalPort &&
    one.internalClient === other.internalClient &&
    one.externalAddress === other.externalAddress &&
    one.family === other.family &&
    !other.protocols.some((protocol) => one.protocols.includes(protocol))
  )
}

function runsOf(ports: readonly OpenedPort[]): readonly Run[] {
  const runs: Run[] = []
  for (const port of ports) {
    const last = runs.at(-1)
    if (last !== undefined && continues(last, port)) runs[runs.length - 1] = { ...last, count: last.count + 1 }
    else runs.push({ first: port, count: 1 })
  }
  return runs
}

function continues({ first, count }: Run, next: OpenedPort): boolean {
  return (
    next.externalPort === first.externalPort + count &&
    next.internalPort === first.internalPort + count &&
    next.internalClient === first.internalClient &&
    next.externalAddress === first.externalAddress &&
    next.instead === undefined &&
    next.protocols.join() === first.protocols.join()
  )
}

/**
 * `watch` on a terminal: a screen of its own, drawn as a whole once a second and after every change. What has come is
 * marked as new for some seconds, and what has gone stays for as long.
 */
import { isInternetAddress, isNoAddress, knownAddress } from '../../../../domain/address.js'
import type { PortMapping } from '../../../../domain/port-mapping.js'
import type { Report } from '../../../report.js'
import { cleaned, withShortTexts } from '../../clean.js'
import { cutTo } from '../../columns.js'
import { bad, good, hint, type Piece, plain } from '../../pieces.js'
import { endOf, PORT_HEADINGS, portCells, sumText, tableLine } from '../port-table.js'
import { spanText, titleOf } from '../status.js'
import { line, listed } from '../words.js'

/** For so long a row is new, or shown although it is gone. */
export const SHOWN_MS = 10_000
const DRAWN_EVERY_MS = 1000

interface Row {
  readonly mapping: PortMapping
  readonly endsWallMs: number | undefined
  readonly change?: { readonly kind: 'new' | 'gone'; readonly wallMs: number }
}

/** What is known of the router, from the Reports so far. */
export class WatchedRouter {
  #router = 'looking for it'
  #localAddress: string | undefined
  #address: string | undefined
  #connection: { readonly status: string; readonly sinceMs: number | undefined } | undefined
  #lostWallMs: number | undefined
  #restartedWallMs = Number.NEGATIVE_INFINITY
  /** Whether its table is known. */
  #isRead = false
  #isRemembered = false
  #refusal: string | undefined
  readonly #rows = new Map<string, Row>()

  hear(whole: Report, nowMs: number): void {
    const report = withShortTexts(whole)
    if (report.type === 'router')
      this.#router = `${report.address ?? 'at an unknown address'}, speaks ${listed(report.protocols.map(titleOf))}`
    else if (report.type === 'local-address') this.#localAddress = report.address
    else if (report.type === 'external-address') this.#address = report.ok ? report.address : undefined
    else if (report.type === 'external-address-changed') this.#address = report.address
    else if (report.type === 'status' && report.ok)
      this.#connection = { status: report.connectionStatus, sinceMs: report.connectedSinceMs }
    else if (report.type === 'gateway-lost') this.#lostWallMs = report.timeMs
    else if (report.type === 'gateway-back') this.#lostWallMs = undefined
    else if (report.type === 'gateway-restarted') this.#restartedWallMs = report.timeMs
    else if (report.type === 'listing-failed') this.#refusal = report.error.message
    else if (report.type === 'listing-end') {
      this.#isRead = true
      this.#isRemembered = report.endedBy === 'memory'
    } else if (report.type === 'port-gone') this.#setRow(report.mapping, nowMs, { kind: 'gone', wallMs: report.timeMs })
    else if (report.type === 'port-renewed') this.#setRow(report.mapping, nowMs)
    else if (report.type === 'port-appeared') {
      this.#refusal = undefined
      this.#setRow(report.mapping, nowMs, report.wasThere ? undefined : { kind: 'new', wallMs: report.timeMs })
    }
  }

  #setRow(mapping: PortMapping, nowMs: number, change?: Row['change']): void {
    const { externalPort, protocol, remoteHost, internalClient, internalPort, description } = mapping
    const name = JSON.stringify([externalPort, protocol, remoteHost, internalClient, internalPort, description])
    const changed = change ?? this.#rows.get(name)?.change
    this.#rows.set(name, { mapping, endsWallMs: endOf(mapping, nowMs), ...(changed && { change: changed }) })
  }

  /** The whole screen: no more lines than `height`, and none of them wider than `width`. */
  screen({ nowMs, width, height }: { nowMs: number; width: number; height: number }): readonly Piece[] {
    this.#forgetOldChanges(nowMs)
    const rows = this.#sorted()
    const open = rows.filter(({ change }) => change?.kind !== 'gone')
    const isOwn = ({ mapping }: Row): boolean => mapping.internalClient === this.#localAddress
    const head = [...this.#headLines(nowMs), plain('')]
    const known = this.#isRead ? sumText(open.length, open.filter(isOwn).length) : "Reading the router's list ..."
    const sum =
      this.#refusal === undefined
        ? plain(known)
        : bad(`The router does not say which ports it has open: ${cleaned(this.#refusal)}.`)
    const remembered = this.#isRemembered
      ? [plain('The router cannot tell what it has open: these were opened with upnp-ts.')]
      : []
    const foot = [sum, ...remembered, hint(`${clockText(nowMs)}   + new   - gone   Ctrl-C ends this`)]
    const heading = rows.length === 0 ? [] : [plain(tableLine('', PORT_HEADINGS, width))]
    const room = Math.max(0, height - head.length - heading.length - foot.length)
    const shown = rows.length <= room ? rows : rows.slice(0, Math.max(0, room - 1))
    const body = shown.map((row) => {
      const { mapping, endsWallMs, change } = row
      const news = change === undefined ? ' ' : change.kind === 'new' ? '+' : '-'
      const text = tableLine(`${isOwn(row) ? '*' : ' '}${news}`, portCells(mapping, endsWallMs, nowMs), width)
      return change?.kind === 'gone'
        ? bad(text)
        : change?.kind === 'new'
          ? hint(text)
          : isOwn(row)
            ? good(text)
            : plain(text)
    })
    const rest = rows.length - body.length
    const more = rest === 0 ? [] : [plain(`  and ${rest} more; upnp-ts list shows all of them`)]
    return [...head, ...heading, ...body, ...more, ...foot]
      .slice(0, height)
      .map((piece) => ({ ...piece, stream: 'stdout', text: cutTo(piece.text, width - 1) }))
  }

  #headLines(nowMs: number): readonly Piece[] {
    const of = (label: string, text: string): Piece => plain(line(label, text).trimEnd())
    const address = knownAddress(this.#address)
    const lines = [of('Your router', this.#router)]
    if (this.#lostWallMs !== undefined)
      lines.push(bad(line('', `does not answer since ${clockText(this.#lostWallMs)}; looking for it`).trimEnd()))
    if (nowMs - this.#restartedWallMs < SHOWN_MS)
      lines.push(bad(line('', 'has restarted, and has forgotten the ports of before').trimEnd()))
    if (this.#connection !== undefined) {
      const { status, sinceMs } = this.#connection
      const since = sinceMs === undefined ? '' : `, for ${spanText(Math.max(0, nowMs - sinceMs) / 1000)}`
      lines.push(of('It is connected', status === 'Connected' ? `yes${since}` : `it says '${status}'`))
    }
    if (this.#address !== undefined)
      lines.push(of('Its address', address === undefined || isNoAddress(address) ? 'none' : addressText(address)))
    if (this.#localAddress !== undefined) lines.push(of('This computer', this.#localAddress))
    return lines
  }

  #forgetOldChanges(nowMs: number): void {
    for (const [name, { change, ...row }] of this.#rows) {
      if (change === undefined || nowMs - change.wallMs < SHOWN_MS) continue
      if (change.kind === 'gone') this.#rows.delete(name)
      else this.#rows.set(name, row)
    }
  }

  /** What has changed comes first, and then this computer's, so that a screen that is too small has them. */
  #sorted(): readonly Row[] {
    const rank = ({ change, mapping }: Row): number =>
      change !== undefined ? 0 : mapping.internalClient === this.#localAddress ? 1 : 2
    const port = ({ mapping }: Row): number => mapping.externalPort ?? 0
    return [...this.#rows.values()].toSorted(
      (a, b) => rank(a) - rank(b) || port(a) - port(b) || a.mapping.protocol.localeCompare(b.mapping.protocol),
    )
  }
}

function addressText(address: string): string {
  return isInternetAddress(address) ? address : `${address}, which the internet cannot reach`
}

/** `09:14:03`, local time. */
function clockText(wallMs: number): string {
  return new Date(wallMs).toTimeString().slice(0, 8)
}

/** What the screen is drawn with. */
export interface ScreenPlace {
  readonly write: (text: string) => void
  readonly paint: (piece: Piece) => string
  readonly size: () => { readonly width: number; readonly height: number }
  readonly nowMs: () => number
  readonly schedule: (delayMs: number, task: () => void) => () => void
}

const ENTER = '\x1b[?1049h\x1b[?25l'
const LEAVE = '\x1b[?25h\x1b[?1049l'

/** Takes the terminal's other screen until it is left. */
export class WatchScreen {
  readonly #place: ScreenPlace
  readonly #router = new WatchedRouter()
  #cancel: () => void = () => {}
  #isOpen = false

  constructor(place: ScreenPlace) {
    this.#place = place
  }

  enter(): void {
    this.#isOpen = true
    this.#place.write(ENTER)
    this.#drawAgain()
  }

  hear(report: Report): void {
    this.#router.hear(report, this.#place.nowMs())
  }

  draw(): void {
    if (!this.#isOpen) return
    const lines = this.#router.screen({ nowMs: this.#place.nowMs(), ...this.#place.size() })
    // The rest of each line is erased, and nothing scrolls, because the last line does not end.
    const text = lines.map((piece) => `${this.#place.paint(piece)}\x1b[K`).join('\n')
    this.#place.write(`\x1b[H${text}\x1b[J`)
  }

  /** The terminal is as it was before. May be called more than once. */
  leave(): void {
    this.#cancel()
    if (this.#isOpen) this.#place.write(LEAVE)
    this.#isOpen = false
  }

  #drawAgain(): void {
    this.draw()
    this.#cancel = this.#place.schedule(DRAWN_EVERY_MS, () => this.#drawAgain())
  }
}

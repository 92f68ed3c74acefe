/** The pieces that reports are rendered into, and upnpc's way to show an error. */

import type { GatewayProtocol } from '../../domain/port-mapping.js'
import type { ReportedError } from '../report.js'
import { cleaned } from './clean.js'
import { type Asked, hintFor } from './hints.js'

/** A piece of text, where it goes, and how it is meant. */
export interface Piece {
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
  readonly tone: 'plain' | 'good' | 'bad' | 'hint'
}

export function plain(text: string): Piece {
  return { stream: 'stdout', text, tone: 'plain' }
}

export function good(text: string): Piece {
  return { stream: 'stdout', text, tone: 'good' }
}

export function bad(text: string): Piece {
  return { stream: 'stdout', text, tone: 'bad' }
}

export function complaint(text: string): Piece {
  return { stream: 'stderr', text, tone: 'bad' }
}

export function hint(text: string): Piece {
  return { stream: 'stderr', text, tone: 'hint' }
}

export function withHint(piece: Piece, error: ReportedError, asked?: Asked): Piece[] {
  const advice = hintFor(error, asked)
  return advice === undefined ? [piece] : [piece, hint(`hint: ${cleaned(advice)}\n`)]
}

/** upnpc's numbers for what is not a UPnP error: -3 nothing usable over HTTP, -4 a reply that makes no sense. */
export function upnpcCode(error: ReportedError): number {
  if (error.number !== undefined) return error.number
  return error.code === 'MALFORMED_MESSAGE' ? -4 : -3
}

/** `via`: PCP and NAT-PMP go over UDP, where nothing can go wrong with HTTP. */
export function codeAndName(error: ReportedError, via: GatewayProtocol = 'igd'): string {
  const isHttp = via === 'igd'
  const failure = isHttp ? 'Miniupnpc HTTP error' : error.code === 'NO_REPLY' ? 'no answer' : 'cannot be asked'
  const name = error.name ?? (error.code === 'MALFORMED_MESSAGE' ? 'Miniupnpc Invalid response' : failure)
  return `${upnpcCode(error)} (${cleaned(name)})`
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** As C's ctime() writes it: local time, `Mon Nov 23 23:25:19 2026`, the day of the month padded with a blank. */
export function ctime(wallMs: number): string {
  const time = new Date(Math.floor(wallMs / 1000) * 1000)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = String(time.getDate()).padStart(2)
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
  return `${DAYS[time.getDay()]} ${MONTHS[time.getMonth()]} ${day} ${clock} ${time.getFullYear()}`
}

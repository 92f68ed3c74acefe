/** Pieces: what Reports are rendered into. Also upnpc's way of showing errors and times. */

import { type Asked, hintFor } from '../../domain/hints.js'
import type { GatewayProtocol } from '../../domain/port-mapping.js'
import type { ReportedError } from '../report.js'
import { cleaned } from './clean.js'

/** A piece of text, the stream that it goes to, and its tone, which decides the colour. */
export interface Piece {
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
  readonly tone: 'plain' | 'good' | 'bad' | 'hint'
  /** To be copied, or a picture: its lines are never broken. */
  readonly isWhole?: boolean
}

const made =
  (stream: Piece['stream'], tone: Piece['tone']) =>
  (text: string): Piece => ({ stream, text, tone })

export const plain = made('stdout', 'plain')
export const good = made('stdout', 'good')
export const bad = made('stdout', 'bad')
export const complaint = made('stderr', 'bad')
export const remark = made('stderr', 'plain')
export const hint = made('stderr', 'hint')

export function withHint(piece: Piece, error: ReportedError, asked?: Asked): Piece[] {
  const advice = hintFor(error, asked)
  return advice === undefined ? [piece] : [piece, hint(`hint: ${cleaned(advice)}\n`)]
}

/** For errors that are not UPnP errors, upnpc has its own numbers: -3 no usable HTTP reply, -4 a malformed reply. */
export function upnpcCode(error: ReportedError): number {
  if (error.number !== undefined) return error.number
  return error.code === 'MALFORMED_MESSAGE' ? -4 : -3
}

/** PCP and NAT-PMP use UDP, so with such a `via` no text speaks of HTTP. */
export function codeAndName(error: ReportedError, via: GatewayProtocol = 'igd'): string {
  const isHttp = via === 'igd'
  const failure = isHttp ? 'Miniupnpc HTTP error' : error.code === 'NO_REPLY' ? 'no answer' : 'cannot be asked'
  const name = error.name ?? (error.code === 'MALFORMED_MESSAGE' ? 'Miniupnpc Invalid response' : failure)
  return `${upnpcCode(error)} (${cleaned(name)})`
}

/** The local time as C's ctime() writes it: `Mon Nov 23 23:25:19 2026`, the day of the month padded with a blank. */
export function ctime(wallMs: number): string {
  const [weekday, month, day = '', year, time] = new Date(wallMs).toString().split(' ') // in English (ECMA-262 21.4.4.41)
  return `${weekday} ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`
}

/** The pieces that reports are rendered into, and upnpc's way to show an error. */
import { cleaned } from './clean.js'
import { hintFor } from './hints.js'
import type { ReportedError } from './report.js'

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

export function withHint(piece: Piece, error: ReportedError): Piece[] {
  const advice = hintFor(error)
  return advice === undefined ? [piece] : [piece, hint(`hint: ${cleaned(advice)}\n`)]
}

/** upnpc's numbers for what is not a UPnP error: -3 nothing usable over HTTP, -4 a reply that makes no sense. */
export function upnpcCode(error: ReportedError): number {
  if (error.number !== undefined) return error.number
  return error.code === 'MALFORMED_MESSAGE' ? -4 : -3
}

export function codeAndName(error: ReportedError): string {
  const name =
    error.name ?? (error.code === 'MALFORMED_MESSAGE' ? 'Miniupnpc Invalid response' : 'Miniupnpc HTTP error')
  return `${upnpcCode(error)} (${cleaned(name)})`
}

/**
 * Writes Reports to the streams, as text or as JSON. With --quiet, it writes only what went wrong, and only once that
 * matters. It notices that the reader has gone (`| head -1`).
 */
import type { TracedMessage } from '../../client/trace.js'
import type { Ignored } from '../../domain/ignored.js'
import type { Output } from '../parse/output-options.js'
import type { Report } from '../report.js'
import { cleaned, shortened, withShortTexts } from './clean.js'
import { wantsColour } from './colour.js'
import { renderJson } from './json.js'
import type { Piece } from './pieces.js'
import type { SignPlace } from './sign-of-life.js'
import { complaintsAmong } from './text.js'
import { upnpcVoice, type Voice } from './voice.js'

export interface OutputStream {
  write(text: string): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  readonly isTTY?: boolean
  /** Of a terminal. */
  readonly columns?: number | undefined
  readonly rows?: number | undefined
  /** Whether whoever writes there directly would have to wait. */
  readonly isFull?: boolean
}

export interface Streams {
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly env: Readonly<Record<string, string | undefined>>
  /** Ends output that may still be on its way. */
  readonly end?: () => Promise<void>
}

/** What is on the terminal, and has to go before anything else is written. */
interface Erasable {
  erase(): void
}

type Paint = (text: string, tone: Piece['tone']) => string

export class Printer {
  readonly #output: Output
  readonly #streams: Streams
  #paint: Readonly<Record<Piece['stream'], Paint>> = { stdout: (text) => text, stderr: (text) => text }
  readonly #voice: Voice
  /** --json: whether the first object, which has the version, was written. */
  #hasReported = false
  /** --quiet: the Reports about failures so far, and what there is to say of them. */
  readonly #held: { readonly report: Report | undefined; readonly pieces: readonly Piece[] }[] = []
  /** --verbose: the first of each kind that was ignored, and how many there were. */
  readonly #ignored = new Map<Ignored['kind'], { readonly first: string; count: number }>()
  #sign: Erasable | undefined
  /** Whether nobody reads stdout any more. */
  readerIsGone = false
  /** Why output was lost, if the cause is not that the reader has gone: a full disk, for example. */
  failure: Error | undefined

  constructor(output: Output, streams: Streams, voice = upnpcVoice(output.compat)) {
    this.#output = output
    this.#voice = voice
    this.#streams = streams
    streams.stdout.on('error', (error) => {
      this.readerIsGone = true
      if (!isReaderGone(error)) this.failure ??= error
    })
    streams.stderr.on('error', () => {})
  }

  /** Loads chalk, if there is a stream to paint. */
  async prepare(): Promise<void> {
    const { json, color } = this.#output
    const { stdout, stderr, env } = this.#streams
    const levelOf = ({ isTTY = false }: OutputStream): 0 | 1 => (wantsColour(env, isTTY, color) ? 1 : 0)
    const levels = { stdout: levelOf(stdout), stderr: levelOf(stderr) }
    if (json || (levels.stdout === 0 && levels.stderr === 0)) return
    const { Chalk } = await import('chalk')
    const paintAt = (level: 0 | 1): Paint => {
      const { green, red, yellow } = new Chalk({ level })
      return (text, tone) => {
        const style = { plain: undefined, good: green, bad: red, hint: yellow }[tone]
        const [, content = '', ending = ''] = /^(.*[^\n]|)(\n*)$/s.exec(text) ?? []
        return style === undefined ? text : style(content) + ending
      }
    }
    this.#paint = { stdout: paintAt(levels.stdout), stderr: paintAt(levels.stderr) }
  }

  report(report: Report): void {
    const { json, verbose } = this.#output
    if (report.type === 'renewed' && report.changesNothing === true && !json && !verbose) return
    this.#say(report, this.#voice.render(report))
  }

  /** Says what is left to say when the command is over. */
  finish(exitCode: number): void {
    this.#say(undefined, this.#voice.end(exitCode))
  }

  /** A signal ends the command now. */
  interrupted(): void {
    this.#say(undefined, this.#voice.interrupted?.() ?? [])
    this.complain()
  }

  /** The terminal shows `^C` where the cursor was. */
  leaveLine(): void {
    if (!this.#output.json && this.#streams.stderr.isTTY === true) this.#write('stderr', '\n')
  }

  #say(report: Report | undefined, pieces: readonly Piece[]): void {
    if (!this.#output.quiet) {
      this.#print(report, pieces)
      return
    }
    const complaints = complaintsAmong(pieces, report)
    if (complaints.length > 0) this.#held.push({ report, pieces: complaints })
  }

  /** With --quiet, prints what went wrong: the command has failed, or it runs for a long time. */
  complain(): void {
    for (const { report, pieces } of this.#held.splice(0)) this.#print(report, pieces)
  }

  #print(report: Report | undefined, pieces: readonly Piece[]): void {
    if (this.#output.json) {
      if (report === undefined) return
      this.#write('stdout', renderJson(report, !this.#hasReported))
      this.#hasReported = true
      return
    }
    for (const piece of pieces) this.#write(piece.stream, this.painted({ ...piece, text: this.#fitted(piece) }))
  }

  #fitted({ stream, text, isWhole = false }: Piece): string {
    const { columns } = this.#streams[stream]
    return isWhole || !columns ? text : (this.#voice.fit?.(text, columns) ?? text)
  }

  /** --verbose: prints a line about one message on stderr. The other output stays the same. */
  trace(message: TracedMessage): void {
    this.#write('stderr', traceLine(message))
  }

  /** --verbose: prints a line about the first of each kind, and then whenever there are twice as many. */
  ignored(ignored: Ignored, timeMs: number): void {
    const known = this.#ignored.get(ignored.kind) ?? { first: ignoredText(ignored), count: 0 }
    this.#ignored.set(ignored.kind, known)
    known.count++
    if (Number.isInteger(Math.log2(known.count)))
      this.#write('stderr', `${cleaned(`${iso(timeMs)} ! ${ignoredText(ignored)} (${known.count} so far)`)}\n`)
  }

  /** --verbose: at the end, how many of each kind were ignored. */
  tellIgnored(): void {
    for (const { first, count } of this.#ignored.values())
      if (count > 1) this.#write('stderr', `${cleaned(`${count} times ${first}`)}\n`)
  }

  /** If output was lost, says why on stderr. Returns whether it was. */
  tellFailure(): boolean {
    if (this.failure === undefined) return false
    this.#write('stderr', `the output could not be written: ${this.failure.message}\n`)
    return true
  }

  /** The line about lines of a keeper that were dropped, because nobody read them. */
  droppedLine(timeMs: number, count: number): string {
    const report = { type: 'lines-dropped', timeMs, count } as const
    if (this.#output.json) return renderJson(report)
    return this.#voice
      .render(report)
      .map(({ stream, text, tone }) => this.#paint[stream](text, tone))
      .join('')
  }

  end(): Promise<void> {
    return this.#streams.end?.() ?? Promise.resolve()
  }

  /** Prints text that is not a Report: the banner, the help. Prints nothing with --json or --quiet. */
  text(text: string): void {
    if (!this.#output.json && !this.#output.quiet) this.#write('stdout', text)
  }

  /** The sign of life is erased before anything is written. Returns where to show it, if anybody is to see it. */
  placeFor(sign: Erasable): SignPlace | undefined {
    const { json, quiet, verbose } = this.#output
    const { stderr, env } = this.#streams
    if (json || quiet || verbose || stderr.isTTY !== true || env.TERM === 'dumb') return undefined
    this.#sign = sign
    return stderr
  }

  /** Whether the answer may have a screen of its own: nothing else is printed to the terminal meanwhile. */
  get hasScreen(): boolean {
    const { json, quiet, verbose } = this.#output
    const { stdout, env } = this.#streams
    return stdout.isTTY === true && env.TERM !== 'dumb' && !json && !quiet && !verbose
  }

  painted({ stream, text, tone }: Piece): string {
    return this.#paint[stream](text, tone)
  }

  #write(stream: Piece['stream'], text: string): void {
    this.#sign?.erase()
    if (stream === 'stdout' && this.readerIsGone) return
    this.#streams[stream].write(text)
  }
}

function isReaderGone(error: Error): boolean {
  return 'code' in error && (error.code === 'EPIPE' || error.code === 'ECONNRESET')
}

const SIGNS: Readonly<Record<TracedMessage['direction'], string>> = { sent: '>', received: '<', failed: '!' }

/** `2026-11-24T09:14:03.118Z < HTTP 192.168.1.1:5000/ctl AddPortMapping: 500 718 ConflictInMappingEntry (412 bytes)` */
export function traceLine(message: TracedMessage): string {
  const { timeMs, direction, protocol, peer, action, result, bytes } = withShortTexts(message)
  const words = [iso(timeMs), SIGNS[direction], protocol, peer, action].filter((word) => word !== '')
  const answer = result === undefined ? '' : `: ${result}`
  const size = direction === 'failed' ? '' : ` (${bytes} ${bytes === 1 ? 'byte' : 'bytes'})`
  return `${cleaned(words.join(' ') + answer + size)}\n`
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString()
}

/** `ignored a datagram (192.168.1.66:1900), for a defect of upnp-ts: TypeError: x is undefined` */
function ignoredText({ kind, from, error }: Ignored): string {
  return `ignored a ${kind}${from === '' ? '' : ` (${shortened(from)})`}, for a defect of upnp-ts: ${shortened(String(error))}`
}

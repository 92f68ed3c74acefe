/**
 * Reports -> the streams, as text or as JSON; with --quiet only what went wrong, once it matters. It notices when whoever reads has gone (`| head -1`), and paints only
 * where a person looks: a terminal, or FORCE_COLOR; NO_COLOR and a dumb terminal are obeyed.
 */
import type { TracedMessage } from '../../client/trace.js'
import type { Output } from '../parse/invocation.js'
import type { Report } from '../report.js'
import { renderJson } from './json.js'
import type { Piece } from './pieces.js'
import { DEVICES_HEADING, renderComplaints, renderText } from './text.js'
import { traceLine } from './trace-text.js'

export interface OutputStream {
  write(text: string): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  readonly isTTY?: boolean
}

export interface Streams {
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly env: Readonly<Record<string, string | undefined>>
}

type Paint = (text: string, tone: Piece['tone']) => string

export class Printer {
  readonly #output: Output
  readonly #streams: Streams
  #paint: Readonly<Record<Piece['stream'], Paint>> = { stdout: (text) => text, stderr: (text) => text }
  #headingPrinted = false
  /** --json: the first object has the version. */
  #hasReported = false
  /** --quiet: what went wrong so far. */
  readonly #held: Report[] = []
  /** Nobody reads stdout any more. */
  readerIsGone = false
  /** Why what stdout was given is lost, where that is not because nobody wants it: a full disk, say. */
  failure: Error | undefined

  constructor(output: Output, streams: Streams) {
    this.#output = output
    this.#streams = streams
    streams.stdout.on('error', (error) => {
      this.readerIsGone = true
      if (!isReaderGone(error)) this.failure ??= error
    })
    streams.stderr.on('error', () => {})
  }

  /** Loads chalk, if there is a terminal to paint. */
  async prepare(): Promise<void> {
    const { stdout, stderr, env } = this.#streams
    if (this.#output.json || !(wantsColour(stdout, env) || wantsColour(stderr, env))) return
    const { Chalk } = await import('chalk')
    const chalk = new Chalk({ level: 1 })
    const paint: Paint = (text, tone) => {
      const style = { plain: undefined, good: chalk.green, bad: chalk.red, hint: chalk.yellow }[tone]
      return style === undefined ? text : style(text.replace(/\n+$/, '')) + (/\n+$/.exec(text)?.[0] ?? '')
    }
    const none: Paint = (text) => text
    this.#paint = { stdout: wantsColour(stdout, env) ? paint : none, stderr: wantsColour(stderr, env) ? paint : none }
  }

  report(report: Report): void {
    if (!this.#output.quiet) this.#print(report, renderText(report, this.#output.compat))
    else if (renderComplaints(report).length > 0) this.#held.push(report)
  }

  /** What went wrong is to be seen with --quiet too: the command has failed, or goes on for long. */
  complain(): void {
    for (const report of this.#held.splice(0)) this.#print(report, renderComplaints(report))
  }

  #print(report: Report, pieces: readonly Piece[]): void {
    if (this.#output.json) {
      this.#write('stdout', renderJson(report, !this.#hasReported))
      this.#hasReported = true
      return
    }
    if (report.type === 'device' && !this.#headingPrinted) {
      this.#headingPrinted = true
      this.#write('stdout', DEVICES_HEADING)
    }
    for (const { stream, text, tone } of pieces) this.#write(stream, this.#paint[stream](text, tone))
  }

  /** --verbose: beside the output, which stays as it is. */
  trace(message: TracedMessage): void {
    this.#write('stderr', traceLine(message))
  }

  /** Text that is no report: the banner, help. Not with --json or --quiet. */
  text(text: string): void {
    if (!this.#output.json && !this.#output.quiet) this.#write('stdout', text)
  }

  #write(stream: Piece['stream'], text: string): void {
    if (stream === 'stdout' && this.readerIsGone) return
    this.#streams[stream].write(text)
  }
}

function isReaderGone(error: Error): boolean {
  return 'code' in error && (error.code === 'EPIPE' || error.code === 'ECONNRESET')
}

/** no-color.org; FORCE_COLOR as Node and chalk understand it. */
function wantsColour(stream: OutputStream, env: Streams['env']): boolean {
  if ((env.NO_COLOR ?? '') !== '') return false
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false'
  return stream.isTTY === true && env.TERM !== 'dumb'
}

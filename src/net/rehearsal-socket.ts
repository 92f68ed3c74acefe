/**
 * A connection to nobody that answers what it is asked with canned replies: to run through the code of a request once
 * while there is nothing else to do. JavaScript is compiled at its first run, and that is most of what a request costs.
 */
import { Duplex } from 'node:stream'

/** `answer` gets the whole request as it was written. */
export class RehearsalSocket extends Duplex {
  readonly localAddress = '127.0.0.1'
  readonly remoteAddress = '127.0.0.1'
  readonly bytesRead = 0
  readonly #answer: (request: string) => string

  constructor(answer: (request: string) => string) {
    super()
    this.#answer = answer
    setImmediate(() => this.emit('connect'))
  }

  override _read(): void {}

  override _write(piece: Buffer, _encoding: string, done: () => void): void {
    this.push(this.#answer(piece.toString()))
    done()
  }
}

/** Unix stream sockets: one question and its answer on one fresh connection, before an absolute deadline. */
import { accessSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { NoReplyError, TransportError } from '../domain/errors.js'
import { type Clock, deadlineAfter } from './clock.js'

export interface UnixExchangeOptions {
  /** From now to the last byte of the answer. */
  readonly timeoutMs: number
  /** A longer answer is an error. */
  readonly maxBytes: number
  /** True once the answer is whole. Called after every read, with all bytes so far. An error ends the exchange. */
  readonly isComplete: (answer: Uint8Array) => boolean
  readonly signal?: AbortSignal | undefined
}

export interface UnixStreams {
  /**
   * Resolves as soon as the answer is complete. If the other side closes, it resolves with the bytes so far, even none.
   * @throws NoReplyError after `timeoutMs`; the signal's reason if that is an error; TransportError otherwise
   */
  exchange(path: string, question: Uint8Array, options: UnixExchangeOptions): Promise<Uint8Array>
}

export function createUnixStreams(clock: Clock): UnixStreams {
  return {
    async exchange(path, question, options) {
      const { timeoutMs, signal } = options
      const late = (): Error => new NoReplyError(`${path} did not answer within ${Math.round(timeoutMs)} ms`)
      const deadline = deadlineAfter(clock, timeoutMs, late, signal)
      try {
        mustExist(path)
        if (deadline.signal.aborted) throw reasonOf(deadline.signal, path)
        return await converse(connect({ path }), path, question, options, deadline.signal)
      } finally {
        deadline.dispose()
      }
    },
  }
}

/** Most computers have no such socket, and Windows never has. */
function mustExist(path: string): void {
  try {
    accessSync(path)
  } catch (cause) {
    throw failure(path, cause)
  }
}

function failure(path: string, cause: unknown): TransportError {
  return new TransportError(`${path}: ${cause instanceof Error ? cause.message : 'failed'}`, { cause })
}

function reasonOf(signal: AbortSignal, path: string): Error {
  return signal.reason instanceof Error ? signal.reason : new TransportError(`${path}: cancelled`)
}

function converse(
  socket: Socket,
  path: string,
  question: Uint8Array,
  { maxBytes, isComplete }: UnixExchangeOptions,
  signal: AbortSignal,
): Promise<Uint8Array> {
  let answer = Buffer.alloc(0)
  const finished = new Promise<Uint8Array>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(reasonOf(signal, path)), { once: true })
    socket.on('data', (piece) => {
      if (answer.length + piece.length > maxBytes) {
        reject(new TransportError(`${path} answered with more than ${maxBytes} bytes`))
        return
      }
      answer = Buffer.concat([answer, piece])
      try {
        if (isComplete(answer)) resolve(answer)
      } catch (error) {
        reject(error)
      }
    })
    socket.on('end', () => resolve(answer))
    socket.on('error', (cause) => reject(failure(path, cause)))
    socket.write(question)
  })
  return finished.finally(() => socket.destroy())
}

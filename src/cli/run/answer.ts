/** The answer of a person to a question with yes or no. */
import { TransportError } from '../../domain/errors.js'
import { firstLineOf } from '../../net/files/secret-file.js'

type Keyboard = AsyncIterable<string | Uint8Array> & { destroy?(): unknown }

/** Whatever is not yes is no. When the signal aborts, it is not waited for any longer. */
export async function answerFrom(keyboard: Keyboard, signal: AbortSignal): Promise<boolean> {
  const stop = (): void => void keyboard.destroy?.()
  signal.addEventListener('abort', stop, { once: true })
  try {
    return /^\s*y(es)?\s*$/i.test(await firstLineOf(keyboard))
  } catch (error) {
    if (error instanceof TransportError || signal.aborted) return false
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

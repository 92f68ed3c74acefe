/** Reads a secret that a user hands over in a file or on standard input, where no other user sees it. */
import { TransportError } from '../../domain/errors.js'
import { reasonOf } from '../system-error.js'
import { followNamedLinks, thisUser } from './followed-links.js'
import { readRegularFile } from './regular-file.js'

/** Longer than any secret that is asked for. */
const MAX_LINE_LENGTH = 1024

/** The text of a file that only this user or root can have written, and nobody else can read. @throws TransportError */
export function readSecretFile(path: string, user = thisUser()): string {
  try {
    const target = followNamedLinks(path, (why) => new TransportError(`will not read ${path}: ${why}`), user)
    const text = readRegularFile(target, ({ uid, mode }) => {
      if (user === undefined) return
      if (uid !== user && uid !== 0) throw new TransportError(`will not read ${path}: it belongs to user ${uid}`)
      if ((mode & 0o077) !== 0)
        throw new TransportError(`will not read ${path}: other users can read or change it; chmod 600 takes that away`)
    })
    if (text !== undefined) return text
  } catch (cause) {
    if (cause instanceof TransportError) throw cause
    throw new TransportError(`cannot read ${path}: ${reasonOf(cause, 'read')}`, { cause })
  }
  throw new TransportError(`cannot read ${path}: there is no such file`)
}

/** The first line of a stream, or what there is of it at its end. @throws TransportError */
export async function firstLineOf(stream: AsyncIterable<string | Uint8Array>): Promise<string> {
  let text = ''
  try {
    for await (const chunk of stream) {
      text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('latin1')
      if (text.includes('\n') || text.length > MAX_LINE_LENGTH) break
    }
  } catch (cause) {
    throw new TransportError(`cannot read standard input: ${reasonOf(cause, 'read')}`, { cause })
  }
  return text.split('\n', 1)[0] ?? ''
}

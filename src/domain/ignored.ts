/**
 * What is ignored because of a defect of ours. Anybody on the network may send what we cannot bear, so each datagram,
 * request, device and turn of the keeper has a boundary: whatever is thrown inside costs that one, and the rest goes on.
 * It is told here, and never silently lost. This is the only place with listeners of the whole process, because a
 * boundary has nobody else to tell.
 */
export interface Ignored {
  /** `reply`: the answer to a request over HTTP. `turn`: one piece of the keeper's work. */
  readonly kind: 'datagram' | 'request' | 'reply' | 'device' | 'timer' | 'turn'
  /** Whom or what it is about; empty if that is not known. It may be text from the network. */
  readonly from: string
  readonly error: unknown
}

const listeners = new Set<(ignored: Ignored) => void>()

/**
 * Listens to what is ignored, until the returned function is called. It is for the log of a program: nothing that is told
 * here keeps a call from its end. The listener is for the whole process; if it throws, that is ignored too.
 *
 * @example
 * const stop = onIgnored(({ kind, from, error }) => console.error(`upnp-ts ignored a ${kind} from ${from}`, error))
 */
export function onIgnored(listener: (ignored: Ignored) => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function ignore(kind: Ignored['kind'], from: string, error: unknown): void {
  for (const listener of listeners) {
    try {
      listener({ kind, from, error })
    } catch {} // nobody is left to tell
  }
}

/** Does the work. Whatever it throws is ignored. */
export function orIgnore(kind: Ignored['kind'], from: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    ignore(kind, from, error)
  }
}

/**
 * How many of the datagrams that come to one search are read. Anybody can send any number, from any address, so there is
 * a bound for each sender, for all senders together, and one apart for what comes in the name of the router: neither can
 * use up what is meant for the other. The rest is dropped unread.
 */

export const MAX_REPLIES_PER_SENDER = 128
export const MAX_SENDERS = 256
export const MAX_REPLIES_OF_OTHERS = 4096
export const MAX_REPLIES_OF_ROUTER = 8192
/** Of each of the two. A reply has 300 to 500 bytes. */
export const MAX_REPLY_BYTES = 4 * 1024 * 1024

export class DatagramLimit {
  readonly #perSender = new Map<string, number>()
  readonly #others = { datagrams: MAX_REPLIES_OF_OTHERS, bytes: MAX_REPLY_BYTES }
  readonly #router = { datagrams: MAX_REPLIES_OF_ROUTER, bytes: MAX_REPLY_BYTES }

  /** Whether a datagram with so many bytes is read. */
  admits(sender: string, bytes: number, isRouter: boolean): boolean {
    const left = isRouter ? this.#router : this.#others
    if (left.datagrams <= 0 || left.bytes < bytes || !(isRouter || this.#hasRoomFor(sender))) return false
    left.datagrams--
    left.bytes -= bytes
    return true
  }

  #hasRoomFor(sender: string): boolean {
    const soFar = this.#perSender.get(sender) ?? 0
    if (soFar >= MAX_REPLIES_PER_SENDER || (soFar === 0 && this.#perSender.size >= MAX_SENDERS)) return false
    this.#perSender.set(sender, soFar + 1)
    return true
  }
}

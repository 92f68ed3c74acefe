/**
 * Connected UDP sockets for a program that asks the same gateway a thousand times in a row: a question uses the socket
 * of the one before it, if nothing late can come to that. So it has had one reply for each request, and nothing since.
 *
 * The number of the port is what strangers have to guess, so no socket is used for long. One that nobody has used for a
 * second is closed: the next questions have another port.
 */
import { type Clock, SECOND_MS } from './clock.js'
import type { ConnectedOptions, ConnectedSocket, DatagramOptions, DatagramSocket, Datagrams } from './datagrams.js'

/** After this long no other question uses it. */
const LONGEST_USE_MS = 30_000

interface Lasting {
  readonly socket: ConnectedSocket
  readonly use: Use
  readonly untilMs: number
}

/** What the one question does that uses a socket now. */
interface Use {
  user: ConnectedOptions | undefined
  unanswered: number
  isSpoilt: boolean
}

export class LastingSockets implements Datagrams {
  readonly #datagrams: Datagrams
  readonly #clock: Clock
  /** Those that nobody uses now, each with what takes it away. */
  readonly #idle = new Map<string, { readonly lasting: Lasting; readonly cancel: () => void }>()
  #isOver = false

  constructor(datagrams: Datagrams, clock: Clock) {
    this.#datagrams = datagrams
    this.#clock = clock
  }

  open(options: DatagramOptions): Promise<DatagramSocket> {
    return this.#datagrams.open(options)
  }

  async connect(options: ConnectedOptions): Promise<ConnectedSocket> {
    const { remote, localAddress = '' } = options
    const key = [localAddress, remote.address, remote.port].join()
    const lasting = this.#take(key) ?? (await this.#open(key, options))
    const { socket, use } = lasting
    Object.assign(use, { user: options, unanswered: 0 })
    return {
      local: socket.local,
      send(datagram) {
        if (use.user !== options) return
        use.unanswered++
        socket.send(datagram)
      },
      close: () => {
        if (use.user !== options) return
        use.user = undefined
        this.#keep(key, lasting)
      },
    }
  }

  /** From now on each socket is closed as soon as nobody uses it. */
  close(): void {
    this.#isOver = true
    for (const key of [...this.#idle.keys()]) this.#take(key)?.socket.close()
  }

  async #open(key: string, options: ConnectedOptions): Promise<Lasting> {
    const use: Use = { user: options, unanswered: 0, isSpoilt: false }
    const socket = await this.#datagrams.connect({
      ...options,
      onMessage: (datagram) => {
        use.unanswered--
        if (use.user === undefined) this.#take(key)?.socket.close()
        else use.user.onMessage(datagram)
      },
      onError: (error) => {
        use.isSpoilt = true
        if (use.user === undefined) this.#take(key)
        else use.user.onError(error)
      },
    })
    return { socket, use, untilMs: this.#clock.monotonicMs() + LONGEST_USE_MS }
  }

  #keep(key: string, lasting: Lasting): void {
    const { socket, use, untilMs } = lasting
    const isOfUse = use.unanswered === 0 && !use.isSpoilt && this.#clock.monotonicMs() < untilMs
    if (!isOfUse || this.#isOver || this.#idle.has(key)) {
      socket.close()
      return
    }
    const cancel = this.#clock.schedule(SECOND_MS, () => this.#take(key)?.socket.close())
    this.#idle.set(key, { lasting, cancel })
  }

  #take(key: string): Lasting | undefined {
    const idle = this.#idle.get(key)
    idle?.cancel()
    this.#idle.delete(key)
    return idle?.lasting
  }
}

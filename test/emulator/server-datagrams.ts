/** Fake sockets for servers. They record what was opened, what was sent to whom, and how many are still open. */
import { TransportError } from '../../src/domain/errors.ts'
import type { DatagramOptions, Datagrams } from '../../src/net/datagrams.ts'

export interface SentMessage {
  readonly bytes: Uint8Array
  /** `address:port` */
  readonly to: string
}

export class ServerDatagrams implements Datagrams {
  readonly opened: DatagramOptions[] = []
  readonly messages: SentMessage[] = []
  readonly #taken: readonly string[]
  openCount = 0

  /** Addresses, or `address:port`, on which no socket can be opened. */
  constructor(...taken: string[]) {
    this.#taken = taken
  }

  async open(options: DatagramOptions): ReturnType<Datagrams['open']> {
    const { address, port } = options
    this.opened.push(options)
    const isTaken = this.#taken.includes(address) || this.#taken.includes(`${address}:${port}`)
    if (isTaken) throw new TransportError(`taken: ${address}`)
    this.openCount++
    return {
      local: { address, port: port || 50_000 },
      send: (bytes, to) => this.messages.push({ bytes, to: `${to.address}:${to.port}` }),
      close: () => this.openCount--,
    }
  }

  connect(): ReturnType<Datagrams['connect']> {
    return Promise.reject(new Error('a gateway connects to nobody'))
  }

  get sentTexts(): string[] {
    return this.messages.map(({ bytes, to }) => `${new TextDecoder().decode(bytes)} to ${to}`)
  }
}

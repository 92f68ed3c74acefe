/** Tells the service manager that upnp-ts is ready, what is open, and that upnp-ts stops: each once, and in order. */
import { hostAndPort } from '../../domain/address.js'
import { type KeepFacts, opened } from './facts.js'

const MAX_SHOWN = 3

export class ServiceStatus {
  readonly #send: (message: string) => Promise<void>
  #status = ''
  #isReady = false
  #isStopping = false
  #last: Promise<void> = Promise.resolve()

  constructor(send: (message: string) => Promise<void>) {
    this.#send = send
  }

  ready(): void {
    if (this.#isReady || this.#isStopping) return
    this.#isReady = true
    this.#tell('READY=1')
  }

  show(facts: KeepFacts): void {
    const status = statusOf(facts)
    if (status === this.#status || this.#isStopping) return
    this.#status = status
    this.#tell(`STATUS=${status}`)
  }

  stopping(): void {
    if (this.#isStopping) return
    this.#isStopping = true
    this.#tell('STOPPING=1')
  }

  /** Every message starts a program: without a queue, one message could overtake another. */
  #tell(message: string): void {
    this.#last = this.#last.then(() => this.#send(message)).catch(() => {})
  }
}

function statusOf(facts: KeepFacts): string {
  const { externalAddress = '' } = facts
  const names = opened(facts).map(
    ({ externalPort: port, protocol }) => `${hostAndPort({ address: externalAddress, port })} ${protocol}`,
  )
  if (names.length === 0) return 'no port is open'
  const more = names.length > MAX_SHOWN ? ` and ${names.length - MAX_SHOWN} more` : ''
  const shown = names.slice(0, MAX_SHOWN).join(', ')
  return `${shown}${more} ${names.length === 1 ? 'is' : 'are'} open`
}

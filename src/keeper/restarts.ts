/** Whether a gateway that tells its epoch has begun anew between two answers. */
import type { Gateway } from '../domain/gateway.js'
import { type Epoch, hasKeptState } from './schedule.js'

export class Restarts {
  #epoch: Epoch | undefined

  /** The next answer is taken as it is: from another gateway, or after nobody knows how long. */
  forget(): void {
    this.#epoch = undefined
  }

  /** An answer has come. Returns whether the gateway has lost its state. */
  notice({ epochSeconds: seconds, protocol }: Gateway, nowMs: number): boolean {
    if (seconds === undefined || protocol === 'igd') return false
    const previous = this.#epoch
    this.#epoch = { seconds, heardMs: nowMs }
    return previous !== undefined && !hasKeptState(protocol, previous, this.#epoch)
  }
}

/**
 * Which device ports are kept on: the router, and no other once it was the router. A device that takes its place while it
 * is away could send what comes in wherever it likes. The router is the default gateway, or whom the user named. Without
 * a default gateway, whoever was used first is taken for the router. It is known by its address then: whatever else a
 * device says about itself, any other can say too.
 */
import { isSameAddress } from '../../domain/address.js'
import { NoGatewayError } from '../../domain/errors.js'
import type { Gateway } from '../../domain/gateway.js'
import type { Better } from '../../keeper/better-gateway.js'
import { externalAddressOf } from '../../keeper/kept.js'
import { addressOf } from '../router.js'
import type { GatewayFinder, Opened, SearchRemark } from '../search-gateway.js'

export class KeptRouter {
  #address: string | undefined
  #addressInUse = ''
  #isUsed = false

  /** The address of the router that was used last, or of the device that is taken for it. */
  get address(): string | undefined {
    return this.#address
  }

  /** A search has found the gateway to use. @throws NoGatewayError if it is not the router, and has to be */
  use(gateway: Gateway, remarks: readonly SearchRemark[] = []): void {
    const address = addressOf(gateway)
    const other = otherIn(remarks)
    const isTaken = this.#address !== undefined && isSameAddress(address, this.#address)
    if (other === undefined) {
      this.#isUsed = true
      this.#address = address
    } else if (this.#address === undefined) {
      if (other.kind === 'no-router') this.#address = address
    } else if (!isTaken || (this.#isUsed && other.kind === 'not-the-router')) {
      const router = other.kind === 'no-router' ? this.#address : other.router
      throw new NoGatewayError(
        `the router at ${router} does not answer; another device (${address}) does, and is not used`,
      )
    }
    this.#addressInUse = address
  }

  /**
   * The router, if another device is in use. `lookFor` searches, and takes only a default gateway for the router.
   * @throws PortMappingError if the router does not answer
   */
  async better(
    finder: GatewayFinder,
    lookFor: (signal: AbortSignal) => Promise<Opened>,
    signal: AbortSignal,
  ): Promise<Better | undefined> {
    if (this.#isUsed) return undefined
    const gateway = await finder.findBeside(signal, async (signal) => {
      const { found, remarks } = await lookFor(signal)
      if (found === undefined || otherIn(remarks) !== undefined) throw new NoGatewayError('the router does not answer')
      return found.gateway
    })
    if (addressOf(gateway) !== this.#addressInUse) return { gateway, externalAddress: await externalAddressOf(gateway) }
    this.use(gateway) // it was in use already, and nobody knew that it is the router
    return undefined
  }
}

/** Set if the search has found another device, or cannot know whether it is the router. */
function otherIn(remarks: readonly SearchRemark[]) {
  return remarks.find((remark) => remark.kind === 'not-the-router' || remark.kind === 'no-router')
}

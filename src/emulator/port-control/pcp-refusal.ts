/** A PCP request that is answered with an error; the responder makes a response of it. */
import { PCP_RESULTS, pcpResultName } from '../../wire/pcp-result-codes.js'

/** RFC 6887 7.4: 30 seconds for what may pass, 30 minutes for what will not. */
export const SHORT_ERROR_SECONDS = 30
export const LONG_ERROR_SECONDS = 1800

const SHORT_ERRORS: ReadonlySet<number> = new Set([
  PCP_RESULTS.NETWORK_FAILURE,
  PCP_RESULTS.NO_RESOURCES,
  PCP_RESULTS.USER_EX_QUOTA,
  PCP_RESULTS.CANNOT_PROVIDE_EXTERNAL, // the port may become free
])

export class PcpRefusal extends Error {
  /** RFC 6887 7.4. */
  readonly resultCode: number
  /** For how long the same answer is to be expected (RFC 6887 7.2). */
  readonly lifetimeSeconds: number

  constructor(resultCode: number, lifetimeSeconds?: number) {
    super(pcpResultName(resultCode))
    this.name = 'PcpRefusal'
    this.resultCode = resultCode
    this.lifetimeSeconds = lifetimeSeconds ?? (SHORT_ERRORS.has(resultCode) ? SHORT_ERROR_SECONDS : LONG_ERROR_SECONDS)
  }
}

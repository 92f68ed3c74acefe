/** The gateway refuses a PCP request. The responder turns this error into an error response. */
import { PCP_RESULTS, pcpResultName } from '../../wire/pcp-result-codes.js'

/** RFC 6887 7.4: 30 seconds for an error that may soon be over, 30 minutes for the others. */
export const SHORT_ERROR_SECONDS = 30
export const LONG_ERROR_SECONDS = 1800

const SHORT_ERRORS: ReadonlySet<number> = new Set([
  PCP_RESULTS.NETWORK_FAILURE,
  PCP_RESULTS.NO_RESOURCES,
  PCP_RESULTS.USER_EX_QUOTA,
  PCP_RESULTS.CANNOT_PROVIDE_EXTERNAL, // the port may become free
])

export class PcpRefusal extends Error {
  /** RFC 6887 7.4, such as 2 for NOT_AUTHORIZED. */
  readonly resultCode: number
  /** For how long the client must expect the same answer (RFC 6887 7.2). */
  readonly lifetimeSeconds: number

  constructor(resultCode: number, lifetimeSeconds?: number) {
    super(pcpResultName(resultCode))
    this.name = 'PcpRefusal'
    this.resultCode = resultCode
    this.lifetimeSeconds = lifetimeSeconds ?? (SHORT_ERRORS.has(resultCode) ? SHORT_ERROR_SECONDS : LONG_ERROR_SECONDS)
  }
}

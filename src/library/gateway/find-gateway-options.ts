/** How a program wants a gateway to be found. */
import type { Where } from '../where.js'

/** Where to look, and what to take. */
export interface FindGatewayOptions extends Where {
  /** Whether an IGD will do that says that it is not connected (WANIPConnection:2 2.4.5). Default: false. */
  readonly ignoreState?: boolean | undefined
  /**
   * Whether another host of the subnet may tell of an IGD, as with some routers that share a floating address. Default:
   * false: an IGD is used only if it tells of itself, or if it is the default gateway.
   */
  readonly anyHost?: boolean | undefined
  /** 6 looks for a gateway over IPv6, which opens pinholes and maps no ports. Default: 4. */
  readonly family?: 4 | 6 | undefined
}

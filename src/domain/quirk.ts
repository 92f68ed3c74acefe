/** The ways in which an emulated gateway can differ from the standards, or from the newest of them, as real routers do. */

export type Quirk =
  /** It is an InternetGatewayDevice:1: version 1 of every device and service, and no pinholes. */
  | { readonly name: 'igd1' }
  /** It answers SSDP searches late. */
  | { readonly name: 'late-search'; readonly delayMs: number }
  | RefuseQuirk

/** It refuses one operation. */
export interface RefuseQuirk {
  readonly name: 'refuse'
  /**
   * An action of IGD, such as `AddPortMapping`; `MAP` or `ANNOUNCE` of PCP; `external-address`, `map-udp` or `map-tcp`
   * of NAT-PMP.
   */
  readonly operation: string
  /** The UPnP error number, or the result code of PCP or NAT-PMP. */
  readonly code: number
  /** How many times it is refused; always if not given. */
  readonly times?: number | undefined
}

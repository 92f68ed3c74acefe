/** What an emulated gateway can do otherwise than the standards want it, as real routers do. */

export type Quirk =
  /** It is a version 1 of everything: an InternetGatewayDevice:1 with what that had, and without pinholes. */
  | { readonly name: 'igd1' }
  /** Its answers to SSDP searches come late. */
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

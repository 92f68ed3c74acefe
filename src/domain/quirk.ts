/** How an emulated gateway can differ from the newest standards, as real routers do. */

/** One difference, such as `{ name: 'refuse', operation: 'AddPortMapping', code: 718, times: 1 }`. */
export type Quirk =
  /** It is an InternetGatewayDevice:1: version 1 of every device and service, and no pinholes. */
  | { readonly name: 'igd1' }
  /** It answers SSDP searches `delayMs` late. */
  | { readonly name: 'late-search'; readonly delayMs: number }
  | RefuseQuirk

/** It refuses one operation. */
export interface RefuseQuirk {
  readonly name: 'refuse'
  /** An IGD action, or `MAP`, `ANNOUNCE` (PCP), `external-address`, `map-udp`, `map-tcp` (NAT-PMP). */
  readonly operation: string
  /** The UPnP error number (UDA 1.1 table 3-3), or the result code of PCP (RFC 6887 7.4) or NAT-PMP (RFC 6886 3.5). */
  readonly code: number
  /** How many times it is refused; by default always. */
  readonly times?: number | undefined
}

/** The ports that the standards name. */

/** UDA 1.1 1.2 and 1.3: devices hear searches there, and announce themselves. */
export const SSDP_PORT = 1900

/** RFC 6887 19.1 and RFC 6886 3.1: a gateway hears requests of PCP and of NAT-PMP there. */
export const PORT_CONTROL_PORT = 5351

/** RFC 6887 19.2 and RFC 6886 3.2.1: a gateway announces itself there. */
export const PORT_CONTROL_ANNOUNCEMENT_PORT = 5350

/** RFC 6335 6: from here on no port belongs to a service. */
export const FIRST_DYNAMIC_PORT = 49_152
export const DYNAMIC_PORTS = 65_536 - FIRST_DYNAMIC_PORT

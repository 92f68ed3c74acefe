/** The ports that the standards name. */

/** UDA 1.1 1.2 and 1.3: devices announce themselves to this port, and receive searches on it. */
export const SSDP_PORT = 1900

/** RFC 6887 19.1 and RFC 6886 3.1: a gateway receives requests of PCP and NAT-PMP on this port. */
export const PORT_CONTROL_PORT = 5351

/** RFC 6887 19.2 and RFC 6886 3.2.1: a gateway sends its announcements to this port. */
export const PORT_CONTROL_ANNOUNCEMENT_PORT = 5350

/** RFC 6335 6: from this port up none is assigned to a service. */
export const FIRST_DYNAMIC_PORT = 49_152
export const DYNAMIC_PORTS = 65_536 - FIRST_DYNAMIC_PORT

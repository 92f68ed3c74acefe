/** The version of this package, as in package.json (a test compares them). */
export const VERSION = '0.1.0'

/** UDA 1.1 3.2.1 wants the OS first, but no router is told the user's. Two words would make miniupnpd act as IGD:1. */
export const USER_AGENT = `Node.js UPnP/1.1 upnp-ts/${VERSION}`

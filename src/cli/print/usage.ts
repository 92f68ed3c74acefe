/**
 * The version and the banner. The build stores the version for bin/upnp-ts.js, which prints it without loading this
 * program.
 */
import { VERSION } from '../../domain/version.js'

export const VERSION_TEXT = `${VERSION}\n`

export const BANNER = `upnp-ts : opens ports on your router, version ${VERSION}.
It takes the options of upnpc and prints what upnpc prints.
upnp-ts -h explains them. Free software, MIT license.

`

/** The banner and the usage text. */
import { VERSION } from '../domain/version.js'

export const BANNER = `upnp-ts : opens ports on your router, version ${VERSION}.
It takes the options of upnpc and prints what upnpc prints.
upnp-ts -h explains them. Free software, MIT license.

`

export const USAGE = `Usage: upnp-ts [options] COMMAND

Commands, one at a time:
  -l                          list what the router forwards, and its state
  -s                          show the state of the router and its traffic
  -r PORT [EXTERNAL_PORT] PROTOCOL ...
                              open ports for this computer; several at once
  -a IP PORT EXTERNAL_PORT PROTOCOL [LEASE] [REMOTE_HOST]
                              open a port for the computer IP (@ is this one),
                              for LEASE seconds, for one remote host only
  -d EXTERNAL_PORT PROTOCOL [REMOTE_HOST]
                              close a port
  -P                          show the address of the router's web page
  emulate                     be a router: serve an emulated one until stopped
                              (--address IP, --port N, --external-address IP)

PROTOCOL is TCP or UDP. LEASE 0 means as long as the router allows.
REMOTE_HOST "" means any.

Options, before or after the command:
  -e TEXT                     the description of the ports opened [upnp-ts]
  -i                          go on with a router that says it is not connected
  -u URL                      ask the router with this root description URL, do
                              not search
  --discovery-time MS         search for exactly so long and list all devices
  --timeout MS                give the whole command so long [60000]
  --json                      print one JSON object per line
  --compat 2.1                print -l as upnpc 2.1 does
  --emulate                   run the command on an emulated router of its own
  -V, --version               print the version
  -h, --help                  print this

Long names: --list --status --redirect --add --delete --presentation
--description --ignore --url

Examples:
  upnp-ts -r 22 TCP                     let the internet reach SSH here
  upnp-ts -r 80 8080 TCP 53 UDP         external 8080 to 80 here, and DNS
  upnp-ts -a 192.168.1.5 80 8080 TCP 3600
  upnp-ts -d 22 TCP

Exit: 0 done; 1 wrong usage, no router found or none that can be used;
2 the router refused or failed something that was asked.
`

/** The banner and the usage text. */
import { VERSION } from '../../domain/version.js'

export const BANNER = `upnp-ts : opens ports on your router, version ${VERSION}.
It takes the options of upnpc and prints what upnpc prints.
upnp-ts -h explains them. Free software, MIT license.

`

export const USAGE = `Usage: upnp-ts [options] COMMAND
       upnp-ts [options] COMMAND --keep [-- PROGRAM ARGUMENT ...]

Commands, one at a time:
  -l                          list what the router forwards, and its state
  -L                          list what it forwards, all at once (IGD:2)
  -s                          show the state of the router and its traffic
  -r PORT [EXTERNAL_PORT] PROTOCOL ...
                              open ports for this computer; several at once
  -a IP PORT EXTERNAL_PORT PROTOCOL [LEASE] [REMOTE_HOST]
                              open a port for the computer IP (@ is this one),
                              for LEASE seconds, for one remote host only
  -n IP PORT EXTERNAL_PORT PROTOCOL [LEASE] [REMOTE_HOST]
                              the same; another external port if it is taken
  -d EXTERNAL_PORT PROTOCOL [REMOTE_HOST]
                              close a port; -d PORT PROTOCOL ... is -f
  -f EXTERNAL_PORT PROTOCOL ...
                              close several ports
  -N FIRST_PORT LAST_PORT PROTOCOL [MANAGE]
                              close a range of ports (IGD:2); with MANAGE 1
                              those of other computers too
  -P                          show the address of the router's web page
  emulate                     be a router: serve an emulated one until stopped
                              (--address IP, --port N, --external-address IP,
                              --quirk NAME[=VALUE])

For IPv6, where no port is mapped but the firewall of the router is in the way
(IGD:2, use -6 with them; or PCP, which has -A, -U and -D):
  -A REMOTE_IP REMOTE_PORT INTERNAL_IP INTERNAL_PORT PROTOCOL LEASE
                              open a pinhole, and say its ID
  -U ID LEASE                 give it another LEASE seconds
  -C ID ...                   see whether it works
  -K ID ...                   see how many packets came through it
  -D ID ...                   close it
  -S                          show the state of the firewall
  -G REMOTE_IP REMOTE_PORT INTERNAL_IP INTERNAL_PORT PROTOCOL
                              see how long an idle connection stays open

PROTOCOL is TCP, UDP or TCP+UDP. LEASE 0 means as long as the router allows.
REMOTE_HOST and REMOTE_IP "" mean any, REMOTE_PORT 0 too.

A router that does not speak UPnP is asked in PCP and NAT-PMP, which have -r -a
-n -d -f -s. LEASE 0 asks for 7200 s there, and with --via pcp or --via nat-pmp
EXTERNAL_PORT 0 opens any port, whichever the router gives. The ID of a pinhole
is over PCP what it leads to: TCP:[2001:db8::5]:8333.

With --keep, what -r -a -n and -A open stays open: upnp-ts goes on running,
renews it, puts back what the router forgets, and closes what it opened when it
is stopped (Ctrl-C; a second one ends it at once). Where there is no router yet
it goes on looking for one.
  --keep                      keep them open until stopped
  -- PROGRAM ARGUMENT ...     run this when the ports are open, and close them
                              when it ends; it gets the signals. After --timeout
                              it is run all the same
  --require                   do not run it unless the ports are open
  --on-change COMMAND         run this in a shell when address and ports are
                              known, and when they change
  --state FILE                write what is open to this file, as JSON
  --check SECONDS             see at least that often whether the router has
                              kept them [120]
The programs find UPNP_EXTERNAL_ADDRESS, UPNP_EXTERNAL_PORT, UPNP_INTERNAL_PORT
and UPNP_PROTOCOL in their environment; of several ports that is the first one,
and each has its own in UPNP_EXTERNAL_PORT_1 and so on.

Options, before or after the command:
  -e TEXT                     the description of the ports opened [upnp-ts]
  -i                          go on with a router that says it is not connected
  --lease SECONDS             the lease for -r, -a and -n
  --via PROTOCOL              ask in igd (UPnP), pcp or nat-pmp only [auto: in
                              all three at once, and UPnP goes first]
  --gateway ADDRESS[:PORT]    ask this router and no other; the port is that of
                              PCP and NAT-PMP [the default gateway, 5351]
  --nonce HEX                 the nonce of PCP mappings, 24 hexadecimal digits,
                              with --via pcp [made from a key of this user]
  -u URL                      ask the router with this root description URL, do
                              not search
  -6                          search over IPv6
  -m INTERFACE                search on one interface: its name or an address
  -z PORT                     search from this port (1 is 1900) [any]
  -t TTL                      the time to live of searches [2]
  -p PATH                     the socket of MiniSSDPd; "" not to ask it
  --discovery-time MS         search for exactly so long and list all devices
  --timeout MS                give the whole command so long [60000]
  --json                      print one JSON object per line
  --compat 2.1                print -l as upnpc 2.1 does
  --emulate                   run the command on an emulated router of its own
  --quirk NAME[=VALUE]        the emulated router does as some routers do, with
                              emulate and --emulate, as often as you like: igd1,
                              late-search=MS, refuse=ACTION:CODE[:TIMES]
  -V, --version               print the version
  -h, --help                  print this

Long names: --list --list-at-once --status --redirect --add --add-any --delete
--delete-several --delete-range --presentation --add-pinhole --update-pinhole
--check-pinhole --pinhole-packets --delete-pinhole --firewall-status
--outbound-timeout --description --ignore --url --ipv6 --interface
--local-port --ttl --minissdpd

Examples:
  upnp-ts -r 22 TCP                     let the internet reach SSH here
  upnp-ts -r 80 8080 TCP 53 UDP         external 8080 to 80 here, and DNS
  upnp-ts -n @ 6881 6881 TCP+UDP        both, on another port if that is taken
  upnp-ts -a 192.168.1.5 80 8080 TCP 3600
  upnp-ts -d 22 TCP
  upnp-ts -6 -A "" 0 @ 8333 TCP 3600    let the IPv6 internet reach a node
  upnp-ts --via nat-pmp --gateway 10.2.0.1 -r 1 0 TCP+UDP
                                        the port that a VPN provider gives out
  upnp-ts --via nat-pmp -r 1 0 TCP+UDP --keep --on-change ./use-port
                                        the same while it runs, where the VPN is
                                        the way to the internet
  upnp-ts -r 25565 TCP --keep -- ./server
                                        open while the server runs: for the
                                        entry point of a container

Exit: 0 done; 1 wrong usage, no router found or none that can be used;
2 the router refused or failed something that was asked (-f: 3).
With --keep: 0 stopped, or the status of the program that was run; 1 --require
and no port in time; 127 it could not be run; 128 and the number of the signal
where it died of one, or was not started yet.
`

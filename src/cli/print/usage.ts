/**
 * The version, the banner and the usage text. Its lists of commands and options are made from COMMANDS and OPTIONS. The
 * build stores these texts for bin/upnp-ts.js, which prints them without loading this program.
 */
import { VERSION } from '../../domain/version.js'
import { COMMANDS, type CommandRow } from '../parse/command-table.js'
import { type Flag, isOnlyOfEmulate, labelOf, longOf, OPTIONS, type OptionRow } from '../parse/option-table.js'
import { SERVICE_VERB } from '../parse/service-words.js'

export const VERSION_TEXT = `${VERSION}\n`

export const BANNER = `upnp-ts : opens ports on your router, version ${VERSION}.
It takes the options of upnpc and prints what upnpc prints.
upnp-ts -h explains them. Free software, MIT license.

`

/** The column of the descriptions. HELP_LINE matches what fits from there to column 80, LINE what fits on a line. */
const COLUMN = 30
const HELP_LINE = /(.{1,50})(?: |$)/g
const LINE = /(.{1,78})(?: |$)/g

/** How the usage text writes a command or an option, with what follows it: `-u URL`. */
export function headOf(row: Flag & Pick<OptionRow, 'showsBothNames'>): string {
  const names = row.showsBothNames === true ? `${labelOf(row)}, ${longOf(row)}` : labelOf(row)
  return row.form === undefined ? names : `${names} ${row.form}`
}

function told(help: string): string {
  return help.replace(HELP_LINE, `${' '.repeat(COLUMN)}$1\n`).trimEnd()
}

function entry(head: string, help: string): string {
  const first = `  ${head}`
  return first.length > COLUMN - 2 ? `${first}\n${told(help)}` : first.padEnd(COLUMN) + told(help).trimStart()
}

function listOf(rows: readonly Flag[]): string {
  return rows.map((row) => entry(headOf(row), row.help)).join('\n')
}

/** What -h prints. */
export function helpText(): string {
  return BANNER + usageText()
}

/** Plain text for a terminal of 80 columns. */
export function usageText(commands: readonly CommandRow[] = COMMANDS, options: readonly OptionRow[] = OPTIONS): string {
  const shown = commands.filter(({ onlyAlone }) => onlyAlone !== true)
  const goingWith = (label: string): OptionRow[] => options.filter(({ goesWith }) => goesWith?.includes(label) === true)
  const [withKeep, ofEmulate] = [goingWith('--keep'), goingWith('emulate')]
  const keep = options.filter((row) => labelOf(row) === '--keep')
  const others = options.filter((row) => ![...keep, ...withKeep].includes(row) && !isOnlyOfEmulate(row))
  const long = [...shown, ...others.filter(({ showsBothNames }) => showsBothNames !== true)]
  const longNames = long.filter(({ letter }) => letter !== undefined).map(longOf)
  return `Usage: upnp-ts [options] COMMAND
       upnp-ts [options] COMMAND --keep [-- PROGRAM ARGUMENT ...]

Commands, one at a time:
${listOf(shown.filter(({ asksFirewall }) => asksFirewall !== true))}
${entry('emulate', 'be an emulated router until stopped')}
${told(`(${ofEmulate.map(headOf).join(', ')})`)}
${listOf([SERVICE_VERB])}

For IPv6, which has no port mappings: open the router's firewall instead (over
IGD:2, add -6 to all of these; over PCP, only -A, -U and -D work):
${listOf(shown.filter(({ asksFirewall }) => asksFirewall === true))}

PORT and EXTERNAL_PORT of -r -a -n -d -f may be ranges, such as 27015-27030.
PROTOCOL is TCP, UDP or TCP+UDP. LEASE 0 means as long as the router allows.
REMOTE_HOST and REMOTE_IP "" mean any, REMOTE_PORT 0 too.

If a router does not speak UPnP, upnp-ts asks it over PCP and NAT-PMP, which can
do -r -a -n -d -f -s. There, LEASE 0 asks for 7200 s. With --via pcp or --via
nat-pmp, EXTERNAL_PORT 0 opens any port that the router chooses. Over PCP, the
ID of a pinhole is its destination: TCP:[2001:db8::5]:8333. With --via nat-pmp,
-r 0 1 TCP+UDP asks the gateway of a VPN for one port, the same inside and
outside. Nothing can close that one: it ends with its lease.

With --keep, the ports that -r -a -n and -A open stay open: upnp-ts goes on
running, renews them, and opens them again if the router forgets them. When it
is stopped (Ctrl-C; a second one ends it at once), it closes what it opened. If
there is no router yet, it goes on looking for one.
${listOf(keep)}
  -- PROGRAM ARGUMENT ...     run this when the ports are open, pass signals on
                              to it, and close the ports when it ends; after
                              --timeout run it even if not every port is open
${listOf(withKeep)}
PROGRAM and the COMMAND of --on-change find UPNP_EXTERNAL_ADDRESS,
UPNP_EXTERNAL_PORT, UPNP_INTERNAL_PORT and UPNP_PROTOCOL in their environment.
If there are several ports, these are about the first one, and each port has its
own: UPNP_EXTERNAL_PORT_1 and so on.

Options, before or after the command:
${listOf(others)}

${`Long names: ${longNames.join(' ')}`.replace(LINE, '$1\n').trimEnd()}

Examples:
  upnp-ts -r 22 TCP                     let the internet reach SSH here
  upnp-ts -r 80 8080 TCP 53 UDP         external 8080 to 80 here, and DNS
  upnp-ts -n @ 6881 6881 TCP+UDP        both, on another port if that is taken
  upnp-ts -a 192.168.1.5 80 8080 TCP 3600
  upnp-ts -d 22 TCP
  upnp-ts -6 -A "" 0 @ 8333 TCP 3600    let the IPv6 internet reach a node
  upnp-ts -r 0 1 TCP+UDP --via nat-pmp --gateway 10.2.0.1 --lease 60 --keep
                                        the port that a VPN gives, with
                                        --on-change to tell a program of it
  upnp-ts -r 25565 TCP --keep -- ./server
                                        open while the server runs: for the
                                        entry point of a container

Exit: 0 done; 1 wrong usage, or no router found that can be used; 2 something
that was asked was refused or failed (-f: 3).
With --keep: 0 stopped, or the status of PROGRAM; 1 --require, and the ports
were not open in time; 127 PROGRAM could not be run; 128 plus the number of the
signal that ended PROGRAM, or that came before PROGRAM had started.
`
}

/** The topic `letters`: the commands that upnpc has, with its words. */
import type { CommandRow } from '../../parse/command-table.js'
import { labelOf, longOf } from '../../parse/option-table.js'
import type { Tables } from '../../parse/output-options.js'
import { headOf } from './brief.js'
import type { Block, Entry } from './layout.js'

/** Beside the letters, there are the long names, and one command that is an option too. */
export function lettersOf({ commands }: Tables): readonly CommandRow[] {
  return commands.filter(({ onlyAlone }) => onlyAlone !== true)
}

export function lettersText(tables: Tables): readonly Block[] {
  const letters = lettersOf(tables)
  const entries = (asksFirewall: boolean): readonly Entry[] =>
    letters.filter((row) => (row.asksFirewall === true) === asksFirewall).map((row) => [headOf(row), row.help])
  const longNames = letters.filter(({ letter }) => letter !== undefined).map((row) => `${labelOf(row)} ${longOf(row)}`)
  return [
    'The letters are those of upnpc, and so is what they print, so that scripts go on working. One at a time:',
    entries(false),
    "For IPv6, which has no port mappings: open the router's firewall instead (over IGD:2, add -6 to all of these; over PCP, only -A, -U and -D work). A pinhole is what lets the internet through that firewall to one port:",
    entries(true),
    'PORT and EXTERNAL_PORT of -r -a -n -d -f may be ranges, such as 27015-27030. PROTOCOL is TCP, UDP or TCP+UDP. LEASE 0 means as long as the router allows. REMOTE_HOST and REMOTE_IP "" mean any, REMOTE_PORT 0 too. upnp-ts help protocols says what the letters do over PCP and NAT-PMP.',
    `Long names: ${longNames.join(', ')}.`,
    [
      'Examples:',
      '  upnp-ts -r 22 TCP                     let the internet reach SSH here',
      '  upnp-ts -r 80 8080 TCP 53 UDP         external 8080 to 80 here, and DNS',
      '  upnp-ts -n @ 6881 6881 TCP+UDP        both, on another port if that is taken',
      '  upnp-ts -a 192.168.1.5 80 8080 TCP 3600',
      '  upnp-ts -d 22 TCP',
      '  upnp-ts -6 -A "" 0 @ 8333 TCP 3600    let the IPv6 internet reach a node',
    ].join('\n'),
  ]
}

/** What an option wants after it, for when it is not there. */
import { COMMANDS, labelOf } from './command-table.js'

export const WANTED_WORDS: ReadonlyMap<string, string> = new Map([
  ...COMMANDS.flatMap((row): [string, string][] => (row.form === undefined ? [] : [[labelOf(row), row.form]])),
  ['-m', 'the name or an address of an interface'],
  ['-z', 'a port number'],
  ['-t', 'a number from 0 to 255'],
  ['-p', 'the path of a socket'],
  ['--lease', 'a number of seconds'],
  ['--via', 'auto, igd, pcp or nat-pmp'],
  ['--gateway', 'the address of a router'],
  ['--nonce', '24 hexadecimal digits'],
  ['--on-change', 'a command for the shell'],
  ['--state', 'a file'],
  ['--check', 'a number of seconds'],
  ['-u', "the URL of a router's description"],
  ['-e', 'a text'],
  ['--compat', '2.1 or 2.3.3'],
  ['--discovery-time', 'a number of milliseconds'],
  ['--timeout', 'a number of milliseconds'],
  ['--quirk', 'a quirk and its value'],
  ['--address', 'an IPv4 address'],
  ['--port', 'a number'],
  ['--external-address', 'an IPv4 address'],
])

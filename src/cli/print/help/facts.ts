/** What help, its JSON and the man page all tell: exit codes, variables of the environment, files. */
import type { Entry } from './layout.js'

export const EXIT_CODES: readonly Entry[] = [
  ['0', 'done; with --keep: stopped as it was told, and with --for, the ports were open'],
  ['1', 'the command line is wrong, or there is no router that can be used: nothing was changed'],
  ['2', 'something that was asked was refused or failed, or the output could not be written'],
  ['3', 'the same for -f, and for -d with several ports'],
]

/** With --keep and a program after --. */
export const PROGRAM_EXIT_CODES: readonly Entry[] = [
  ['any', 'the status of PROGRAM, if it ended'],
  ['0', '--for is over, PROGRAM ended when asked to, and the ports were open'],
  ['1', '--require, and the ports were not open in time'],
  ['127', 'PROGRAM could not be started'],
  ['128 + N', 'signal N ended PROGRAM, or came before PROGRAM had started'],
]

/** What a program after --, and the command of --on-change, find. */
export const GIVEN_VARIABLES: readonly Entry[] = [
  ['UPNP_EXTERNAL_ADDRESS', 'the address that the internet sees'],
  ['UPNP_EXTERNAL_PORT', 'the port there'],
  ['UPNP_INTERNAL_PORT', 'the port on this computer'],
  ['UPNP_PROTOCOL', 'TCP or UDP'],
]

export const SEVERAL_PORTS =
  'If there are several ports, these are about the first one, and each port has its own: UPNP_EXTERNAL_PORT_1 and so on.'

export const READ_VARIABLES: readonly Entry[] = [
  ['NO_COLOR', 'if it is not empty: no colour'],
  ['FORCE_COLOR', 'colour also where there is no terminal; 0 is none'],
  ['XDG_STATE_HOME', 'the folder of what upnp-ts remembers [~/.local/state]'],
  ['XDG_CACHE_HOME', 'the folder of compiled code, for a quick start [~/.cache]'],
  ['NODE_DISABLE_COMPILE_CACHE', '1: no compiled code is kept'],
]

export const FILES: readonly Entry[] = [
  ['~/.local/state/upnp-ts/', 'what this user has opened, at which router, and the key that PCP asks for'],
  ['~/.cache/upnp-ts/', 'compiled code; it may be deleted at any time'],
]

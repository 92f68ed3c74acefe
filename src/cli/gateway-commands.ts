/** The commands that ask a gateway, and what becomes of the words that follow each on the command line. */
import { type Lease, MAX_LEASE_SECONDS, type MappingKey, type MappingRequest } from '../domain/port-mapping.js'
import { integerWithin, internalClientOf, protocolOf, remoteHostOf, UsageError, wordsOf } from './words.js'

/** Of a mapping to be made: the internal client is 'local' until the gateway has been found. */
export type AskedMapping = Omit<MappingRequest, 'internalClient' | 'description'> & {
  readonly internalClient: string | 'local'
}

export type GatewayCommand =
  | { readonly name: 'list' }
  | { readonly name: 'status' }
  | { readonly name: 'presentation' }
  | { readonly name: 'map'; readonly mappings: readonly AskedMapping[] }
  | { readonly name: 'unmap'; readonly key: MappingKey }

/** The words that a command takes, for messages. */
export const REDIRECT_FORM = 'PORT [EXTERNAL_PORT] PROTOCOL, as in -r 22 TCP'
export const ADD_FORM = 'IP PORT EXTERNAL_PORT PROTOCOL [LEASE] [REMOTE_HOST]'
export const DELETE_FORM = 'EXTERNAL_PORT PROTOCOL [REMOTE_HOST]'

/** Each command's long name, its letter, and what becomes of its words. */
export const COMMANDS: readonly {
  readonly flag: string
  readonly letter: string
  readonly parse: (words: readonly string[]) => GatewayCommand
}[] = [
  { flag: 'list', letter: '-l', parse: () => ({ name: 'list' }) },
  { flag: 'status', letter: '-s', parse: () => ({ name: 'status' }) },
  { flag: 'presentation', letter: '-P', parse: () => ({ name: 'presentation' }) },
  { flag: 'redirect', letter: '-r', parse: parseRedirect },
  { flag: 'add', letter: '-a', parse: parseAdd },
  { flag: 'delete', letter: '-d', parse: parseDelete },
]

/** -r port [external_port] protocol … */
function parseRedirect(words: readonly string[]): GatewayCommand {
  const mappings: AskedMapping[] = []
  for (let at = 0; at < words.length; ) {
    const internalPort = integerWithin('-r', 'port', words[at] ?? '', 1, 65535)
    const hasExternal = /^-?\d/.test(words[at + 1] ?? '') // what begins like a number is meant as one
    const externalPort = hasExternal
      ? integerWithin('-r', 'external port', words[at + 1] ?? '', 1, 65535)
      : internalPort
    at += hasExternal ? 2 : 1
    const protocol = words[at]
    if (protocol === undefined)
      throw new UsageError(`-r: the protocol is missing after ${words[at - 1]}: add TCP or UDP`)
    mappings.push({
      internalClient: 'local',
      internalPort,
      externalPort,
      protocol: protocolOf('-r', protocol),
      lease: 'unlimited',
      remoteHost: '',
    })
    at++
  }
  return { name: 'map', mappings }
}

/** -a ip port external_port protocol [lease] [remote_host]; a fifth word that is no number is the remote host. */
function parseAdd(words: readonly string[]): GatewayCommand {
  wordsOf('-a', ADD_FORM, words, 4, 6)
  const [ip = '', port = '', external = '', protocol = '', fifth = '', sixth = ''] = words
  const leaseGiven = /^\d*$/.test(fifth)
  if (!leaseGiven && (sixth !== '' || /^-\d/.test(fifth))) leaseOf('-a', fifth)
  const mapping: AskedMapping = {
    internalClient: internalClientOf('-a', ip),
    internalPort: integerWithin('-a', 'port', port, 1, 65535),
    externalPort: integerWithin('-a', 'external port', external, 1, 65535),
    protocol: protocolOf('-a', protocol),
    lease: leaseGiven ? leaseOf('-a', fifth) : 'unlimited',
    remoteHost: remoteHostOf('-a', leaseGiven ? sixth : fifth),
  }
  return { name: 'map', mappings: [mapping] }
}

/** -d external_port protocol [remote_host] */
function parseDelete(words: readonly string[]): GatewayCommand {
  wordsOf('-d', DELETE_FORM, words, 2, 3)
  const [port = '', protocol = '', remoteHost = ''] = words
  const externalPort = integerWithin('-d', 'external port', port, 1, 65535)
  return {
    name: 'unmap',
    key: { externalPort, protocol: protocolOf('-d', protocol), remoteHost: remoteHostOf('-d', remoteHost) },
  }
}

function leaseOf(option: string, word: string): Lease {
  const seconds = word === '' ? 0 : integerWithin(option, 'lease in seconds', word, 0, MAX_LEASE_SECONDS)
  return seconds === 0 ? 'unlimited' : { seconds }
}

/** The commands that ask a gateway, and what becomes of the words that follow each on the command line. */
import { isUnicastIPv4 } from '../../domain/address.js'
import type { PortRange } from '../../domain/gateway.js'
import { type Lease, MAX_LEASE_SECONDS, type MappingKey, type MappingRequest } from '../../domain/port-mapping.js'
import {
  ADD_PINHOLE_FORM,
  PINHOLE_IDS_FORM,
  type PinholeCommand,
  parseAddPinhole,
  parseDeletePinholes,
  parseOutboundTimeout,
  parsePinholeIds,
  parseUpdatePinhole,
  TIMEOUT_FORM,
  UPDATE_PINHOLE_FORM,
} from './pinhole-words.js'
import { integerWithin, internalClientOf, protocolsOf, remoteHostOf, UsageError, wordsOf } from './words.js'

/** Of a mapping to be made: the internal client is 'local' until the gateway has been found. */
export type AskedMapping = Omit<MappingRequest, 'internalClient' | 'description'> & {
  readonly internalClient: string | 'local'
  /** TCP+UDP: the UDP one stands before it, on the same port, and both are made or none. */
  readonly pairedWithPrevious?: true
}

export type GatewayCommand =
  | { readonly name: 'search' }
  | { readonly name: 'list' }
  | { readonly name: 'list-at-once' }
  | { readonly name: 'status' }
  | { readonly name: 'presentation' }
  | { readonly name: 'firewall-status' }
  | { readonly name: 'map'; readonly any: boolean; readonly mappings: readonly AskedMapping[] }
  | { readonly name: 'unmap'; readonly keys: readonly MappingKey[]; readonly exitCodeOfFailure: 2 | 3 }
  | { readonly name: 'unmap-ranges'; readonly ranges: readonly PortRange[] }
  | PinholeCommand

export const REDIRECT_FORM = 'PORT [EXTERNAL_PORT] PROTOCOL, as in -r 22 TCP'
export const ADD_FORM = 'IP PORT EXTERNAL_PORT PROTOCOL [LEASE] [REMOTE_HOST]'
export const DELETE_FORM = 'EXTERNAL_PORT PROTOCOL [REMOTE_HOST]'
const RANGE_FORM = 'FIRST_PORT LAST_PORT PROTOCOL [MANAGE]'

/** What changes how the words of a command are read. */
export interface CommandOptions {
  /** --lease */
  readonly lease?: Lease | undefined
  /** External port 0 is any: over PCP and NAT-PMP, never over UPnP, where it is all of them. */
  readonly anyExternalPort?: boolean
}

export interface CommandRow {
  /** Its long name. */
  readonly flag: string
  readonly letter: string
  /** The words that it takes, for messages; undefined where it takes none. */
  readonly form?: string
  /** It may also stand alone. */
  readonly wordsOptional?: true
  readonly parse: (words: readonly string[], options?: CommandOptions) => GatewayCommand
}

export const COMMANDS: readonly CommandRow[] = [
  { flag: 'list', letter: '-l', parse: () => ({ name: 'list' }) },
  { flag: 'list-at-once', letter: '-L', parse: () => ({ name: 'list-at-once' }) },
  { flag: 'status', letter: '-s', parse: () => ({ name: 'status' }) },
  { flag: 'firewall-status', letter: '-S', parse: () => ({ name: 'firewall-status' }) },
  { flag: 'presentation', letter: '-P', parse: () => ({ name: 'presentation' }) },
  { flag: 'redirect', letter: '-r', form: REDIRECT_FORM, parse: parseRedirect },
  { flag: 'add', letter: '-a', form: ADD_FORM, parse: parseAdd('-a', false) },
  { flag: 'add-any', letter: '-n', form: ADD_FORM, parse: parseAdd('-n', true) },
  { flag: 'delete', letter: '-d', form: DELETE_FORM, parse: parseDelete },
  {
    flag: 'delete-several',
    letter: '-f',
    form: 'EXTERNAL_PORT PROTOCOL ...',
    wordsOptional: true,
    parse: parseDeletePairs('-f'),
  },
  { flag: 'delete-range', letter: '-N', form: RANGE_FORM, parse: parseRange },
  { flag: 'add-pinhole', letter: '-A', form: ADD_PINHOLE_FORM, parse: parseAddPinhole },
  { flag: 'update-pinhole', letter: '-U', form: UPDATE_PINHOLE_FORM, parse: parseUpdatePinhole },
  { flag: 'check-pinhole', letter: '-C', form: PINHOLE_IDS_FORM, parse: parsePinholeIds('-C', 'check-pinholes') },
  { flag: 'pinhole-packets', letter: '-K', form: PINHOLE_IDS_FORM, parse: parsePinholeIds('-K', 'pinhole-packets') },
  { flag: 'delete-pinhole', letter: '-D', form: PINHOLE_IDS_FORM, parse: parseDeletePinholes },
  { flag: 'outbound-timeout', letter: '-G', form: TIMEOUT_FORM, parse: parseOutboundTimeout },
]

/** One mapping for each protocol, the second one bound to the first. */
function mappingsOf(option: string, protocol: string, common: Omit<AskedMapping, 'protocol'>): AskedMapping[] {
  return protocolsOf(option, protocol).map((each, at) => ({
    ...common,
    protocol: each,
    ...(at === 0 ? {} : { pairedWithPrevious: true as const }),
  }))
}

/** -r port [external_port] protocol … */
function parseRedirect(
  words: readonly string[],
  { lease = 'unlimited', anyExternalPort }: CommandOptions = {},
): GatewayCommand {
  const mappings: AskedMapping[] = []
  for (let at = 0; at < words.length; ) {
    const internalPort = integerWithin('-r', 'port', words[at] ?? '', 1, 65535)
    const hasExternal = /^-?\d/.test(words[at + 1] ?? '') // what begins like a number is meant as one
    const externalPort = hasExternal ? externalPortOf('-r', words[at + 1] ?? '', anyExternalPort) : internalPort
    at += hasExternal ? 2 : 1
    const protocol = words[at]
    if (protocol === undefined)
      throw new UsageError(`-r: the protocol is missing after ${words[at - 1]}: add TCP or UDP`)
    const common = { internalClient: 'local', internalPort, externalPort, lease, remoteHost: '' }
    mappings.push(...mappingsOf('-r', protocol, common))
    at++
  }
  return { name: 'map', any: false, mappings }
}

/** -a, -n ip port external_port protocol [lease] [remote_host]; a fifth word that is no number is the remote host. */
function parseAdd(option: string, any: boolean): CommandRow['parse'] {
  return (words, { lease: leaseOption, anyExternalPort } = {}) => {
    wordsOf(option, ADD_FORM, words, 4, 6)
    const [ip = '', port = '', external = '', protocol = '', fifth, sixth = ''] = words
    const leaseGiven = fifth === undefined || /^\d*$/.test(fifth)
    if (!leaseGiven && (sixth !== '' || /^-\d/.test(fifth))) leaseOf(option, fifth)
    const leaseWord = leaseGiven && fifth !== '' ? fifth : undefined
    if (leaseOption !== undefined && leaseWord !== undefined) {
      throw new UsageError(`${option}: the lease is there twice: ${leaseWord} and --lease`)
    }
    const lease = leaseWord === undefined ? (leaseOption ?? 'unlimited') : leaseOf(option, leaseWord)
    const common = {
      internalClient: internalClientOf(option, ip),
      internalPort: integerWithin(option, 'port', port, 1, 65535),
      externalPort: externalPortOf(option, external, anyExternalPort),
      lease,
      remoteHost: remoteHostOf(option, leaseGiven ? sixth : fifth),
    }
    return { name: 'map', any, mappings: mappingsOf(option, protocol, common) }
  }
}

/** -d external_port protocol [remote_host]; followed by another port it is -f. */
function parseDelete(words: readonly string[]): GatewayCommand {
  const third = words[2] ?? ''
  const isRemoteHost = third === '' || isUnicastIPv4(third)
  if (/^\d+$/.test(third) || (words.length > 3 && !isRemoteHost)) return parseDeletePairs('-d')(words)
  wordsOf('-d', DELETE_FORM, words, 2, 3)
  const [port = '', protocol = '', remoteHost = ''] = words
  return { name: 'unmap', keys: keysOf('-d', port, protocol, remoteHost), exitCodeOfFailure: 2 }
}

/** (external_port protocol) …; none at all is nothing to do. */
function parseDeletePairs(option: string): (words: readonly string[]) => GatewayCommand {
  return (words) => {
    const keys: MappingKey[] = []
    for (let at = 0; at < words.length; at += 2) {
      const [port = '', protocol] = words.slice(at, at + 2)
      if (protocol === undefined) {
        integerWithin(option, 'external port', port, 1, 65535)
        throw new UsageError(`${option}: the protocol is missing after ${port}: add TCP or UDP`)
      }
      keys.push(...keysOf(option, port, protocol, ''))
    }
    return { name: 'unmap', keys, exitCodeOfFailure: 3 }
  }
}

function keysOf(option: string, port: string, protocol: string, remoteHost: string): MappingKey[] {
  const externalPort = integerWithin(option, 'external port', port, 1, 65535)
  return protocolsOf(option, protocol).map((each) => ({
    externalPort,
    protocol: each,
    remoteHost: remoteHostOf(option, remoteHost),
  }))
}

/** -N first last protocol [manage]: manage 1 also removes what other computers made. */
function parseRange(words: readonly string[]): GatewayCommand {
  wordsOf('-N', RANGE_FORM, words, 3, 4)
  const [first = '', last = '', protocol = '', manage = '0'] = words
  const startPort = integerWithin('-N', 'first port', first, 1, 65535)
  const endPort = integerWithin('-N', 'last port', last, startPort, 65535)
  const managed = integerWithin('-N', 'value for MANAGE', manage, 0, 1) === 1
  const ranges = protocolsOf('-N', protocol).map((each) => ({ startPort, endPort, protocol: each, manage: managed }))
  return { name: 'unmap-ranges', ranges }
}

function externalPortOf(option: string, word: string, anyExternalPort = false): number {
  if (word === '0' && !anyExternalPort) {
    throw new UsageError(`${option}: external port 0, any port, is had with --via pcp and --via nat-pmp only`)
  }
  return integerWithin(option, 'external port', word, anyExternalPort ? 0 : 1, 65535)
}

export function leaseOf(option: string, word: string): Lease {
  const seconds = word === '' ? 0 : integerWithin(option, 'lease in seconds', word, 0, MAX_LEASE_SECONDS)
  return seconds === 0 ? 'unlimited' : { seconds }
}

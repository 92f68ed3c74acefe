/**
 * What the reader of a sentence calls the options and the questions. A sentence about a failure is written once, for a
 * person at the command line, who knows flags, and for a programmer, who knows the names of the library.
 */
import type { PortMapping } from './port-mapping.js'

/** Text that names an option or a question is made with the words of its reader. */
export type Sentence = string | ((words: Words) => string)

export interface Words {
  readonly program: string
  /** Lists the mappings. */
  readonly list: string
  readonly externalAddress: string
  /** Removes a mapping. */
  readonly remove: string
  /** Removes that mapping. */
  readonly removeThat: (mapping: PortMapping) => string
  readonly describe: string
  readonly anotherPort: string
  /** Any external port will do. */
  readonly anyPort: string
  readonly withoutEnd: string
  readonly withoutRemoteHost: string
  readonly otherComputer: string
  /** How a computer at home is named. */
  readonly nameComputer: string
  readonly thisIPv6Computer: string
  readonly onlyThisIPv6Computer: string
  readonly via: (protocol: 'igd' | 'pcp' | 'nat-pmp') => string
  readonly anyVia: string
  /** Names a router. */
  readonly router: string
  readonly url: string
  /** Takes the word of any host. */
  readonly anyHost: string
  readonly pinholes: string
  /** All that can be done with ports, and with pinholes. */
  readonly allOfPorts: string
  readonly allOfPinholes: string
  /** Lets the IPv6 internet in. */
  readonly openIPv6: string
  /** What a description's URL is, if something else was given. */
  readonly descriptionUrl: string
}

export const COMMAND_LINE: Words = {
  program: 'upnp-ts',
  list: '-l',
  externalAddress: '-s',
  remove: '-d',
  removeThat: ({ externalPort, protocol, remoteHost }) =>
    ['-d', externalPort, protocol, remoteHost].filter((word) => word !== '').join(' '),
  describe: '-e',
  anotherPort: 'another external port',
  anyPort: '-n',
  withoutEnd: 'leave the lease out',
  withoutRemoteHost: 'leave the remote host out',
  otherComputer: '-a',
  nameComputer: 'give -a its address, or @ for this one',
  thisIPv6Computer: 'with -6, @ is the address of this one',
  onlyThisIPv6Computer: 'use -6, and @ for this computer',
  via: (protocol) => `--via ${protocol}`,
  anyVia: 'leave --via out',
  router: '--gateway',
  url: '-u',
  anyHost: '--any-host',
  pinholes: '-A',
  allOfPorts: '-r, -a, -n, -d',
  allOfPinholes: '-A, -U, -D',
  openIPv6: '-6 -A "" 0 @ PORT PROTOCOL 3600',
  descriptionUrl:
    '-u takes the URL of a line " desc:", which a search prints, and not the one of "Found valid IGD"; without -u, ' +
    'upnp-ts finds the router itself',
}

export const LIBRARY: Words = {
  program: 'this program',
  list: 'gateway.mappings()',
  externalAddress: 'gateway.externalAddress()',
  remove: 'gateway.unmap()',
  removeThat: ({ externalPort, protocol, remoteHost }) => {
    const host = remoteHost === '' ? '' : `, remoteHost: '${remoteHost}'`
    return `gateway.unmap({ externalPort: ${externalPort}, protocol: '${protocol.toUpperCase()}'${host} })`
  },
  describe: "description: '…'",
  anotherPort: "another externalPort, or externalPort: 'any'",
  anyPort: "externalPort: 'any'",
  withoutEnd: "use lease: 'unlimited'",
  withoutRemoteHost: 'leave remoteHost out',
  otherComputer: 'internalClient',
  nameComputer: 'give internalClient its address, or leave it out for this one',
  thisIPv6Computer: 'without internalClient it is this one',
  onlyThisIPv6Computer: 'leave internalClient out',
  via: (protocol) => `via: '${protocol}'`,
  anyVia: 'leave via out',
  router: "router: '…'",
  url: "url: '…'",
  anyHost: 'anyHost: true of findGateway',
  pinholes: 'family: 6',
  allOfPorts: 'openPort',
  allOfPinholes: 'openPort with family: 6',
  openIPv6: 'family: 6',
  descriptionUrl:
    "url: '…' takes the URL of the description of a UPnP gateway (UDA 1.1 2.1), and not its control URL; without it the " +
    'router is found by itself',
}

export function said(sentence: Sentence, words: Words): string {
  return typeof sentence === 'string' ? sentence : sentence(words)
}

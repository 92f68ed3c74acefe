/** What somebody who writes verbs calls the options and the questions. */
import { COMMAND_LINE, type Words } from '../../../domain/words.js'
import { portWord } from './words.js'

export const VERB_WORDS: Words = {
  ...COMMAND_LINE,
  list: 'upnp-ts list',
  externalAddress: 'upnp-ts status',
  remove: 'upnp-ts close PORT',
  removeThat: ({ externalPort, protocol }) =>
    `upnp-ts close ${portWord({ externalPort: externalPort ?? 0 }, [protocol])}`,
  describe: '--description',
  anotherPort: 'another port outside, as in --external any',
  anyPort: '--external any',
  withoutEnd: 'leave --for out',
  withoutRemoteHost: 'leave --only out',
  otherComputer: '--to',
  nameComputer: 'give --to its address, or leave it out for this one',
  thisIPv6Computer: 'without --to it is this one',
  onlyThisIPv6Computer: 'without --to, try a port above 1023',
  url: '--url',
  pinholes: '--ipv6',
  allOfPorts: 'open, close',
  allOfPinholes: 'open --ipv6',
  openIPv6: 'upnp-ts open --ipv6 PORT',
  descriptionUrl: '--url takes the address of the description of a router; without it, the router is found by itself',
}

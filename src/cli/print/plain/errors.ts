/** A command that cannot go on -> what was looked for and where, the likely causes, and the command to try next. Pure. */
import { isInternetAddress } from '../../../domain/address.js'
import { nothingFound } from '../../../domain/hints.js'
import { PROTOCOL_TITLES } from '../../../domain/port-mapping.js'
import type { ReportOf, SearchSummary } from '../../report.js'
import { cleaned } from '../clean.js'
import { errorOf } from '../notices.js'
import { complaint, hint, type Piece } from '../pieces.js'
import { type Remedy, remediesText } from './failures.js'
import { VERB_WORDS } from './reader.js'
import type { Occasion } from './telling.js'
import { againWith, sentence } from './words.js'

/** `gateway`: what was heard of one before. */
export function errorText(
  { error: told, searched, isNamed }: ReportOf<'error'>,
  occasion: Occasion,
  gateway?: ReportOf<'gateway'> | undefined,
): Piece[] {
  const again = (option: string, does: string): Remedy => ({ command: againWith(occasion, option), does })
  if (searched !== undefined) return nobodyText(searched, again)
  if ('kind' in told) {
    if (told.kind === 'no-ipv4-address')
      return [
        complaint('Ports are opened over IPv4, but the router was asked over IPv6.\n'),
        ...remediesText([again('--ipv6', 'lets the IPv6 internet in')]),
      ]
    if (told.kind === 'not-agreed') {
      const these = told.count === 1 ? 'this port' : `these ${told.count} ports`
      return [
        complaint('Nothing was closed, because nobody can be asked here.\n'),
        ...remediesText([again('--yes', `closes ${these}`)]),
      ]
    }
    const none = told.someOpen ? 'not every port was open' : 'no port was open'
    return [
      complaint(
        sentence(`${none} after ${told.afterMs / 1000} s, and --require was given: the program does not start`),
      ),
    ]
  }
  const { code, message } = errorOf(told)
  if (code === 'INTERNAL') return [complaint(`upnp-ts has a defect: ${cleaned(message)}\n`)]
  if (code === 'NO_GATEWAY' && gateway?.via === 'igd' && !gateway.used) return unusedText(gateway, again)
  if (isNamed === true)
    return [
      complaint(sentence(message)),
      hint(
        '  --url takes the address of the description of a router, which few people know: leave it out, and the router is found.\n',
      ),
    ]
  return [complaint(sentence(message)), ...remediesText([TROUBLE])]
}

const TROUBLE: Remedy = { command: 'upnp-ts help troubleshooting', does: 'says what else can be the matter' }

type Again = (option: string, does: string) => Remedy

/** The router was found, and is not used. */
function unusedText(gateway: Extract<ReportOf<'gateway'>, { readonly via: 'igd' }>, again: Again): Piece[] {
  const host = new URL(gateway.controlUrl).hostname
  switch (gateway.state) {
    case 'disconnected':
      return [
        complaint(sentence(`your router (${host}) says that it is not connected to the internet`)),
        ...remediesText([again('--ignore', 'goes on all the same')]),
      ]
    case 'not-an-igd':
      return [
        complaint(sentence(`something answered at ${host}, but it is no router that opens ports`)),
        ...remediesText([TROUBLE]),
      ]
    default:
      return [
        complaint(sentence(`a router answered at ${host}, but it is not the one that this computer uses`)),
        ...remediesText([again(`--gateway ${host}`, 'uses it all the same')]),
      ]
  }
}

function nobodyText(searched: SearchSummary, again: Again): Piece[] {
  const { via, lacksIPv4, interfaces, answered, referral, defaultGateways } = searched
  const own = interfaces.find(({ address }) => !address.includes(':') && isInternetAddress(address))
  if (lacksIPv4)
    return [
      complaint('This computer has no IPv4 address, only IPv6.\n'),
      ...remediesText([again('--ipv6', 'lets the IPv6 internet in')]),
    ]
  if (own !== undefined && answered === undefined)
    return [
      complaint(
        `No router answered, and none is needed: this computer itself has the internet address ${cleaned(own.address)}.\n`,
      ),
      hint('  If nobody gets in, look at the firewall of this computer, and at that of its provider.\n'),
    ]
  if (interfaces.length === 0) return [complaint('This computer is on no network. Is the cable in, is Wi-Fi on?\n')]
  if (answered !== undefined)
    return [
      complaint(
        sentence(
          `your router (${answered.gateway}) answers over ${PROTOCOL_TITLES[answered.via]} only, and this takes UPnP`,
        ),
      ),
      hint('  Switch UPnP on in the settings of the router.\n'),
    ]
  if (referral !== undefined)
    return [
      complaint(
        sentence(`no router answered, but ${referral.from} tells of one on another host: ${referral.location}`),
      ),
      ...remediesText([again('--any-host', 'uses that one')]),
    ]
  const { asked = '', why } = nothingFound(searched, VERB_WORDS)
  const [router] = defaultGateways
  const page = router === undefined || router.includes(':') ? 'its web page' : `its web page, http://${router}/`
  const speaks = via === 'auto' || via === 'igd' ? 'UPnP' : PROTOCOL_TITLES[via]
  return [
    complaint(`No router answered. ${sentence(`${asked}${why}`)}`),
    hint(
      [
        'Likely causes:',
        `  ${speaks} is off in the router. Look for it on ${page}, often under Internet, NAT or Network; ` +
          'on a FRITZ!Box under Internet > Permit Access, for this device.',
        ...CAUSES,
      ]
        .map((each) => `${cleaned(each)}\n`)
        .join(''),
    ),
    ...remediesText([TROUBLE]),
  ]
}

const CAUSES = [
  '  A VPN is on, and this computer asks there. Switch it off, and try again.',
  '  This is a guest network, which keeps its devices away from the router.',
  '  This is a container or a virtual machine with a network of its own (upnp-ts help docker).',
  '  A firewall on this computer drops the answers: let UDP port 1900 through.',
]

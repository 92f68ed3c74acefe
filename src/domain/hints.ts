/**
 * Hints: what to do next after a failure with a known remedy, for a person who has never heard of UPnP. A hint is a part
 * of the error: the command line prints it, and a program finds it in `error.hint`, each in its own words.
 */
import { isInternetAddress } from './address.js'
import type { ErrorFacts, SearchSummary } from './error-facts.js'
import { PROTOCOL_TITLES } from './port-mapping.js'
import { COMMAND_LINE, LIBRARY, type Sentence, said, type Words } from './words.js'

/** By the number of an error. */
type Hints = Readonly<Record<number, Sentence>>

const TOO_OLD = 'the router cannot do that: it is too old, or its maker left that out'
const OUT_OF_RANGE = 'that is more or less than the router accepts; try a shorter lease or another port'
const NO_SUCH_ENTRY: Sentence = ({ list }) => `there is no such entry; ${list} shows what there is`
export const ANY_REMOTE_HOST_ONLY: Sentence = ({ withoutRemoteHost }) =>
  `this router cannot limit a port to one remote host; ${withoutRemoteHost}`

const BY_NUMBER: Hints = {
  401: TOO_OLD,
  402: ({ list }) => `the router did not understand that, or its table is full; see ${list}, and try another port`,
  501: ({ externalAddress }) =>
    `the router could not do it; if it is behind another router (see its external address in ${externalAddress}), that is why`,
  600: OUT_OF_RANGE,
  601: OUT_OF_RANGE,
  602: TOO_OLD,
  605: ({ describe }) => `the description is too long for this router; give a short one with ${describe}`,
  606:
    'the router does not let this computer change anything, or only its own ports; look in its settings under UPnP ' +
    '(on a FRITZ!Box: allow this device to open ports on its own)',
  701: 'the firewall of the router has no room for another pinhole',
  702: 'the IPv6 firewall of the router is off: nothing needs to be opened',
  703: 'the router does not let computers open pinholes; look in its settings under IPv6 or UPnP',
  704: 'there is no pinhole with that number; its lease may have ended',
  705: 'the router opens pinholes for TCP and UDP only',
  706: 'the router wants an internal port here, and 0 is not one',
  707: 'the router wants one protocol here: TCP or UDP',
  708: ({ thisIPv6Computer }) => `the router wants the IPv6 address of a computer here; ${thisIPv6Computer}`,
  709: 'no packet has come through it yet',
  714: NO_SUCH_ENTRY,
  715: ANY_REMOTE_HOST_ONLY,
  718: ({ list, anotherPort }) =>
    `that external port is taken (${list} shows by whom), or the router opens ports only for the computer that asks; ` +
    `try ${anotherPort}`,
  724: ({ anyPort }) => `this router wants the external port to be the same as the internal one; ${anyPort} does that`,
  725: ({ withoutEnd }) => `this router opens ports only without a time limit; ${withoutEnd}`,
  726: ANY_REMOTE_HOST_ONLY,
  728: ({ list, remove }) =>
    `the router has no port for this computer: its table has no room (${list} shows it, ${remove} removes an entry), or ` +
    'its rules do not let this computer have one; look in its settings, or try a port above 1023',
  729: 'something else on the router uses that port, perhaps a forwarding made by hand',
  730: NO_SUCH_ENTRY,
  733: 'the first port is larger than the last one',
}

/** What the same numbers mean if the request was about a pinhole. */
const FOR_PINHOLES: Hints = {
  402: 'the router did not understand that; it wants the IPv6 address of a computer here, and a lease of a day at most',
  501: 'the router could not do it; does it have IPv6 at all?',
  606: ({ onlyThisIPv6Computer }) =>
    `the router opens its IPv6 firewall only for the computer that asks; ${onlyThisIPv6Computer}`,
}

const NOT_AUTHORIZED =
  'the router does not let this computer open ports, or it was not this user of this computer who opened that port; ' +
  'look in its settings under PCP or NAT-PMP'
const NO_ADDRESS = 'the router has no internet address now; it may not be connected'
const NO_ROOM =
  'the router has no room for another port now, or it has no internet address, or there is nothing to close; ' +
  'try again in a while'

const TAKEN_OR_FORBIDDEN: Sentence = ({ anyPort }) =>
  'somebody else has that external port, or the rules of the router do not allow it; try another one above 1023, or ' +
  `let the router choose with ${anyPort}`

/** RFC 6887 7.4. */
const PCP_HINTS: Hints = {
  1: ({ via }) => `the router speaks another version of PCP; try ${via('nat-pmp')}`,
  2: NOT_AUTHORIZED,
  3: 'the router did not understand that',
  4: ({ via }) => `the router cannot do that over PCP; try ${via('igd')} or ${via('nat-pmp')}`,
  5: ({ via }) =>
    `the router opens ports only for the computer that asks, and not for one remote host only; try ${via('igd')}`,
  6: 'the router did not understand that',
  7: NO_ADDRESS,
  8: `${NO_ROOM}; or its rules do not let this computer have a port`,
  9: 'the router opens ports for other protocols only; try TCP or UDP',
  10: ({ remove }) => `this computer already has as many ports open as the router allows; close one with ${remove}`,
  11: TAKEN_OR_FORBIDDEN,
  12: ({ program }) =>
    'there is another NAT between this computer and the router (a container, a second router): ' +
    `run ${program} in front of that NAT`,
  13: 'the router does not accept that many remote hosts for one port',
  15: 'the router wants PCP to be authenticated (RFC 7652), which upnp-ts does not do',
}

const NAT_PMP_NOT_AUTHORIZED = 2
const NO_VPN =
  'this gateway does not understand internal port 0, which only those of some VPNs do: name the port, as in -r 22 TCP'

/** RFC 6886 3.5. */
const NAT_PMP_HINTS: Hints = {
  1: ({ via }) => `the router speaks another version of NAT-PMP; try ${via('pcp')}`,
  2: NOT_AUTHORIZED,
  3: NO_ADDRESS,
  4: NO_ROOM,
  5: ({ via }) => `the router cannot do that over NAT-PMP; try ${via('pcp')} or ${via('igd')}`,
}

/** The facts about the request that the advice depends on. */
export interface Asked {
  readonly isPinhole?: boolean
  /** The request was for internal port 0. */
  readonly isSamePort?: boolean
  /** If the request was a change: how the user can see whether it was made although no answer came. */
  readonly toSee?: 'ask again' | 'look with -C' | 'look with -l'
  /** -D with a number, which may be one of the list of ports. */
  readonly isDeletionByNumber?: boolean
}

/** The URL of something else was given: the control URL, for example. */
export const NOT_A_DESCRIPTION = COMMAND_LINE.descriptionUrl

/** For the command line: undefined if nothing is known to help. */
export function hintFor(error: ErrorFacts, asked: Asked = {}): string | undefined {
  const advice = adviceFor(error, asked)
  if (asked.isDeletionByNumber !== true) return advice
  return `${advice === undefined ? '' : `${advice}. `}-D closes pinholes; -d EXTERNAL_PORT PROTOCOL closes a port of -l`
}

/** For a program: there always is one. */
export function libraryHintFor(error: ErrorFacts, asked: Pick<Asked, 'isPinhole'> = {}): string {
  const isOtherPort = error.via === 'nat-pmp' && error.number === 0 // it has said yes, and given another one
  if (isOtherPort) return said(TAKEN_OR_FORBIDDEN, LIBRARY)
  return refusalHint(error, asked, LIBRARY) ?? BY_CODE[error.code]
}

/** For a program, if no more is known. */
const BY_CODE: Readonly<Record<ErrorFacts['code'], string>> = {
  INVALID_ARGUMENT:
    'nothing was sent; change what is asked for: docs/library.md of upnp-ts says what each option takes',
  NO_GATEWAY: 'is the router on, and UPnP, PCP or NAT-PMP in its settings? another router is named with router or url',
  NO_REPLY:
    'the router may be busy, restarting or switched off, or a firewall drops its answers; try again, or give it more ' +
    'time with timeoutMs; what was asked for may have been done all the same',
  TRANSPORT:
    'the router cannot be reached from this computer: is the network up, is the address right, and does a firewall let ' +
    'this program through?',
  MALFORMED_MESSAGE:
    "the router gives answers that make no sense; try another protocol, as in via: 'pcp' or via: 'nat-pmp', or look for " +
    'newer firmware',
  REFUSED: 'the router does not say more; look in its settings under UPnP, PCP or NAT-PMP, or try another via',
  NOT_CONFIRMED: "the router says yes and does something else; try externalPort: 'any', or another via",
  USAGE: '',
  INTERNAL: '',
}

function adviceFor(error: ErrorFacts, asked: Asked): string | undefined {
  if (error.number !== undefined) return refusalHint(error, asked, COMMAND_LINE)
  if (error.code === 'MALFORMED_MESSAGE') return `the answer from the router makes no sense: ${error.message}`
  if (error.code !== 'TRANSPORT' && error.code !== 'NO_REPLY') return undefined
  const wasSent = error.code === 'NO_REPLY' && error.action !== undefined
  if (asked.toSee === undefined || !wasSent) return error.message
  return `${error.message}; it may have worked anyway: ${asked.toSee}`
}

/** In the words of whoever reads it; undefined if the gateway has not refused, or nothing is known to help. */
export function refusalHint(
  { number, via }: ErrorFacts,
  { isPinhole = false, isSamePort }: Asked,
  words: Words,
): string | undefined {
  if (number === undefined) return undefined
  if (isSamePort === true && number === NAT_PMP_NOT_AUTHORIZED) return NO_VPN
  const sentence =
    via === 'pcp'
      ? PCP_HINTS[number]
      : via === 'nat-pmp'
        ? NAT_PMP_HINTS[number]
        : ((isPinhole ? FOR_PINHOLES[number] : undefined) ?? BY_NUMBER[number])
  return sentence === undefined ? undefined : said(sentence, words)
}

interface NothingFound {
  /** Whom it asked, and for how long. */
  readonly asked?: string
  readonly why: string
  readonly joint?: '; '
  /** What the user can do. */
  readonly advice: string
}

function lacksIPv4Address({ openIPv6 }: Words): NothingFound {
  const why = 'this computer has no IPv4 address, and ports are opened over IPv4'
  return { why, joint: '; ', advice: `${openIPv6} lets the IPv6 internet in` }
}

/** The hint after a search that found nothing: what was tried, and what the user can check. */
export function nothingFoundHint(searched: SearchSummary): string {
  const { asked = '', why, joint = '. ', advice } = nothingFound(searched)
  return `${asked}${why}${joint}${advice}`
}

export function nothingFound(searched: SearchSummary, words: Words = COMMAND_LINE): NothingFound {
  const { via, searchedMs, interfaces, defaultGateways, lacksIPv4, answered, referral } = searched
  if (lacksIPv4) return lacksIPv4Address(words)
  const own = interfaces.find(({ address }) => !address.includes(':') && isInternetAddress(address))
  if (own !== undefined && answered === undefined) return ownAddress(own.address)
  const span = searchedMs < 100 ? '' : ` ${(searchedMs / 1000).toFixed(1)} s`
  if (via === 'pcp' || via === 'nat-pmp') {
    const tried = portControlTried(searched, words)
    if (tried === '') return nobodyToAsk(words)
    const isDeaf = via === 'nat-pmp' && searched.portControl.every(({ error }) => error.number === undefined)
    const advice = `${isDeaf ? `${ASK_THE_VPN} ` : ''}Name another router with ${words.router}, or ${words.anyVia}.`
    return { asked: `asked${span && ` for${span}`}: `, why: tried, advice }
  }
  if (interfaces.length === 0) return NO_NETWORK
  const shown = interfaces.slice(0, 4).map(({ name, address }) => {
    return name === undefined ? address : `${name} (${address.includes(':') ? 'IPv6' : address})`
  })
  const where = shown.join(', ') + (interfaces.length > 4 ? ', …' : '')
  const [gateway] = defaultGateways
  const unheard =
    gateway === undefined
      ? `this computer has no default gateway: ${words.router} names a router`
      : `the router at ${gateway} did not answer`
  const who = answered === undefined ? unheard : 'no router answered over UPnP'
  const tried = answered === undefined ? portControlTried(searched, words) : ''
  const found = { asked: `searched${span} on ${where}; `, why: `${who}${tried === '' ? '' : `; ${tried}`}` }
  if (answered !== undefined) {
    const speaks = `${answered.gateway} speaks ${PROTOCOL_TITLES[answered.via]}`
    const isIPv6 = answered.gateway.includes(':')
    const has = isIPv6
      ? `opens and closes pinholes (${words.allOfPinholes})`
      : `opens and closes ports (${words.allOfPorts})`
    return { ...found, advice: `${speaks}, which ${has}, but only UPnP can do this: switch it on in the router.` }
  }
  if (referral !== undefined) {
    const told = `${referral.from} tells of an IGD on another host, ${referral.location}`
    return { ...found, advice: `${told}: ${words.anyHost} uses it, and so does ${words.url}, if it is the router.` }
  }
  const settings = tried === '' ? 'UPnP' : 'UPnP, PCP or NAT-PMP'
  const advice =
    `Switch on ${settings} in the settings of the router, and let UDP port 1900 through the firewall of ` +
    'this computer.'
  return { ...found, advice }
}

function nobodyToAsk({ router }: Words): NothingFound {
  const why = 'this computer has no default gateway to ask'
  return { why, joint: '; ', advice: `name the router with ${router}` }
}
const NO_NETWORK: NothingFound = {
  why: 'this computer has no network address to search from',
  joint: '; ',
  advice: 'is the network up?',
}
const ASK_THE_VPN =
  'The gateway of a VPN speaks NAT-PMP only if that is switched on in its profile (ProtonVPN: +pmp after the user name).'

/** A cable leads straight into the modem, or the computer is rented. */
function ownAddress(address: string): NothingFound {
  const why = `no router answered, and this computer itself has the public address ${address}: no port needs to be opened`
  const advice = 'If nobody comes in, look at the firewall of this computer, and at that of its provider.'
  return { why, advice }
}

/** One clause for each gateway that was asked and each reason. */
function portControlTried({ via: asked, portControl }: SearchSummary, words: Words): string {
  const titles = asked === 'pcp' || asked === 'nat-pmp' ? PROTOCOL_TITLES[asked] : 'PCP, NAT-PMP'
  const clauses = portControl.map(({ via, gateway, port, error }) => {
    const title = PROTOCOL_TITLES[via]
    const advice = refusalHint(error, {}, words)
    if (error.number !== undefined)
      return `${gateway} answers ${title} with ${error.number} (${error.name ?? ''})${advice ? `: ${advice}` : ''}`
    if (error.code === 'NO_REPLY') return `${gateway} does not answer ${title}`
    return error.message.includes('nothing listens')
      ? `nothing listens on UDP port ${port} of ${gateway} (${titles})`
      : `${title}: ${error.message}`
  })
  return [...new Set(clauses)].join('; ')
}

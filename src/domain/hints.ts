/**
 * Hints: what to do next after a failure with a known remedy, for a person who has never heard of UPnP. A hint is a part
 * of the error: the command line prints it, and a program finds it in `error.hint`. Options in it are the command line's.
 */
import { isInternetAddress } from './address.js'
import type { ErrorFacts, SearchSummary } from './error-facts.js'
import { PROTOCOL_TITLES } from './port-mapping.js'

const TOO_OLD = 'the router cannot do that: it is too old, or its maker left that out'
const OUT_OF_RANGE = 'that is more or less than the router accepts; try a shorter lease or another port'
const NO_SUCH_ENTRY = 'there is no such entry; -l shows what there is'
const ANY_REMOTE_HOST_ONLY = 'this router cannot limit a port to one remote host; leave the remote host out'

const BY_NUMBER: Readonly<Record<number, string>> = {
  401: TOO_OLD,
  402: 'the router did not understand that, or its table is full; see -l, and try another port',
  501: 'the router could not do it; if it is behind another router (see its external address in -s), that is why',
  600: OUT_OF_RANGE,
  601: OUT_OF_RANGE,
  602: TOO_OLD,
  605: 'the description is too long for this router; give a short one with -e',
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
  708: 'the router wants the IPv6 address of a computer here; with -6, @ is the address of this one',
  709: 'no packet has come through it yet',
  714: NO_SUCH_ENTRY,
  715: ANY_REMOTE_HOST_ONLY,
  718:
    'that external port is taken (-l shows by whom), or the router opens ports only for the computer that asks; ' +
    'try another external port',
  724: 'this router wants the external port to be the same as the internal one; -n does that',
  725: 'this router opens ports only without a time limit; leave the lease out',
  726: ANY_REMOTE_HOST_ONLY,
  728:
    'the router has no port for this computer: its table has no room (-l shows it, -d removes an entry), or its rules ' +
    'do not let this computer have one; look in its settings, or try a port above 1023',
  729: 'something else on the router uses that port, perhaps a forwarding made by hand',
  730: NO_SUCH_ENTRY,
  733: 'the first port is larger than the last one',
}

/** What the same numbers mean if the request was about a pinhole. */
const FOR_PINHOLES: Readonly<Record<number, string>> = {
  402: 'the router did not understand that; it wants the IPv6 address of a computer here, and a lease of a day at most',
  501: 'the router could not do it; does it have IPv6 at all?',
  606: 'the router opens its IPv6 firewall only for the computer that asks; use -6, and @ for this computer',
}

const NOT_AUTHORIZED =
  'the router does not let this computer open ports, or it was not this user of this computer who opened that port; ' +
  'look in its settings under PCP or NAT-PMP'
const NO_ADDRESS = 'the router has no internet address now; it may not be connected'
const NO_ROOM =
  'the router has no room for another port now, or it has no internet address, or there is nothing to close; ' +
  'try again in a while'

/** RFC 6887 7.4. */
const PCP_HINTS: Readonly<Record<number, string>> = {
  1: 'the router speaks another version of PCP; try --via nat-pmp',
  2: NOT_AUTHORIZED,
  3: 'the router did not understand that',
  4: 'the router cannot do that over PCP; try --via igd or --via nat-pmp',
  5: 'the router opens ports only for the computer that asks, and not for one remote host only; try --via igd',
  6: 'the router did not understand that',
  7: NO_ADDRESS,
  8: `${NO_ROOM}; or its rules do not let this computer have a port`,
  9: 'the router opens ports for other protocols only; try TCP or UDP',
  10: 'this computer already has as many ports open as the router allows; close one with -d',
  11:
    'somebody else has that external port, or the rules of the router do not allow it; try another one above 1023, or ' +
    'let the router choose with -n',
  12:
    'there is another NAT between this computer and the router (a container, a second router): ' +
    'run upnp-ts in front of that NAT',
  13: 'the router does not accept that many remote hosts for one port',
  15: 'the router wants PCP to be authenticated (RFC 7652), which upnp-ts does not do',
}

const NAT_PMP_NOT_AUTHORIZED = 2
const NO_VPN =
  'this gateway does not understand internal port 0, which only those of some VPNs do: name the port, as in -r 22 TCP'

/** RFC 6886 3.5. */
const NAT_PMP_HINTS: Readonly<Record<number, string>> = {
  1: 'the router speaks another version of NAT-PMP; try --via pcp',
  2: NOT_AUTHORIZED,
  3: NO_ADDRESS,
  4: NO_ROOM,
  5: 'the router cannot do that over NAT-PMP; try --via pcp or --via igd',
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

/** -u was given the address of something else: the control URL, for example. */
export const NOT_A_DESCRIPTION =
  '-u takes the URL of a line " desc:", which a search prints, and not the one of "Found valid IGD"; without -u, ' +
  'upnp-ts finds the router itself'

export function hintFor(error: ErrorFacts, asked: Asked = {}): string | undefined {
  const advice = adviceFor(error, asked)
  if (asked.isDeletionByNumber !== true) return advice
  return `${advice === undefined ? '' : `${advice}. `}-D closes pinholes; -d EXTERNAL_PORT PROTOCOL closes a port of -l`
}

function adviceFor(error: ErrorFacts, { isPinhole = false, isSamePort, toSee }: Asked): string | undefined {
  if (error.number !== undefined) {
    if (isSamePort === true && error.number === NAT_PMP_NOT_AUTHORIZED) return NO_VPN
    if (error.via === 'pcp') return PCP_HINTS[error.number]
    if (error.via === 'nat-pmp') return NAT_PMP_HINTS[error.number]
    return (isPinhole ? FOR_PINHOLES[error.number] : undefined) ?? BY_NUMBER[error.number]
  }
  if (error.code === 'MALFORMED_MESSAGE') return `the answer from the router makes no sense: ${error.message}`
  if (error.code !== 'TRANSPORT' && error.code !== 'NO_REPLY') return undefined
  const wasSent = error.code === 'NO_REPLY' && error.action !== undefined
  if (toSee === undefined || !wasSent) return error.message
  return `${error.message}; it may have worked anyway: ${toSee}`
}

interface NothingFound {
  /** Whom it asked, and for how long. */
  readonly asked?: string
  readonly why: string
  readonly joint?: '; '
  /** What the user can do. */
  readonly advice: string
}

const LACKS_IPV4: NothingFound = {
  why: 'this computer has no IPv4 address, and ports are opened over IPv4',
  joint: '; ',
  advice: '-6 -A "" 0 @ PORT PROTOCOL 3600 lets the IPv6 internet in',
}

/** The hint after a search that found nothing: what was tried, and what the user can check. */
export function nothingFoundHint(searched: SearchSummary): string {
  const { asked = '', why, joint = '. ', advice } = nothingFound(searched)
  return `${asked}${why}${joint}${advice}`
}

export function nothingFound(searched: SearchSummary): NothingFound {
  const { via, searchedMs, interfaces, defaultGateways, lacksIPv4, answered, referral } = searched
  if (lacksIPv4) return LACKS_IPV4
  const own = interfaces.find(({ address }) => !address.includes(':') && isInternetAddress(address))
  if (own !== undefined && answered === undefined) return ownAddress(own.address)
  const span = searchedMs < 100 ? '' : ` ${(searchedMs / 1000).toFixed(1)} s`
  if (via === 'pcp' || via === 'nat-pmp') {
    const tried = portControlTried(searched)
    if (tried === '') return NOBODY_TO_ASK
    const isDeaf = via === 'nat-pmp' && searched.portControl.every(({ error }) => error.number === undefined)
    const advice = `${isDeaf ? `${ASK_THE_VPN} ` : ''}Name another router with --gateway, or leave --via out.`
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
      ? 'this computer has no default gateway: --gateway names a router'
      : `the router at ${gateway} did not answer`
  const who = answered === undefined ? unheard : 'no router answered over UPnP'
  const tried = answered === undefined ? portControlTried(searched) : ''
  const found = { asked: `searched${span} on ${where}; `, why: `${who}${tried === '' ? '' : `; ${tried}`}` }
  if (answered !== undefined) {
    const speaks = `${answered.gateway} speaks ${PROTOCOL_TITLES[answered.via]}`
    const isIPv6 = answered.gateway.includes(':')
    const has = isIPv6 ? 'opens and closes pinholes (-A, -U, -D)' : 'opens and closes ports (-r, -a, -n, -d)'
    return { ...found, advice: `${speaks}, which ${has}, but only UPnP can do this: switch it on in the router.` }
  }
  if (referral !== undefined) {
    const told = `${referral.from} tells of an IGD on another host, ${referral.location}`
    return { ...found, advice: `${told}: --any-host uses it, and so does -u, if it is the router.` }
  }
  const settings = tried === '' ? 'UPnP' : 'UPnP, PCP or NAT-PMP'
  const advice =
    `Switch on ${settings} in the settings of the router, and let UDP port 1900 through the firewall of ` +
    'this computer.'
  return { ...found, advice }
}

const NOBODY_TO_ASK: NothingFound = {
  why: 'this computer has no default gateway to ask',
  joint: '; ',
  advice: 'name the router with --gateway',
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
function portControlTried({ via: asked, portControl }: SearchSummary): string {
  const titles = asked === 'pcp' || asked === 'nat-pmp' ? PROTOCOL_TITLES[asked] : 'PCP, NAT-PMP'
  const clauses = portControl.map(({ via, gateway, port, error }) => {
    const title = PROTOCOL_TITLES[via]
    const advice = hintFor(error)
    if (error.number !== undefined)
      return `${gateway} answers ${title} with ${error.number} (${error.name ?? ''})${advice ? `: ${advice}` : ''}`
    if (error.code === 'NO_REPLY') return `${gateway} does not answer ${title}`
    return error.message.includes('nothing listens')
      ? `nothing listens on UDP port ${port} of ${gateway} (${titles})`
      : `${title}: ${error.message}`
  })
  return [...new Set(clauses)].join('; ')
}

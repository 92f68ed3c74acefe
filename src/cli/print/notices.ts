/** A notice, or an obstacle that prevents a command -> its sentence. Pure. */
import { type MappingKey, PROTOCOL_TITLES } from '../../domain/port-mapping.js'
import { doubtText } from '../../domain/refusal-text.js'
import type { HookFailure, Notice, NoticeOf, Obstacle, ReportedError, ReportOf } from '../report.js'

export function noticeText(notice: Notice): string {
  return sentenceOf(notice.kind, notice)
}

function sentenceOf<K extends Notice['kind']>(kind: K, notice: NoticeOf<K>): string {
  return SENTENCES[kind](notice)
}

const SENTENCES: { readonly [K in Notice['kind']]: (notice: NoticeOf<K>) => string } = {
  'still-open': ({ key }) => `${nameOf(key)} is still open: no time is left to close it`,
  'left-open': ({ key }) => `${nameOf(key)} stays open: it was open before`,
  'pinhole-still-open': ({ id }) => `pinhole ${id} for UDP is still open: no time is left to close it`,
  'pinhole-taken-back': ({ closed }) =>
    `the pinhole for UDP ${closed ? 'is closed again' : 'could not be closed again'}: TCP+UDP means both or neither`,
  'not-over-ipv6': ({ error, late }) =>
    late ? 'nothing is known yet about IPv6' : `not opened over IPv6: ${error.message}`,
  'address-not-public': ({ address }) =>
    address === ''
      ? 'the router has no internet address: it is not connected, or it is behind another router'
      : `${address}, the address of the router, is not an internet address: another router or the NAT of the ` +
        'provider is in front of it, and a port has to be opened there too',
  'address-unknown': ({ error }) =>
    `the router does not tell its external address now${error ? ` (${error.message})` : ''}; -s asks for it again`,
  'ports-over-ipv4': () =>
    'ports are opened over IPv4 only, with -6 too; -6 -A "" 0 @ PORT PROTOCOL 3600 lets the IPv6 internet in',
  'port-not-chosen': ({ error }) =>
    `the router does not choose a port itself (${error.message}); asked it for one port after another`,
  'description-changed': ({ description }) =>
    `the router refuses the description that was given, so the port is open as '${description}': ` +
    'plain letters and digits are safe after -e',
  'left-behind-closed': ({ address }) =>
    `the port was still open for ${address}, an earlier address of this computer: that is closed now`,
  'lease-not-renewed': ({ leaseSeconds }) =>
    `the router had that port open for this computer already, and did not begin its lease anew: ${leaseSeconds} s are left`,
  'client-is-router': doubtText,
  'client-is-public': doubtText,
  'another-nat': doubtText,
  'nobody-listens': ({ protocol, port }) =>
    `nothing on this computer listens on port ${port} ${protocol.replace('+', ' or ')} yet`,
  'listens-on-loopback-only': ({ protocol, port }) =>
    `the program on port ${port} ${protocol} can be reached from this computer only: tell it to listen on all ` +
    'addresses, and not just on localhost',
  'listens-elsewhere': ({ protocol, port, address, localAddress }) =>
    `the program on port ${port} ${protocol} listens on ${EVERY_IPV4 === address ? 'IPv4' : address} only, and the port ` +
    `leads to ${localAddress}: tell it to listen on all addresses`,
  'through-tunnel': ({ interface: name }) =>
    `programs on this computer send through ${name}, a VPN or another tunnel, and not through this router: what comes ` +
    'in by this port may be answered by another way',
  'not-the-router': ({ address, router }) =>
    `the router at ${router} did not answer; ${address} did, which is not the default gateway of this computer: ` +
    'the port may be open where nothing comes from',
  'no-router': ({ address }) =>
    `this computer has no default gateway; ${address} is the best of those that answered (-u or --gateway names one)`,
  'no-upnp': ({ via, waitedMs }) =>
    `the router did not answer over UPnP within ${(waitedMs / 1000).toFixed(1)} s, so ${PROTOCOL_TITLES[via]} was used; ` +
    `--via ${via} does not wait`,
  'description-lost': ({ via }) => `-e has no effect: ${PROTOCOL_TITLES[via]} has no descriptions`,
  'remote-host-unchecked': ({ via, key }) =>
    `${PROTOCOL_TITLES[via]} cannot tell whether ${nameOf(key)} is open for ${key.remoteHost} only, or for everybody: ` +
    'try it from another host',
  'made-by-another': ({ key, description }) =>
    `${nameOf(key)} led to this computer ('${description}'), but upnp-ts has no record of opening it: was ` +
    'it made by another program or user of this computer?',
  'nothing-open': ({ externalPort, protocols: [protocol, other] }) =>
    `port ${externalPort}${other === undefined ? ` ${protocol}` : ''} was not open`,
  'another-computers': ({ key, address, description }) =>
    `${nameOf(key)} leads to another computer, ${address} ('${description}'), and was left alone: ` +
    `upnp-ts -d ${key.externalPort} ${key.protocol} closes it all the same`,
  'still-taken': ({ via, key }) =>
    `the router said yes over ${PROTOCOL_TITLES[via]}, but ${nameOf(key)} is not free: another program or computer has it ` +
    'open, or the rules of the router keep it; close it with the program that opened it',
  'not-remembered': ({ key }) =>
    `${nameOf(key)} was left alone: upnp-ts has no record of opening it, and NAT-PMP cannot say whether it is open; ` +
    '--via nat-pmp closes it all the same',
  'not-shown': ({ key }) =>
    `${nameOf(key)} was left alone: upnp-ts has no record of opening it, and the router does not show whose it is: ` +
    `upnp-ts -d ${key.externalPort} ${key.protocol} closes it all the same`,
  'protocol-gone': ({ via, key, endsWallMs }) =>
    `${nameOf(key)} was opened over ${PROTOCOL_TITLES[via]}, which the router does not speak now, so it is still open; ` +
    (Number.isFinite(endsWallMs) ? `its lease ends ${new Date(endsWallMs).toString()}` : 'its lease has no end') +
    `; switch ${PROTOCOL_TITLES[via]} on in the router and try again`,
  'ends-with-lease': ({ key, endsWallMs }) =>
    `${nameOf(key)} cannot be closed alone, because it was opened for internal port 0: it ends with its lease, ` +
    `${new Date(endsWallMs).toString()} at the latest, if nothing renews it`,
  kept: ({ key }) =>
    `${nameOf(key)} is kept open by a running upnp-ts --keep of this user, which would open it again: end that one`,
  'deleted-unknown': ({ via, key }) =>
    `${PROTOCOL_TITLES[via]} says done even if nothing was open, and upnp-ts has no record of opening ` +
    `${nameOf(key)} that way; if it is still open, close it with the program that opened it`,
  'too-many-for-list-at-once': ({ count }) =>
    `the router has more than ${count} entries, and some (miniupnpd 2.3.1) break down if asked for them at once; ` +
    'asking for one entry after another',
  'not-listed-at-once': () => 'the router cannot list everything at once; asking for one entry after another',
  'listing-full': ({ count }) => `the router was asked for ${count} entries and may have more; -l lists them all`,
  'no-presentation-url': () => 'the router does not give the address of its web page',
  'nonce-key-not-kept': ({ error }) =>
    `the key of this computer for PCP cannot be stored (${error.message}): ` +
    'another run of upnp-ts will not be able to close what this one opened; it closes when its lease ends',
  'nonce-in-sight': () =>
    'every user of this computer can read a nonce on the command line: put it into a file that nobody else can read, ' +
    'and give --nonce @FILE, or - for standard input',
  'started-without-ports': (notice) => `${notOpen(notice)}: the program starts anyway`,
  'lease-too-short': ({ leaseSeconds, renewedEverySeconds: every }) =>
    `the router gives a lease of ${leaseSeconds} s, and may be asked again only every ${every} s: the port is closed in ` +
    'between; --lease with more seconds keeps it open',
  'hook-failed': (notice) => `--on-change: ${hookFailure(notice)}${again(notice)}`,
  'state-not-written': (notice) => `${notice.error.message}${again(notice)}`,
}

/** Of a program that does not listen on IPv6. */
const EVERY_IPV4 = '0.0.0.0'

function nameOf({ externalPort, protocol }: MappingKey): string {
  return `external ${externalPort} ${protocol}`
}

function hookFailure(failure: HookFailure): string {
  if (failure.reason === 'not-started') return failure.error.message
  if (failure.reason === 'timeout') return 'the command took too long and was stopped'
  if (failure.reason === 'signal') return `the command was stopped by ${failure.signal}`
  return `the command failed with exit status ${failure.exitStatus}`
}

function again({ willTryAgain }: { readonly willTryAgain: boolean }): string {
  return willTryAgain ? '; trying again' : ''
}

/** An error has a message already. An obstacle gets one here. */
export function errorOf(error: ReportedError | Obstacle): ReportedError {
  if (!('kind' in error)) return error
  if (error.kind === 'not-agreed')
    return { code: 'INVALID_ARGUMENT', message: 'nothing was closed, because nobody could be asked: --yes closes it' }
  if (error.kind === 'program-not-started')
    return { code: 'NO_GATEWAY', message: `${notOpen(error)}, and --require was given: the program does not start` }
  const message =
    "ports are mapped over IPv4: give -u or --gateway the router's IPv4 address, or -a the IPv4 address of this computer"
  return { code: 'INVALID_ARGUMENT', message }
}

function notOpen({ someOpen, afterMs }: { readonly someOpen: boolean; readonly afterMs: number }): string {
  return `${someOpen ? 'not every' : 'no'} port was open within ${afterMs / 1000} s`
}

/** Where the emulated gateway listens, and how to stop it. */
export function emulatorText(report: ReportOf<'emulator'>): string {
  const { address, searchError, portControl, portControlError } = report
  const search =
    searchError === undefined
      ? `It answers searches on ${address}; stop it with Ctrl-C.`
      : `It does not answer searches (${searchError.message}): name it with -u. Stop it with Ctrl-C.`
  const why = portControlError === undefined ? '' : ` (${portControlError.message})`
  const other =
    portControl === undefined
      ? `It does not speak PCP or NAT-PMP${why}.`
      : `It speaks PCP and NAT-PMP on UDP port ${portControl.port}.`
  return `${other} ${search}`
}

/** Something worth knowing beside the answer -> its sentence for people, on stderr. Pure. */
import { PROTOCOL_TITLES } from '../../../domain/port-mapping.js'
import type { Notice, NoticeOf } from '../../report.js'
import { cleaned } from '../clean.js'
import { noticeText } from '../notices.js'
import { hint, type Piece, plain } from '../pieces.js'
import { anotherNatText, helpOf, pinholeWhy, type RefusedPinhole, type Remedy, remediesText } from './failures.js'
import type { Occasion } from './telling.js'
import { againWith, commandLine, dateText, listed, portName, sentence } from './words.js'

/** Those of which the usual sentence would not do: it names a letter, or things that few people know. */
type Sentences = { readonly [K in Notice['kind']]?: (notice: NoticeOf<K>, occasion: Occasion) => string }

const SENTENCES: Sentences = {
  'still-open': ({ key }) => `${portName(key)} is still open: no time is left to close it`,
  'left-open': ({ key }) => `${portName(key)} stays open: it was open before`,
  'pinhole-still-open': () => 'over IPv6 UDP is still open: no time is left to close it',
  'pinhole-taken-back': ({ closed }) =>
    `over IPv6 UDP ${closed ? 'is closed again' : 'could not be closed again'}: both TCP and UDP were asked for, or neither`,
  'address-unknown': (_, { invocation }) =>
    `your router does not tell its internet address now; ask again with: ${commandLine('status', [], invocation)}`,
  'ports-over-ipv4': () => 'over IPv6 nothing was asked for',
  'listing-full': ({ count }) => `your router was asked for ${count} entries, and may have more`,
  'port-not-chosen': () => 'your router does not choose a port itself, so it was asked for one port after another',
  'description-changed': ({ description }) =>
    `your router did not take the description, so the port is called '${description}'; plain letters and digits are safe`,
  'left-behind-closed': ({ address }) =>
    `the port was still open for ${address}, an earlier address of this computer: that is closed now`,
  'lease-not-renewed': ({ leaseSeconds }, { nowMs }) =>
    `it was open for this computer already, and your router did not begin its time anew: it ends ${dateText(nowMs() + leaseSeconds * 1000, nowMs())}`,
  'client-is-router': ({ address }) =>
    doubt(`${address} is the router's own address, and a port leads to a computer at home`),
  'client-is-public': ({ address }) =>
    doubt(`${address} is an address of the internet, and a port leads to a computer at home`),
  'another-nat': (notice) => doubt(anotherNatText(notice)),
  'through-tunnel': ({ interface: name }) =>
    `but this computer sends through ${name}, a VPN or another tunnel: friends may not get an answer until that is off`,
  'not-the-router': ({ address, router }) =>
    `but your router (${router}) did not answer, and ${address} did, which this computer does not use: nobody may come in there`,
  'no-router': ({ address }) =>
    `this computer does not know its router, so ${address} was asked, which answered; --gateway ADDRESS names another one`,
  'no-upnp': ({ via, waitedMs }) =>
    `your router did not answer over UPnP within ${(waitedMs / 1000).toFixed(1)} s, so ${PROTOCOL_TITLES[via]} was used; ` +
    `with --via ${via} it is faster`,
  'description-lost': ({ via }) => `--description has no effect: ${PROTOCOL_TITLES[via]} has no descriptions`,
  'remote-host-unchecked': ({ via, key }) =>
    `your router cannot say over ${PROTOCOL_TITLES[via]} whether others than ${key.remoteHost} get in at ${portName(key)} too: ` +
    'try it from another address',
  'ends-with-lease': ({ key, endsWallMs }, { nowMs }) =>
    `${portName(key)} cannot be closed alone: it ends ${dateText(endsWallMs, nowMs())} at the latest`,
  'made-by-another': ({ key, description }) =>
    `${portName(key)} led to this computer ('${description}'), but upnp-ts did not open it: another program here did, and ` +
    'may open it again',
  'another-computers': ({ key, address, description }) =>
    `${portName(key)} leads to another computer, ${address} ('${description}'), and was left alone`,
  'still-taken': ({ via, key }) =>
    `your router said yes over ${PROTOCOL_TITLES[via]}, but ${portName(key)} is not free: another program or computer has ` +
    'it open, or the router keeps it for itself; close it with the program that opened it',
  'not-remembered': ({ key }) =>
    `${portName(key)} was left alone: upnp-ts did not open it, and your router cannot say whether it is open`,
  'not-shown': ({ key }) =>
    `${portName(key)} was left alone: upnp-ts did not open it, and your router does not show whose it is`,
  'protocol-gone': ({ via, key, endsWallMs }, { nowMs }) =>
    `${portName(key)} was opened over ${PROTOCOL_TITLES[via]}, which your router does not speak now, so it stays open` +
    (Number.isFinite(endsWallMs) ? ` until ${dateText(endsWallMs, nowMs())}` : '') +
    `; switch ${PROTOCOL_TITLES[via]} on in the settings of the router, and close it again`,
  kept: ({ key }) =>
    `${portName(key)} is kept open by a running upnp-ts --keep, which would open it again: stop that one first, with ` +
    'Ctrl-C where it runs',
  'deleted-unknown': ({ via, key }) =>
    `whether ${portName(key)} was open is not known: over ${PROTOCOL_TITLES[via]} your router says yes even if nothing ` +
    'was; if it is still open, close it with the program that opened it',
  'lease-too-short': ({ leaseSeconds, renewedEverySeconds: every }) =>
    `your router opens the port for ${leaseSeconds} s at a time, and may be asked only every ${every} s, so it is closed in ` +
    'between; a longer --for keeps it open',
}

/** A wait that nobody notices is not told. */
const NOTICED_MS = 1000

export function plainNotice(notice: Notice, occasion: Occasion): Piece[] {
  if (notice.kind === 'no-upnp' && notice.waitedMs < NOTICED_MS) return []
  return [hint(sentence(sentenceOf(notice.kind, notice, occasion))), ...remediesText(remediesFor(notice, occasion))]
}

/** What to try next. */
function remediesFor(notice: Notice, { invocation }: Occasion): readonly Remedy[] {
  if (notice.kind === 'another-nat') return [helpOf('docker', 'says how a container opens ports')]
  if (notice.kind !== 'another-computers' && notice.kind !== 'not-remembered' && notice.kind !== 'not-shown') return []
  const words = [String(notice.key.externalPort), notice.key.protocol]
  const via = notice.kind === 'not-remembered' ? ['--via', 'nat-pmp'] : []
  return [{ command: commandLine('--delete', [...words, ...via], invocation), does: 'closes it all the same' }]
}

function sentenceOf<K extends Notice['kind']>(kind: K, notice: NoticeOf<K>, occasion: Occasion): string {
  return SENTENCES[kind]?.(notice, occasion) ?? noticeText(notice)
}

function doubt(why: string): string {
  return `but it may lead nowhere: ${why}`
}

/** `Nothing on this computer listens on port 25565 yet.` All ports are one sentence; TCP needs no saying. */
export function nobodyText(unheard: readonly NoticeOf<'nobody-listens'>[]): Piece[] {
  if (unheard.length === 0) return []
  const protocols = new Map<number, string>()
  for (const { port, protocol } of unheard) {
    const other = protocols.get(port)
    protocols.set(port, other === undefined || other === protocol ? protocol : 'TCP+UDP')
  }
  const runs: { first: number; last: number; readonly protocol: string }[] = []
  for (const [port, protocol] of protocols) {
    const run = runs.at(-1)
    if (run?.protocol === protocol && run.last + 1 === port) run.last = port
    else runs.push({ first: port, last: port, protocol })
  }
  const names = runs.map(({ first, last, protocol }) => {
    const shown = protocol === 'TCP' ? '' : ` ${protocol.replace('+', ' or ')}`
    return `${first}${last === first ? '' : `-${last}`}${shown}`
  })
  const text = `Nothing on this computer listens on port${protocols.size === 1 ? '' : 's'} ${cleaned(listed(names))} yet.\n`
  return [{ stream: 'stdout', text, tone: 'hint' }]
}

/** Nobody has asked for IPv6, so it is one line. */
export function notOverIPv6Text({ error, searched, late }: NoticeOf<'not-over-ipv6'>, occasion: Occasion): Piece[] {
  if (late)
    return [
      plain(`Over IPv6: not known, your router takes its time. To wait for it: ${againWith(occasion, '--ipv6')}\n`),
    ]
  const why = searched === undefined ? error.message : 'your router cannot be asked for it'
  return [plain(`Over IPv6: not opened, ${sentence(`x${why}`).slice(1)}`)]
}

/** The same, if the router has answered. */
export function refusedOverIPv6({ error }: RefusedPinhole): Piece[] {
  return [plain(`Over IPv6: not opened, it ${cleaned(pinholeWhy(error))}.\n`)]
}

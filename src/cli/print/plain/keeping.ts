/** What happens while ports are kept open -> one line each, with the time. Pure. */
import { isInternetAddress } from '../../../domain/address.js'
import { nothingFound, refusalHint } from '../../../domain/hints.js'
import type { LossReason } from '../../../keeper/kept.js'
import type { KeeperReport, Report, ReportedError, ReportOf } from '../../report.js'
import type { Piece } from '../pieces.js'
import { helpOf, remediesText } from './failures.js'
import { VERB_WORDS } from './reader.js'
import type { Occasion } from './telling.js'
import { dateText, sentence, timeText } from './words.js'

const REASONS: Readonly<Record<LossReason, string>> = {
  'gateway-restarted': 'the router has restarted',
  gone: 'the router does not have it any more',
  taken: 'the router sends it to another computer now',
  expired: 'its time was over before it could be asked for again',
}

type Said = readonly [tone: Piece['tone'], sentence: string]
/** `, until 6 December, 10:14`, or nothing if it has no end. */
type Until = (endsWallMs: number | undefined) => string

const SENTENCES: { readonly [T in KeeperReport['type']]: (report: ReportOf<T>, until: Until) => Said } = {
  searching: ({ error, searched }) => [
    'bad',
    `no router has answered: ${searched ? nothingFound(searched, VERB_WORDS).why : error.message}; looking until one does`,
  ],
  'gateway-lost': ({ error }) => ['bad', `the router does not answer any more (${error.message}); looking for it`],
  moved: ({ gateway, previous, externalAddress }) => [
    'good',
    `your router (${gateway}) answers now, and is used instead of ${previous}` +
      (externalAddress !== undefined && isInternetAddress(externalAddress)
        ? `; friends connect to ${externalAddress}`
        : ''),
  ],
  renewed: ({ name, port }, until) => ['plain', `${plainName(name)} stays open${until(port.endsWallMs)}`],
  restored: ({ name, port, afterMs }, until) => [
    'good',
    `${plainName(name)} is open again after ${seconds(afterMs)}${until(port.endsWallMs)}`,
  ],
  lost: ({ name, reason }) => ['bad', `${plainName(name)} is closed, ${REASONS[reason]}; opening it again`],
  'keep-failed': ({ name, error, leftBehind, isPinhole }, until) => {
    const why =
      leftBehind === undefined
        ? whyOf(error, isPinhole)
        : `${leftBehind.internalClient}, an earlier address of this computer, still has it${until(leftBehind.endsWallMs)}`
    const next =
      error.code === 'INVALID_ARGUMENT' ? 'looking again in case that changes' : 'trying again until it works'
    return ['bad', `${plainName(name)} is not open: ${why}; ${next}`]
  },
  'external-address-changed': ({ address, previous }) => [
    'bad',
    isInternetAddress(address)
      ? `friends connect to ${address} now, no longer to ${previous}`
      : `the router has the address ${address} now, where the internet cannot reach it`,
  ],
  'external-port-changed': ({ protocol, externalPort, previous }) => [
    'bad',
    `friends connect to port ${externalPort} now, no longer to ${previous} (${protocol.replace('+', ' and ')})`,
  ],
  'hook-succeeded': ({ failures }) => [
    'good',
    `the command of --on-change has worked again, after ${failures === 1 ? 'one failure' : `${failures} failures`}`,
  ],
  'lines-dropped': ({ count }) => [
    'bad',
    count === 1
      ? 'one line was dropped, because nobody read it'
      : `${count} lines were dropped, because nobody read them`,
  ],
  removed: ({ name }) => ['plain', `${plainName(name)} is closed`],
  'left-open': ({ name, reason }) => [
    'plain',
    `${plainName(name)} stays open: ${reason === 'was-open' ? 'it was open before' : 'another upnp-ts keeps it open'}`,
  ],
  'ends-with-lease': ({ name, endsWallMs }, until) => [
    'plain',
    `${plainName(name)} cannot be closed alone; it stays open${until(endsWallMs)} at the latest`,
  ],
  'not-removed': ({ name, port, error }, until) => [
    'bad',
    `${plainName(name)} could not be closed: ${error.message}; it stays open${until(port?.endsWallMs)}`,
  ],
}

export function isAboutKeeping(report: Report): report is KeeperReport {
  return report.type in SENTENCES
}

export function keepingText(report: KeeperReport, { nowMs }: Occasion): Piece[] {
  const until: Until = (endsWallMs) =>
    endsWallMs === undefined || !Number.isFinite(endsWallMs) ? '' : `, until ${dateText(endsWallMs, nowMs())}`
  const [tone, text] = saidOf(report.type, report, until)
  const line: Piece = { stream: 'stdout', text: `${timeText(report.timeMs)}  ${sentence(text)}`, tone }
  if (report.type !== 'searching' || report.searched === undefined) return [line]
  return [line, ...remediesText([helpOf('troubleshooting', 'says why that may be')])]
}

function saidOf<T extends KeeperReport['type']>(type: T, report: ReportOf<T>, until: Until): Said {
  return SENTENCES[type](report, until)
}

/** `external port 22 TCP` and `pinhole for port 22 TCP` are the names of a keeper. */
function plainName(name: string): string {
  return name.replace(/^external /, '').replace(/^pinhole for (port \d+ \w+)/, '$1 over IPv6')
}

function whyOf(error: ReportedError, isPinhole: boolean): string {
  const advice = refusalHint(error, { isPinhole }, VERB_WORDS)
  return advice ?? error.message.replace(/; -\w .*/s, '') // what a letter would do
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`
}

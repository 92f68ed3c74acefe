/** Reports about ports that are kept open -> one line each on stdout, with the time, and a hint if one helps. Pure. */

import { nothingFound } from '../../domain/hints.js'
import { leftBehindText } from '../../domain/refusal-text.js'
import type { LossReason } from '../../keeper/kept.js'
import { type ByType, byType, type KeeperReport, type Report, type ReportedError } from '../report.js'
import { cleaned } from './clean.js'
import { hint, type Piece, withHint } from './pieces.js'

const REASONS: Readonly<Record<LossReason, string>> = {
  'gateway-restarted': 'the router has restarted',
  gone: 'the router does not have it any more',
  taken: 'the router now sends it to another computer',
  expired: 'its lease has ended',
}

const SENTENCES: ByType<KeeperReport['type'], readonly [tone: Piece['tone'], sentence: string]> = {
  searching: ({ error, searched }) => [
    'bad',
    `no router: ${searched ? nothingFound(searched).why : error.message}; looking until one is found`,
  ],
  'gateway-lost': ({ error }) => ['bad', `the router is gone: ${error.message}; looking for it`],
  moved: ({ gateway, previous, externalAddress }) => [
    'good',
    `the router at ${gateway} answers now, and is used instead of ${previous}` +
      (externalAddress === undefined ? '' : `; the external address is ${externalAddress}`),
  ],
  renewed: ({ name, leaseSeconds }) => ['plain', `${name}: renewed for ${leaseOf(leaseSeconds)}`],
  restored: ({ name, leaseSeconds, afterMs }) => [
    'good',
    `${name}: open again for ${leaseOf(leaseSeconds)}, after ${seconds(afterMs)}`,
  ],
  lost: ({ name, reason }) => ['bad', `${name}: lost, ${REASONS[reason]}; opening it again`],
  'keep-failed': ({ name, error, leftBehind }) => {
    const why = leftBehind === undefined ? '' : `; ${leftBehindText(leftBehind)}`
    return ['bad', `${nameAndReason(name, error)}${why}; ${whatNext(error)}`]
  },
  'external-address-changed': ({ address, previous }) => [
    'bad',
    `the external address is ${address} now, not ${previous}`,
  ],
  'external-port-changed': ({ protocol, externalPort, previous }) => [
    'bad',
    `the external port of ${protocol} is ${externalPort} now, not ${previous}`,
  ],
  'hook-succeeded': ({ failures }) => [
    'good',
    `--on-change: the command succeeded after ${failures === 1 ? 'a failure' : `${failures} failures`}`,
  ],
  'lines-dropped': ({ count }) => [
    'bad',
    count === 1
      ? '1 line was dropped, because nobody read it'
      : `${count} lines were dropped, because nobody read them`,
  ],
  removed: ({ name }) => ['plain', `${name}: closed`],
  'left-open': ({ name, reason }) => [
    'plain',
    `${name}: left open, ${reason === 'was-open' ? 'because it was open before' : 'because another --keep has it open'}`,
  ],
  'ends-with-lease': ({ name, endsWallMs }) => [
    'plain',
    `${name}: ends with its lease, ${new Date(endsWallMs).toISOString()} at the latest; it cannot be closed alone`,
  ],
  'not-removed': ({ name, error }) => ['bad', `${name}: could not be closed: ${error.message}`],
}

export function isAboutKeeping(report: Report): report is KeeperReport {
  return report.type in SENTENCES
}

export function renderKeeper(report: KeeperReport): Piece[] {
  const [tone, sentence] = byType(SENTENCES, report.type, report)
  const text = `${new Date(report.timeMs).toISOString()} ${cleaned(sentence)}\n`
  const piece: Piece = { stream: 'stdout', text, tone }
  if (report.type === 'searching' && report.searched !== undefined)
    return [piece, hint(`hint: ${cleaned(nothingFound(report.searched).advice)}\n`)]
  // Only a refusal gets a hint: the hint about another failure would repeat the reason.
  const isRefusal =
    report.type === 'keep-failed' && report.error.number !== undefined && report.leftBehind === undefined
  return isRefusal ? withHint(piece, report.error, { isPinhole: report.isPinhole }) : [piece]
}

/** Some reasons already begin with the name. */
function nameAndReason(name: string, { message }: ReportedError): string {
  return message.startsWith(`${name} `) ? message : `${name}: ${message}`
}

function whatNext({ code }: ReportedError): string {
  return code === 'INVALID_ARGUMENT' ? 'looking again in case that changes' : 'trying again until it works'
}

function leaseOf(leaseSeconds: number): string {
  return leaseSeconds === 0 ? 'as long as the router runs' : `${leaseSeconds} s`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`
}

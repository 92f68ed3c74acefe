/** Reports about ports that are kept open -> one line each on stderr, with the time, and a hint if one helps. Pure. */
import type { LossReason } from '../../keeper/kept.js'
import type { KeeperReport, Report, ReportedError } from '../report.js'
import { cleaned } from './clean.js'
import { type Piece, withHint } from './pieces.js'

const REASONS: Readonly<Record<LossReason, string>> = {
  'gateway-restarted': 'the router has restarted',
  gone: 'the router does not have it any more',
  taken: 'the router now sends it to another computer',
  expired: 'its lease has ended',
}

const TONES: Readonly<Record<KeeperReport['type'], Piece['tone']>> = {
  searching: 'bad',
  'gateway-lost': 'bad',
  renewed: 'plain',
  restored: 'good',
  lost: 'bad',
  'keep-failed': 'bad',
  'external-address-changed': 'bad',
  removed: 'plain',
  'left-open': 'plain',
  'not-removed': 'bad',
}

export function isAboutKeeping(report: Report): report is KeeperReport {
  return report.type in TONES
}

export function renderKeeper(report: KeeperReport): Piece[] {
  const line = `${new Date(report.timeMs).toISOString()} ${cleaned(sentenceOf(report))}\n`
  const piece: Piece = { stream: 'stderr', text: line, tone: TONES[report.type] }
  // Only a refusal gets a hint: the hint about another failure would repeat the reason.
  const isRefusal = report.type === 'keep-failed' && report.error.number !== undefined
  return isRefusal ? withHint(piece, report.error, { isPinhole: report.isPinhole }) : [piece]
}

function sentenceOf(report: KeeperReport): string {
  switch (report.type) {
    case 'searching':
      return `no router: ${report.error.message}; looking until one is found`
    case 'gateway-lost':
      return `the router is gone: ${report.error.message}; looking for it`
    case 'renewed':
      return `${report.name}: renewed for ${leaseOf(report.leaseSeconds)}`
    case 'restored':
      return `${report.name}: open again for ${leaseOf(report.leaseSeconds)}, after ${seconds(report.afterMs)}`
    case 'lost':
      return `${report.name}: lost, ${REASONS[report.reason]}; opening it again`
    case 'keep-failed':
      return `${nameAndReason(report.name, report.error)}; ${
        report.error.code === 'INVALID_ARGUMENT' ? 'looking again in case that changes' : 'trying again until it works'
      }`
    case 'external-address-changed':
      return `the external address is ${report.address} now, not ${report.previous}`
    case 'removed':
      return `${report.name}: closed`
    case 'left-open':
      return `${report.name}: left open, because it was open before`
    case 'not-removed':
      return `${report.name}: could not be closed: ${report.error.message}`
  }
}

/** Some reasons already begin with the name. */
function nameAndReason(name: string, { message }: ReportedError): string {
  return message.startsWith(`${name} `) ? message : `${name}: ${message}`
}

function leaseOf(leaseSeconds: number): string {
  return leaseSeconds === 0 ? 'as long as the router runs' : `${leaseSeconds} s`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`
}

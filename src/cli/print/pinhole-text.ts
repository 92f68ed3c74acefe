/** Reports about pinholes -> upnpc's text. Pure. */

import type { Asked } from '../../domain/hints.js'
import type { PinholeId } from '../../domain/pinhole.js'
import type { ByType, PinholeReport, ReportedError, ReportedPinhole } from '../report.js'
import { cleaned } from './clean.js'
import { bad, codeAndName, good, type Piece, plain, upnpcCode, withHint } from './pieces.js'

const yesOrNo = (yes: boolean | undefined): string => (yes === undefined ? 'unknown' : yes ? 'Yes' : 'No')
const flag = (yes: boolean | undefined): string => (yes === undefined ? 'unknown' : yes ? '1' : '0')

export const PINHOLE_TEXTS: ByType<PinholeReport['type'], Piece[]> = {
  'pinhole-advice': () => [plain('Use IPv6 (option -6) GUA address to ensure UPnP IGDv2 pinholes are allowed\n\n')],
  // If the firewall does not answer, upnpc prints zeros.
  'firewall-status': (report) => {
    const enabled = report.ok ? report.firewallEnabled : undefined
    const allowed = report.ok ? report.inboundPinholeAllowed : undefined
    const summary = plain(`FirewallEnabled: ${flag(enabled)} & Inbound Pinhole Allowed: ${flag(allowed)}\n`)
    const details = plain(
      `GetFirewallStatus:\n   Firewall Enabled: ${yesOrNo(enabled)}\n   Inbound Pinhole Allowed: ${yesOrNo(allowed)}\n`,
    )
    return report.ok ? [summary, details] : [summary, ...withHint(details, report.error)]
  },
  'pinhole-added': (report) => {
    const way = `([${cleaned(report.asked.remoteHostTyped)}]:${report.asked.remotePort} -> ${inside(report.asked)})`
    if (report.ok) return [good(`AddPinhole: ${way} / Pinhole ID = ${idText(report.id)}\n`)]
    const code = codeAndName(report.error, report.via)
    return failure(`AddPinhole${way} failed with code ${code}`, report.error, { toSee: 'ask again' })
  },
  'pinhole-working': (report) => {
    const id = idText(report.id)
    if (report.ok) return [plain(`CheckPinholeWorking: Pinhole ID = ${id} / IsWorking = ${yesOrNo(report.working)}\n`)]
    const which = report.during === 'update' ? id : ''
    return failure(`CheckPinholeWorking(${which}) failed with code ${codeAndName(report.error)}`, report.error)
  },
  'pinhole-updated': (report) => {
    const id = idText(report.id)
    const line = `UpdatePinhole: Pinhole ID = ${id} with Lease Time: ${report.leaseSeconds}\n`
    if (report.ok) return [good(line)]
    const code = codeAndName(report.error, viaOf(report.id))
    const complaints = failure(`UpdatePinhole: ID (${id}) failed with code ${code}`, report.error, {
      toSee: toSee(report.id),
    })
    return [plain(line), ...complaints]
  },
  'pinhole-packets': (report) => {
    if (!report.ok) return failure(`GetPinholePackets() failed with code ${codeAndName(report.error)}`, report.error)
    return [plain(`GetPinholePackets: Pinhole ID = ${idText(report.id)} / PinholePackets = ${report.packets}\n`)]
  },
  'pinhole-deleted': (report) => {
    const name = viaOf(report.id) === 'igd' ? 'UPNP_DeletePinhole' : 'PCP_DeletePinhole'
    if (report.ok) return [good(`${name}() returned : 0\n`)]
    const asked = { toSee: toSee(report.id), isDeletionByNumber: typeof report.id === 'number' }
    return failure(`${name}() returned : ${upnpcCode(report.error)}`, report.error, asked)
  },
  'outbound-timeout': (report) => {
    const way = `(${inside(report.asked)} -> [${cleaned(report.asked.remoteHostTyped)}]:${report.asked.remotePort})`
    if (report.ok) return [plain(`GetOutboundPinholeTimeout: ${way} / Timeout = ${report.seconds}\n`)]
    return failure(`GetOutboundPinholeTimeout${way} failed with code ${codeAndName(report.error)}`, report.error)
  },
}

function failure(line: string, error: ReportedError, asked: Asked = {}): Piece[] {
  return withHint(bad(`${line}\n`), error, { ...asked, isPinhole: true })
}

/** An IGD knows a pinhole by a number; PCP knows it by its destination. */
function viaOf(id: PinholeId): 'igd' | 'pcp' {
  return typeof id === 'number' ? 'igd' : 'pcp'
}

function toSee(id: PinholeId): NonNullable<Asked['toSee']> {
  return viaOf(id) === 'igd' ? 'look with -C' : 'ask again'
}

function idText(id: PinholeId): string {
  return cleaned(String(id))
}

function inside({ internalClient, internalPort }: ReportedPinhole): string {
  return `[${cleaned(internalClient)}]:${internalPort}`
}

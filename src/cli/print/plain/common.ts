/** The sentences that are the same for all verbs. */
import type { ReportOf } from '../../report.js'
import { errorText } from './errors.js'
import { plainNotice } from './notices.js'
import type { Occasion, Rows } from './telling.js'

export function commonRows(occasion: Occasion): Rows {
  let gateway: ReportOf<'gateway'> | undefined
  let isToldOfWait = false
  return {
    gateway: (report) => {
      gateway = report
      return []
    },
    notice: (notice) => {
      if (notice.kind === 'no-upnp' && isToldOfWait) return [] // over IPv6 it is the same router
      isToldOfWait ||= notice.kind === 'no-upnp'
      return plainNotice(notice, occasion)
    },
    error: (report) => errorText(report, occasion, gateway),
  }
}

/** The sentences that are the same for all verbs. */
import type { ReportOf } from '../../report.js'
import { errorText } from './errors.js'
import { plainNotice } from './notices.js'
import type { Occasion, Rows } from './telling.js'

export function commonRows(occasion: Occasion): Rows {
  let gateway: ReportOf<'gateway'> | undefined
  return {
    gateway: (report) => {
      gateway = report
      return []
    },
    notice: (notice) => plainNotice(notice, occasion),
    error: (report) => errorText(report, occasion, gateway),
  }
}

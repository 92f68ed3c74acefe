/**
 * The voice of verbs: Reports -> short sentences for people who have never heard of UPnP. Each verb has a file of its own
 * here; what is the same for all of them, such as notices and errors, is in common.ts.
 */
import type { GatewayCommand } from '../../parse/command-table.js'
import { withShortTexts } from '../clean.js'
import { fitted } from '../fit.js'
import type { Voice } from '../voice.js'
import { closeTelling } from './close.js'
import { commonRows } from './common.js'
import { Doubt } from './interrupted.js'
import { isAboutKeeping, keepingText } from './keeping.js'
import { listTelling } from './list.js'
import { aside, endpointTelling } from './open/endpoint.js'
import { openTelling } from './open/open.js'
import { statusTelling } from './status.js'
import { type Occasion, type Telling, told } from './telling.js'
import { watchTelling } from './watch/lines.js'

/** By the name of the command that the verb is parsed into. */
const TELLINGS: { readonly [Name in GatewayCommand['name']]?: (occasion: Occasion) => Telling } = {
  map: openTelling,
  'add-pinholes': openTelling,
  close: closeTelling,
  'close-mine': closeTelling,
  list: listTelling,
  overview: statusTelling,
  watch: watchTelling,
}

const NOTHING: Telling = { rows: {}, end: () => [] }

export function plainVoice(occasion: Occasion): Voice {
  const { command, handOver } = occasion.invocation
  const isEndpointOnly = handOver?.endpointOnly === true
  const telling = (isEndpointOnly ? endpointTelling : TELLINGS[command.name])?.(occasion) ?? NOTHING
  const common = commonRows(occasion)
  const doubt = new Doubt(occasion)
  return {
    render: (whole) => {
      const report = withShortTexts(whole)
      doubt.hear(report)
      if (isAboutKeeping(report) && !(report.type in telling.rows)) {
        const news = keepingText(report, occasion)
        return [...(telling.beforeNews?.() ?? []), ...(isEndpointOnly ? aside(news) : news)]
      }
      return told(telling.rows, report.type, report) ?? told(common, report.type, report) ?? []
    },
    end: (exitCode) => telling.end(exitCode),
    interrupted: () => {
      const pieces = doubt.pieces()
      return [...telling.end(2), ...(isEndpointOnly ? aside(pieces) : pieces)]
    },
    fit: fitted,
  }
}

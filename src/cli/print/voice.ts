/** A voice: how Reports become text. Letters speak as upnpc does, verbs in plain words. JSON needs none. */
import type { Compatibility } from '../parse/output-options.js'
import type { Report } from '../report.js'
import { type Piece, plain } from './pieces.js'
import { DEVICES_HEADING, renderText } from './text.js'

export interface Voice {
  render(report: Report): readonly Piece[]
  /** What is left to say when the command is over. */
  end(exitCode: number): readonly Piece[]
  /** What a person must know if a signal ends the command now. */
  interrupted?(): readonly Piece[]
  /** Breaks the lines that are too long for a terminal. Without it they stay as they are. */
  readonly fit?: (text: string, columns: number) => string
}

/** upnpc's text, Report by Report. */
export function upnpcVoice(compat: Compatibility): Voice {
  let hasHeading = false
  return {
    render: (report) => {
      const heading = report.type === 'device' && !hasHeading ? [plain(DEVICES_HEADING)] : []
      hasHeading ||= report.type === 'device'
      return [...heading, ...renderText(report, compat)]
    },
    end: () => [],
  }
}

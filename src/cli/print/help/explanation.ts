/** What -h, `help` and `completion` print. */
import { type CompletionInvocation, HELP, type HelpInvocation } from '../../parse/help-words.js'
import type { Output } from '../../parse/output-options.js'
import { UsageError } from '../../parse/words.js'
import { completionFor } from '../completion/completion.js'
import { firstScreen, helpOn, subjectNear } from './help.js'
import { helpDocument } from './help-json.js'
import { widthFor } from './layout.js'

/** @throws UsageError if there is no help on the word */
export function explanation(
  asked: HelpInvocation | CompletionInvocation,
  { json }: Pick<Output, 'json'>,
  columns: number | undefined,
): string {
  if (asked.kind === 'completion') return completionFor(asked.shell)
  if (json) return `${JSON.stringify(helpDocument())}\n`
  const width = widthFor(columns)
  if (asked.about === undefined) return firstScreen(width)
  const text = helpOn(asked.about, width)
  if (text !== undefined) return text
  const near = subjectNear(asked.about)
  if (near === undefined)
    throw new UsageError(`there is no help on '${asked.about}'; all commands and topics are in: upnp-ts help`, {
      usageOf: HELP,
    })
  throw new UsageError(`there is no help on '${asked.about}'; did you mean ${near}?`, {
    next: `help ${near}`,
    usageOf: HELP,
  })
}

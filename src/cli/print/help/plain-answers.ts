/** The answers that are always the same, by their command lines: the build stores them for bin/upnp-ts.js. */
import { SHELLS } from '../../parse/help-words.js'
import { completionFor } from '../completion/completion.js'
import { VERSION_TEXT } from '../usage.js'
import { firstScreen } from './help.js'
import { widthFor } from './layout.js'

export function plainAnswers() {
  const columns = widthFor(undefined)
  const help = firstScreen(columns)
  const completions = SHELLS.map((shell) => [`completion ${shell}`, completionFor(shell)])
  const answers = { '-V': VERSION_TEXT, '--version': VERSION_TEXT, '-h': help, '--help': help, help }
  return { columns, answers: { ...answers, ...Object.fromEntries(completions) } }
}

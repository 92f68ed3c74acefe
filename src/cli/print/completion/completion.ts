/** What lets a shell complete the words of upnp-ts: a script of its own language, made from the tables. */
import type { Shell } from '../../parse/help-words.js'
import { TABLES, type Tables } from '../../parse/output-options.js'
import { bashCompletion } from './bash.js'
import { fishCompletion } from './fish.js'
import { wordsToComplete } from './words-to-complete.js'
import { zshCompletion } from './zsh.js'

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const

export function completionFor(shell: Shell, tables: Tables = TABLES): string {
  return SCRIPTS[shell](wordsToComplete(tables))
}

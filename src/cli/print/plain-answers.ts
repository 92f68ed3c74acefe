/** What is answered without a look at the network or at the rest of this program: the version and the usage text. */
import { VERSION } from '../../domain/version.js'
import { writeAll } from './direct-output.js'
import { BANNER, USAGE } from './usage.js'

export const VERSION_TEXT = `${VERSION}\n`
export const HELP_TEXT = BANNER + USAGE

/** Whether it was such a command line, and all of it is written: otherwise main() says it, or says why not. */
export function answerPlainly(argv: readonly string[], put: (text: string) => void = toStdout): boolean {
  const [word] = argv
  const isVersion = word === '--version' || word === '-V'
  if (argv.length !== 1 || (!isVersion && word !== '--help' && word !== '-h')) return false
  try {
    put(isVersion ? VERSION_TEXT : HELP_TEXT)
    return true
  } catch {
    return false
  }
}

function toStdout(text: string): void {
  writeAll(1, text)
}

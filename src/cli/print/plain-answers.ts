/** What is answered without a look at the network or at the rest of this program: the version and the usage text. */
import { VERSION } from '../../domain/version.js'
import { BANNER, usageText } from './usage.js'

export const VERSION_TEXT = `${VERSION}\n`

export function helpText(): string {
  return BANNER + usageText()
}

/** The answer to a command line that asks for nothing else; bin/upnp-ts.js prints it. Undefined for any other one. */
export function plainAnswer(argv: readonly string[]): string | undefined {
  if (argv.length !== 1) return undefined
  switch (argv[0]) {
    case '--version':
    case '-V':
      return VERSION_TEXT
    case '--help':
    case '-h':
      return helpText()
    default:
      return undefined
  }
}

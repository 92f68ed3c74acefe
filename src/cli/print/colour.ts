/** Whether a stream is painted: --color decides, then the environment, then whether it is a terminal. Pure. */
import type { ColourWhen } from '../parse/output-options.js'

type Environment = Readonly<Record<string, string | undefined>>

/** NO_COLOR as no-color.org has it, FORCE_COLOR as chalk does, CLICOLOR and CLICOLOR_FORCE as bixense.com/clicolors does. */
export function wantsColour(env: Environment, isTTY: boolean, when: ColourWhen): boolean {
  if (when !== 'auto') return when === 'always'
  if (isSet(env.NO_COLOR)) return false
  const forced = forcedBy(env.FORCE_COLOR)
  if (forced !== undefined) return forced
  if (isSet(env.CLICOLOR_FORCE) && env.CLICOLOR_FORCE !== '0') return true
  return env.CLICOLOR !== '0' && isTTY && env.TERM !== 'dumb'
}

function isSet(value = ''): boolean {
  return value !== ''
}

/** Undefined if FORCE_COLOR says nothing, or nothing that can be understood. */
function forcedBy(value: string | undefined): boolean | undefined {
  if (value === '' || value === 'true') return true
  if (value === 'false') return false
  const level = Number.parseInt(value ?? '', 10)
  return level >= 0 ? level > 0 : undefined
}

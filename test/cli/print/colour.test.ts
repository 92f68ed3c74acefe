/** When a stream is painted: the whole table. */
import { describe, expect, it } from 'vitest'
import { wantsColour } from '../../../src/cli/print/colour.ts'

type Env = Parameters<typeof wantsColour>[0]

/** What is said, and whether a terminal and a pipe are painted. */
const AUTO: readonly (readonly [Env, boolean, boolean])[] = [
  [{}, true, false],
  [{ TERM: 'xterm-256color' }, true, false],
  [{ TERM: 'dumb' }, false, false],
  // no-color.org: only if it is present and not an empty string
  [{ NO_COLOR: '' }, true, false],
  [{ NO_COLOR: '1' }, false, false],
  [{ NO_COLOR: '0' }, false, false],
  // chalk
  [{ FORCE_COLOR: '' }, true, true],
  [{ FORCE_COLOR: 'true' }, true, true],
  [{ FORCE_COLOR: '1' }, true, true],
  [{ FORCE_COLOR: '2' }, true, true],
  [{ FORCE_COLOR: '3' }, true, true],
  [{ FORCE_COLOR: '9' }, true, true],
  [{ FORCE_COLOR: '0' }, false, false],
  [{ FORCE_COLOR: 'false' }, false, false],
  [{ FORCE_COLOR: 'yes' }, true, false],
  [{ FORCE_COLOR: '-1' }, true, false],
  [{ FORCE_COLOR: '1', TERM: 'dumb' }, true, true],
  // bixense.com/clicolors
  [{ CLICOLOR_FORCE: '1' }, true, true],
  [{ CLICOLOR_FORCE: '0' }, true, false],
  [{ CLICOLOR_FORCE: '' }, true, false],
  [{ CLICOLOR_FORCE: '1', TERM: 'dumb' }, true, true],
  [{ CLICOLOR: '0' }, false, false],
  [{ CLICOLOR: '1' }, true, false],
  [{ CLICOLOR: '' }, true, false],
  // several at once
  [{ CLICOLOR: '0', CLICOLOR_FORCE: '1' }, true, true],
  [{ NO_COLOR: '1', FORCE_COLOR: '1', CLICOLOR_FORCE: '1' }, false, false],
  [{ NO_COLOR: '', FORCE_COLOR: '0' }, false, false],
  [{ FORCE_COLOR: '0', CLICOLOR_FORCE: '1' }, false, false],
  [{ FORCE_COLOR: '1', CLICOLOR: '0' }, true, true],
]

describe('colour', () => {
  it.each(AUTO)('%j: a terminal %s, a pipe %s', (env, terminal, pipe) => {
    expect([wantsColour(env, true, 'auto'), wantsColour(env, false, 'auto')]).toEqual([terminal, pipe])
  })

  it.each(AUTO)('is as --color says, whatever %j says', (env) => {
    for (const isTTY of [true, false]) {
      expect(wantsColour(env, isTTY, 'always')).toBe(true)
      expect(wantsColour(env, isTTY, 'never')).toBe(false)
    }
  })
})

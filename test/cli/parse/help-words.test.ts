import { describe, expect, it } from 'vitest'
import { isForVerb } from '../../../src/cli/parse/help-words.ts'

/** Whether the answer is in plain words, or has upnpc's banner. */
describe('a command line', () => {
  it.each([
    'open 22',
    '--json open 22',
    'open -r 22 TCP',
    'opne 22',
    '--emulate opne 22',
    '-e list opne',
    'service systemd',
  ])('is for a verb: %s', (line) => expect(isForVerb(line.split(' '))).toBe(true))

  it.each(['-l', 'word -l', '-l open', '-r 22 TCP', '-e open -l', '-e open', '--timeout 5', '-z', ''])(
    'is for a letter, or for nothing: %s',
    (line) => expect(isForVerb(line.split(' ').filter((word) => word !== ''))).toBe(false),
  )
})

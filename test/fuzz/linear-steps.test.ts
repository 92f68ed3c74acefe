/**
 * Every decoder takes steps in proportion to the message: of each kind of repetition, twice as much takes at most twice
 * the steps, up to the largest message that is allowed.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { beforeAll, expect, it } from 'vitest'
import { withBundle } from './bundle.js'
import { DECODERS } from './decoders.ts'
import { LINEAR, QUADRATIC } from './planted.ts'

/** Name -> the kinds of repetition of which it takes too many steps. */
let found: Readonly<Record<string, readonly string[]>> = {}

beforeAll(async () => {
  const { stdout } = await withBundle('repetitions.ts', (path) => promisify(execFile)(process.execPath, [path]))
  found = JSON.parse(stdout)
}, 240_000)

it.each(DECODERS)('$name takes steps in proportion to a message', ({ name }) => {
  expect(found[name]).toEqual([])
})

it.each(QUADRATIC)('what takes more is found: $name', ({ name }) => {
  expect(found[name]).toHaveLength(3)
})

it('what does not is not found', () => {
  expect(found[LINEAR.name]).toEqual([])
})

/**
 * What the fuzzer has kept is read again, as are some thousand messages made from it: without V8 to guide it, so that
 * every run is the same. `npm run fuzz` goes on from there.
 */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { randomFrom } from '../support/random.ts'
import { countBlocks } from './blocks.ts'
import { corpusIn } from './corpus.ts'
import { DECODERS, type Decoder } from './decoders.ts'
import { Fuzzer } from './fuzzer.ts'
import { growsTooFast } from './growth.ts'
import { chanceFrom, mutated } from './mutate.ts'

const corpus = corpusIn(join(import.meta.dirname, '../fixtures/corpus'))

describe('what was found before', () => {
  it.each(DECODERS)('is read by $name as it should be, changed or not', (decoder) => {
    const kept = corpus.read(decoder)
    const chance = chanceFrom(randomFrom(13))
    for (const bytes of kept) decoder.check(bytes)
    for (let round = 0; round < 300; round++) {
      const [parent, other] = [kept[chance.below(kept.length)], kept[chance.below(kept.length)]]
      if (parent !== undefined && other !== undefined) decoder.check(mutated(parent, other, chance, 2048))
    }
  })
})

const planted = (check: (text: string) => unknown): Decoder => {
  const decode = (bytes: Uint8Array): unknown => check(Buffer.from(bytes).toString('latin1'))
  return { name: 'planted', maxBytes: 8192, isText: true, seeds: [Buffer.from('<a>1</a>')], decode, check: decode }
}

describe('the fuzzer', () => {
  it('finds what can only be reached step by step', () => {
    const decoder = planted((text) => {
      if (text[0] !== '<') return 1
      if (text[1] !== '!') return 2
      if (text[2] !== '[') return 3
      if (text[3] !== 'C') return 4
      if (text.length > 4 && text[4] !== '1') return 5
      throw new Error('found')
    })
    const counter = countBlocks((url) => url.includes('corpus.test'))
    const fuzzer = new Fuzzer(decoder, decoder.seeds, counter, chanceFrom(randomFrom(1)))
    let found = fuzzer.replay()
    for (let turn = 0; turn < 200 && found === undefined; turn++) found = fuzzer.run()
    counter.stop()
    expect(found?.fault).toContain('found')
  }, 30_000)

  it('finds a time that grows with the square', () => {
    const decoder = planted((text) => /a+b/.test(text.replaceAll(/[^a]/g, 'a')))
    const chance = chanceFrom(randomFrom(2))
    let slow = growsTooFast(decoder, decoder.seeds[0] ?? new Uint8Array(), chance)
    for (let turn = 0; turn < 20; turn++) slow ??= growsTooFast(decoder, decoder.seeds[0] ?? new Uint8Array(), chance)
    expect(slow?.fault).toContain('ms')
  }, 30_000)
})

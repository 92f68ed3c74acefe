/** `npm run fuzz -- --seconds 600 [--seed N] [--decoder NAME] [--keep]`; --keep adds what was kept to the corpus. */
import { parseArgs } from 'node:util'
import { randomFrom } from '../support/random.ts'
import { countBlocks } from './blocks.ts'
import { corpusIn } from './corpus.ts'
import { DECODERS } from './decoders.ts'
import { type Found, Fuzzer } from './fuzzer.ts'
import { chanceFrom } from './mutate.ts'

/** The exit code. */
export function main(args: string[], corpusDirectory: string): number {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      decoder: { type: 'string' },
      keep: { type: 'boolean', default: false },
    },
  })
  const decoders = DECODERS.filter(({ name }) => values.decoder === undefined || values.decoder === name)
  console.log(`fuzzing ${decoders.map(({ name }) => name).join(', ')} for ${values.seconds} s, --seed ${values.seed}`)
  const chance = chanceFrom(randomFrom(Number(values.seed)))
  const counter = countBlocks((url) => url === import.meta.url)
  const corpus = corpusIn(corpusDirectory)
  const fuzzers = decoders.map((decoder) => ({
    decoder,
    fuzzer: new Fuzzer(decoder, corpus.read(decoder), counter, chance),
  }))
  let found: Found | undefined
  for (const { fuzzer } of fuzzers) found ??= fuzzer.replay()
  const endMs = performance.now() + Number(values.seconds) * 1000
  for (let turn = 0; found === undefined && performance.now() < endMs; turn++) {
    found = fuzzers[turn % fuzzers.length]?.fuzzer.run()
  }
  for (const { decoder, fuzzer } of fuzzers)
    console.log(`${decoder.name}: ${fuzzer.tried} tried, ${fuzzer.size} kept, ${fuzzer.reached} sets of blocks`)
  if (found === undefined && values.keep)
    for (const { decoder, fuzzer } of fuzzers) corpus.write(decoder, fuzzer.smallest())
  if (found === undefined) return 0
  console.log(`\n${found.decoder}, --seed ${values.seed}, ${found.bytes.length} bytes: ${found.fault}`)
  console.log(Buffer.from(found.bytes.subarray(0, 3000)).toString('base64'))
  return 1
}

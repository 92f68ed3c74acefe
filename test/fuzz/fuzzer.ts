/**
 * A fuzzer that V8 guides: a message is kept if some function ran a set of blocks for it that it had not run for any
 * other. The property of each decoder stands in its row of the table. Time is looked at too, see growth.ts.
 */
import type { BlockCounter, Scripts } from './blocks.ts'
import type { Decoder } from './decoders.ts'
import { growsTooFast } from './growth.ts'
import { type Chance, mutated } from './mutate.ts'

/** Longer messages have longer ways to the same blocks. That they take no longer than they may is for growth.ts. */
const MAX_MUTATED_BYTES = 4096
/** A longer one is not kept for the next time. */
const MAX_KEPT_BYTES = 1024
/** So often in a row one decoder is tried. */
const ROUNDS = 200

export interface Found {
  readonly decoder: string
  readonly bytes: Uint8Array
  readonly fault: string
}

export class Fuzzer {
  readonly #decoder: Decoder
  readonly #counter: BlockCounter
  readonly #chance: Chance
  /** What each function ran, in one text each. */
  readonly #seen = new Set<string>()
  readonly #kept: Uint8Array[]
  tried = 0

  constructor(decoder: Decoder, corpus: readonly Uint8Array[], counter: BlockCounter, chance: Chance) {
    this.#decoder = decoder
    this.#counter = counter
    this.#chance = chance
    this.#kept = [...corpus]
  }

  get size(): number {
    return this.#kept.length
  }

  /** How many sets of blocks are known. */
  get reached(): number {
    return this.#seen.size
  }

  /** Begins with what was kept before. */
  replay(): Found | undefined {
    this.#counter.take()
    for (const bytes of this.#kept) {
      const found = this.#try(bytes)
      if (found !== undefined) return found
      this.#note(this.#counter.take())
    }
    return undefined
  }

  /** Some rounds. */
  run(): Found | undefined {
    const { below } = this.#chance
    for (let round = 0; round < ROUNDS; round++) {
      const [parent, other] = [this.#kept[below(this.size)], this.#kept[below(this.size)]]
      if (parent === undefined || other === undefined) return undefined
      const bytes = mutated(parent, other, this.#chance, Math.min(MAX_MUTATED_BYTES, this.#decoder.maxBytes))
      const found = this.#try(bytes)
      if (found !== undefined) return found
      if (this.#note(this.#counter.take())) this.#kept.push(bytes)
    }
    const slow = growsTooFast(this.#decoder, this.#kept[below(this.size)] ?? new Uint8Array(), this.#chance)
    this.#counter.take()
    return slow && { decoder: this.#decoder.name, ...slow }
  }

  /** The short messages that reach all that short messages reach. */
  smallest(): Uint8Array[] {
    this.#seen.clear()
    const short = this.#kept.filter(({ length }) => length <= MAX_KEPT_BYTES).toSorted((a, b) => a.length - b.length)
    this.#counter.take()
    return short.filter((bytes) => {
      this.#decoder.check(bytes)
      return this.#note(this.#counter.take())
    })
  }

  #try(bytes: Uint8Array): Found | undefined {
    this.tried++
    try {
      this.#decoder.check(bytes)
      return undefined
    } catch (error) {
      return { decoder: this.#decoder.name, bytes, fault: error instanceof Error ? String(error.stack) : String(error) }
    }
  }

  /** Whether there is news in it. */
  #note(scripts: Scripts): boolean {
    const before = this.#seen.size
    for (const { functions } of scripts)
      for (const { ranges } of functions) {
        if (ranges[0]?.count === 0) continue
        this.#seen.add(
          ranges
            .map(({ startOffset, endOffset, count }) => `${startOffset}-${endOffset}${count > 0 ? '+' : '-'}`)
            .join(),
        )
      }
    return this.#seen.size > before
  }
}

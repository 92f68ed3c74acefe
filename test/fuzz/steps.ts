/**
 * Counts steps, not time: how often each block of the code ran, and how many characters or bytes the methods of JavaScript
 * and Node that go through a text went through. What a regular expression tries again and again is not counted;
 * test/fuzz/regular-expressions.test.ts is for that.
 */
import { countBlocks, type Scripts } from './blocks.ts'

type Method = (...args: readonly unknown[]) => unknown
/** How much the method went through. */
type Cost = (self: unknown, args: readonly unknown[], result: unknown) => number

const lengthOf = (value: unknown): number => {
  if (typeof value === 'string' || Array.isArray(value)) return value.length
  return ArrayBuffer.isView(value) ? value.byteLength : 0
}
const whole: Cost = (self) => lengthOf(self)
const result: Cost = (_self, _args, value) => lengthOf(value)
const argument: Cost = (_self, args) => lengthOf(args[0])
/** From where it was told to begin to where it found something, or to the end. */
const searched: Cost = (self, [what, from], found) => {
  const begin = typeof from === 'number' ? from : 0
  return (typeof found === 'number' && found >= 0 ? found + lengthOf(what) : lengthOf(self)) - begin
}
const matched: Cost = (self, [text], match) => {
  if (!(self instanceof RegExp)) return 0
  if (!Array.isArray(match)) return self.sticky ? 1 : lengthOf(text)
  return lengthOf(match[0])
}

const COUNTED: readonly (readonly [owner: object, names: readonly string[], cost: Cost])[] = [
  [String.prototype, ['indexOf', 'includes'], searched],
  [String.prototype, ['lastIndexOf', 'split', 'replaceAll', 'toLowerCase', 'toUpperCase', 'trim', 'trimEnd'], whole],
  [String.prototype, ['repeat', 'padStart', 'padEnd'], result],
  [Array.prototype, ['concat', 'slice', 'includes', 'indexOf', 'unshift', 'shift', 'splice', 'toSorted'], whole],
  [Array.prototype, ['join'], result],
  [RegExp.prototype, ['exec'], matched],
  [Uint8Array.prototype, ['indexOf', 'slice', 'set', 'fill', 'join'], whole],
  [Buffer.prototype, ['toString'], result],
  [Buffer.prototype, ['indexOf'], searched],
  [Buffer.prototype, ['copy'], (_self, _args, count) => Number(count)],
  [Buffer, ['concat'], result],
  [Buffer, ['from'], argument],
  [TextDecoder.prototype, ['decode'], argument],
  [TextEncoder.prototype, ['encode'], argument],
]

export interface StepCounter {
  /** What any of the works throws counts as done. */
  steps(works: readonly (() => unknown)[]): number
  stop(): void
}

export function countSteps(isWanted: (url: string) => boolean): StepCounter {
  const counter = countBlocks(isWanted)
  return {
    steps(works) {
      counter.take()
      const inBuiltins = withCounted(works)
      return inBuiltins + blocksRun(counter.take())
    },
    stop: () => counter.stop(),
  }
}

function blocksRun(scripts: Scripts): number {
  let sum = 0
  for (const { functions } of scripts) for (const { ranges } of functions) for (const { count } of ranges) sum += count
  return sum
}

function withCounted(works: readonly (() => unknown)[]): number {
  let sum = 0
  const restore: (() => void)[] = []
  for (const [owner, names, cost] of COUNTED)
    for (const name of names) {
      const before = Object.getOwnPropertyDescriptor(owner, name)
      const original: unknown = Reflect.get(owner, name)
      if (typeof original !== 'function') continue
      const counted = function (this: unknown, ...args: readonly unknown[]): unknown {
        const value: unknown = Reflect.apply(original, this, args)
        sum += 1 + cost(this, args, value)
        return value
      } satisfies Method
      Object.defineProperty(owner, name, { value: counted, configurable: true, writable: true })
      restore.push(() => {
        if (before === undefined) Reflect.deleteProperty(owner, name)
        else Object.defineProperty(owner, name, before)
      })
    }
  for (const work of works)
    try {
      work()
    } catch {
      // what cannot be read has been read as well
    }
  for (const each of restore.reverse()) each()
  return sum
}

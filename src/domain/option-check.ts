/** Options as a program without types may give them: their names and kinds are checked, because a misspelt one does nothing. */
import { InvalidArgumentError } from './errors.js'
import { shownValue } from './port-mapping.js'

const isNumber = (value: unknown): boolean => typeof value === 'number'
const isText = (value: unknown): boolean => typeof value === 'string'
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null

/** By the words that say what is wanted. */
const KINDS = {
  'a string': isText,
  'a string or false': (value) => isText(value) || value === false,
  'a number': isNumber,
  "a number or 'any'": (value) => isNumber(value) || value === 'any',
  "a number or 'unlimited'": (value) => isNumber(value) || value === 'unlimited',
  'true or false': (value) => typeof value === 'boolean',
  'an object': isObject,
  'an array': Array.isArray,
  'an AbortSignal': (value) => value instanceof Object && 'aborted' in value && 'throwIfAborted' in value,
  '4 or 6': (value) => value === 4 || value === 6,
  "4, 6 or 'both'": (value) => value === 4 || value === 6 || value === 'both',
  'TCP or UDP': (value) => value === 'TCP' || value === 'UDP',
  'TCP, UDP or TCP+UDP': (value) => value === 'TCP' || value === 'UDP' || value === 'TCP+UDP',
  'auto, igd, pcp or nat-pmp': (value) => ['auto', 'igd', 'pcp', 'nat-pmp'].some((via) => via === value),
} as const satisfies Record<string, (value: unknown) => boolean>

/** The name of each option, and what it takes. */
export type OptionTable<T> = Readonly<Record<keyof T, keyof typeof KINDS>>

/** @throws InvalidArgumentError */
export function checkOptions<T>(given: unknown, table: OptionTable<T>, taker: string): void {
  if (given === undefined) return
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new InvalidArgumentError(`${taker}: options are an object, and not ${shownValue(given)}`)
  const kinds = new Map<string, keyof typeof KINDS>(Object.entries(table))
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    const kind = kinds.get(name)
    if (kind === undefined) throw unknownOption(name, [...kinds.keys()], taker)
    if (!KINDS[kind](value)) throw new InvalidArgumentError(`${taker}: ${name} ${shownValue(value)} is not ${kind}`)
  }
}

function unknownOption(name: string, known: readonly string[], taker: string): InvalidArgumentError {
  const near = nearest(name, known)
  const advice = near === undefined ? '' : `; did you mean ${near}?`
  const error = new InvalidArgumentError(`${taker}: there is no option ${shownValue(name)}${advice}`)
  error.hint = `the options are ${known.join(', ')}`
  return error
}

/** The known name that is most like it; undefined if none is. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const begins = known.find((each) => name.length >= 4 && each.toLowerCase().startsWith(name.toLowerCase()))
  const [first] = known
    .map((each) => ({ each, steps: stepsBetween(name.toLowerCase(), each.toLowerCase()) }))
    .filter(({ each, steps }) => steps <= Math.max(1, Math.floor(each.length / 4)))
    .sort((a, b) => a.steps - b.steps)
  return first?.each ?? begins
}

/** How many letters are to be put in, taken out, replaced or swapped with the next: the distance of Damerau. */
function stepsBetween(from: string, to: string): number {
  if (from.length > 64) return Number.POSITIVE_INFINITY
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = at(last, j - 1) + (from[i - 1] === to[j - 1] ? 0 : 1)
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      const swapped = isSwap ? at(beforeLast, j - 2) + 1 : Number.POSITIVE_INFINITY
      row.push(Math.min(replaced, swapped, at(last, j) + 1, at(row, j - 1) + 1))
    }
    beforeLast = last
    last = row
  }
  return at(last, to.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY
}

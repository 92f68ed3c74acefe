/**
 * Every regular expression of the sources takes time in proportion to the text, whatever the text is: recheck says so.
 * JavaScript cannot interrupt a search, so there is no other way to bound it.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkSync } from 'recheck'
import { describe, expect, it } from 'vitest'
import { expressionsOf, type FoundExpression } from '../support/regular-expressions.ts'

const TIMEOUT_MS = 30_000
/** It counts steps, because a busy machine would make it take anything for slow. */
const LIMITS = { timeout: TIMEOUT_MS, attackTimeout: null, incubationTimeout: null, seedingTimeout: null }
const SRC = join(import.meta.dirname, '../../src')

/** What is wrong with the expression, or undefined if it is linear. */
function faultOf({ path, pattern, flags }: FoundExpression): string | undefined {
  if (pattern === undefined) return `${path}: a pattern that cannot be known`
  // A sticky search is one attempt of the search for the same pattern from every place.
  const searches = [pattern, ...(flags.includes('g') ? [neverEnding(pattern)] : [])]
  for (const source of searches) {
    const result = checkSync(source, flags.replace(/[gy]/g, ''), LIMITS)
    if (result.status === 'unknown') return `${path}: /${pattern}/: ${JSON.stringify(result.error)}`
    if (result.status === 'vulnerable') return `${path}: /${pattern}/ is ${result.complexity.summary}`
  }
  return undefined
}

/** With `g` a search goes on behind each match: what each attempt may cost counts, also if it ends in a match. */
function neverEnding(pattern: string): string {
  return `(?:${pattern})[]`
}

const names = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
const found = names.toSorted().flatMap((name) => expressionsOf(`src/${name}`, readFileSync(join(SRC, name), 'utf8')))

describe('the regular expressions of the sources', () => {
  it('are all found', () => {
    expect(found.length).toBeGreaterThan(80)
  })

  it.each(found)(
    'are linear: $path /$pattern/$flags',
    (each) => {
      expect(faultOf(each)).toBeUndefined()
    },
    TIMEOUT_MS,
  )
})

describe('the check', () => {
  it.each([
    'const trimmed = text.replace(/\\s+$/, "")',
    `const A = "[ \\\\t]*"\nconst P = new RegExp(\`\${A}(?:<\\\\?xml)?\${A}x\`)`,
    `const B = "a+" + "a+"\nconst P = RegExp(\`\${B}\${3}b\`)`,
    'const all = text.matchAll(/a(?=.*b)|a/g)',
    'const found = text.search("x*x*y")',
    'const isName = /^(?:[\\u0080-\\uffff]*:)?[a\\u0080-\\uffff]*(?=\\s)[^>]*>/.test(text)',
    'const isLong = (text: string, pattern: string) => new RegExp(pattern).test(text)',
  ])(
    'finds a fault in %j',
    (source) => {
      const faults = expressionsOf('src/a.ts', source).flatMap((each) => faultOf(each) ?? [])
      expect(faults).toHaveLength(1)
    },
    TIMEOUT_MS,
  )

  it('finds none in a text and in a comment', () => {
    expect(expressionsOf('src/a.ts', 'const a = "/a*a*$/" // /a*a*$/')).toEqual([])
  })
})

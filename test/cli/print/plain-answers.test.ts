import { describe, expect, it } from 'vitest'
import { helpText, plainAnswer, VERSION_TEXT } from '../../../src/cli/print/plain-answers.ts'

describe('a plain answer', () => {
  it.each([
    ['-V', VERSION_TEXT],
    ['--version', VERSION_TEXT],
    ['-h', helpText()],
    ['--help', helpText()],
  ])('is given to %s alone', (word, text) => {
    expect(plainAnswer([word])).toBe(text)
    for (const argv of [
      [word, word],
      [word, '--json'],
      ['--', word],
    ])
      expect(plainAnswer(argv)).toBeUndefined()
  })

  it.each([[[]], [['-l']], [['-hV']], [['V']], [['']]])('is not given to %j', (argv) => {
    expect(plainAnswer(argv)).toBeUndefined()
  })
})

/** Output that goes to the system at once: short writes, a full pipe, a reader that has gone. */
import { describe, expect, it } from 'vitest'
import { DirectOutput, writeAll } from '../../../src/cli/print/direct-output.ts'
import { answerPlainly, HELP_TEXT, VERSION_TEXT } from '../../../src/cli/print/plain-answers.ts'

type Put = typeof import('node:fs').writeSync

/** Each step: how many bytes the system takes, or the code of its refusal. */
function system(...steps: readonly (number | string)[]): { put: Put; written: () => string } {
  const pieces: Buffer[] = []
  const left = [...steps]
  const put = (_descriptor: number, bytes: NodeJS.ArrayBufferView): number => {
    const step = left.shift() ?? Number.POSITIVE_INFINITY
    if (typeof step === 'string') throw Object.assign(new Error(`${step}: write`), { code: step })
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(step, bytes.byteLength))
    pieces.push(Buffer.from(piece))
    return piece.length
  }
  return { put: put as Put, written: () => Buffer.concat(pieces).toString() }
}

describe('direct output', () => {
  it('goes on where the system took only a part, in the middle of a character too', () => {
    const { put, written } = system(1, 2, 3)
    writeAll(1, 'Fräulein Müller', put)
    expect(written()).toBe('Fräulein Müller')
  })

  it('tries again while a pipe is full', () => {
    const { put, written } = system(4, 'EAGAIN', 'EAGAIN', 3)
    writeAll(1, 'external 11.22.33.44:22', put)
    expect(written()).toBe('external 11.22.33.44:22')
  })

  it('tells of a failure and does not throw', () => {
    const told: string[] = []
    const output = new DirectOutput(1, system('EPIPE').put)
    output.on('error', (error) => told.push(error.message))
    output.write('x')
    expect(told).toEqual(['EPIPE: write'])
  })
})

describe('a plain answer', () => {
  it('is given to one word alone', () => {
    const said: string[] = []
    const lines = [['-V'], ['--help'], [], ['-l'], ['-V', '-h'], ['-h', '--json'], ['-hV'], ['V'], ['--', '-h']]
    expect(lines.map((argv) => answerPlainly(argv, (text) => said.push(text)))).toEqual(lines.map((_, at) => at < 2))
    expect(said).toEqual([VERSION_TEXT, HELP_TEXT])
  })

  it('that could not be written is left to the program, which says why', () => {
    const put = (): void => {
      throw new Error('ENOSPC')
    }
    expect(answerPlainly(['-V'], put)).toBe(false)
  })
})

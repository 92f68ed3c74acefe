/** Single words of the command line: which are accepted, and what a person reads about the others. */
import { describe, expect, it } from 'vitest'
import {
  addressOf,
  descriptionOf,
  descriptionUrlOf,
  integerWithin,
  internalClientOf,
  protocolsOf,
  remoteHostOf,
  UsageError,
  wordsOf,
} from '../../../src/cli/parse/words.ts'
import { thrownBy } from '../../support/random.ts'

function complaintOf(judge: () => unknown): string {
  const error = thrownBy(judge)
  return error instanceof UsageError ? error.message : `not a UsageError: ${String(error)}`
}

describe('a word of the command line', () => {
  it('is a whole number within the bounds, both included', () => {
    expect(integerWithin('-x', 'port', '1', 1, 5)).toBe(1)
    expect(integerWithin('-x', 'port', '5', 1, 5)).toBe(5)
    expect(integerWithin('-x', 'port', '005', 1, 5)).toBe(5)
  })

  it.each([
    '0',
    '6',
    '-1',
    '+1',
    '1.0',
    '1e0',
    '0x1',
    ' 1',
    '1 ',
    '1\n',
    '',
    'one',
    'NaN',
    'Infinity',
    '1'.repeat(400),
  ])('is no number if it is %j', (word) => {
    expect(complaintOf(() => integerWithin('-x', 'port', word, 1, 5))).toBe(
      `-x: '${word}' is not a port: give a number from 1 to 5`,
    )
  })

  it('is distinguished from an option that stands in the wrong place', () => {
    for (const word of ['-l', '--json']) {
      expect(complaintOf(() => integerWithin('-r', 'port', word, 1, 5))).toBe(
        `-r: '${word}' stands where a number should be: put it before -r or at the end`,
      )
    }
  })

  it('is a protocol in any case, and nothing but that', () => {
    expect(['TCP', 'tcp', 'Udp'].flatMap((word) => protocolsOf('-x', word))).toEqual(['TCP', 'TCP', 'UDP'])
    for (const word of ['TCP ', ' tcp', 'TCP junk', 'TCPjunk', '6', '', 'UDPLITE']) {
      expect(complaintOf(() => protocolsOf('-x', word))).toBe(
        `-x: '${word}' is not a protocol: give TCP, UDP or TCP+UDP`,
      )
    }
  })

  it('is both protocols in either order and any case, and UDP comes first then', () => {
    for (const word of ['TCP+UDP', 'UDP+TCP', 'tcp+udp', 'Udp+Tcp']) {
      expect(protocolsOf('-x', word)).toEqual(['UDP', 'TCP'])
    }
    expect(['TCP', 'udp'].map((word) => protocolsOf('-x', word))).toEqual([['TCP'], ['UDP']])
    for (const word of ['TCP+', '+UDP', 'TCP UDP', 'TCP,UDP', 'TCP/UDP', 'TCP+TCP', 'TCP+UDP ', 'both', '*']) {
      expect(complaintOf(() => protocolsOf('-x', word))).toBe(
        `-x: '${word}' is not a protocol: give TCP, UDP or TCP+UDP`,
      )
    }
  })

  it('is the address of one computer, or @ for this one if a mapping needs it', () => {
    expect(addressOf('-x', '192.168.1.5')).toBe('192.168.1.5')
    expect(internalClientOf('-x', '192.168.1.5', '')).toBe('192.168.1.5')
    expect(internalClientOf('-x', '@', '')).toBe('local')
    expect(complaintOf(() => addressOf('-x', '@'))).toMatch(/^-x: '@' is not the IPv4 address/)
  })

  it('is a remote host, or empty for any', () => {
    expect(['', '1.2.3.4'].map((word) => remoteHostOf('-x', word))).toEqual(['', '1.2.3.4'])
    expect(complaintOf(() => remoteHostOf('-x', '*'))).toMatch(/^-x: '\*' is not the IPv4 address of a remote host/)
  })

  it('is a description of up to 1024 characters that XML can carry', () => {
    const texts = ['', 'a\tb', '\u202e', 'x'.repeat(1024)]
    expect(texts.map((text) => descriptionOf('-e', text))).toEqual(texts)
    expect(complaintOf(() => descriptionOf('-e', '\0'))).toBe('-e: the description has control characters')
    expect(complaintOf(() => descriptionOf('-e', 'x'.repeat(1025)))).toBe(
      '-e: the description is longer than 1024 characters',
    )
  })

  it('is the URL of a description as it was typed, and a password in it is not repeated', () => {
    expect(descriptionUrlOf('-u', 'http://router')).toBe('http://router')
    expect(complaintOf(() => descriptionUrlOf('-u', 'http://me:secret@router/'))).not.toContain('secret')
    expect(complaintOf(() => descriptionUrlOf('-u', 'https://me:secret@router/'))).not.toContain('secret')
  })

  it('is counted', () => {
    wordsOf('-d', 'A [B]', ['1'], [1, 2])
    wordsOf('-d', 'A [B]', ['1', '2'], [1, 2])
    expect(complaintOf(() => wordsOf('-d', 'A [B]', [], [1, 2]))).toBe('-d takes A [B]; 0 words were given')
    expect(complaintOf(() => wordsOf('-d', 'A [B]', ['1'], [2, 2]))).toBe('-d takes A [B]; 1 word was given')
    expect(complaintOf(() => wordsOf('-d', 'A [B]', ['1'], [2, 2], 'do C'))).toBe(
      '-d takes A [B]; 1 word was given; do C',
    )
    expect(complaintOf(() => wordsOf('-d', 'A [B]', ['1', '2', '3'], [1, 2], 'do C'))).toBe(
      '-d takes A [B]; 3 words were given; for more, run it once for each',
    )
  })
})

/** Lines for a terminal: where they are broken, and what is never broken. */
import { describe, expect, it } from 'vitest'
import { fitted } from '../../../src/cli/print/fit.ts'

function linesOf(text: string, columns: number): string[] {
  return fitted(`${text}\n`, columns).split('\n').slice(0, -1)
}

describe('a line', () => {
  it('that fits stays as it is, blanks included', () => {
    const text = '  It leads to          this  computer '
    expect(linesOf(text, text.length)).toEqual([text])
  })

  it.each<[string, string, readonly string[]]>([
    [
      'of a sentence goes on below',
      'Nothing on this computer listens on port 25565 yet.',
      ['Nothing on this computer listens on port', '25565 yet.'],
    ],
    [
      'with a label goes on below its words',
      '  Until                7 December, 10:14; add --keep to keep it open',
      [
        '  Until                7 December,',
        '                       10:14; add --keep',
        '                       to keep it open',
      ],
    ],
    [
      'without a label goes on below its words too',
      '                       11.22.33.44:53 (TCP and UDP)',
      ['                       11.22.33.44:53', '                       (TCP and UDP)'],
    ],
    [
      'with a time goes on below its words',
      '2026-11-30 08:26:43  Port 25000 TCP stays open for long.',
      ['2026-11-30 08:26:43  Port 25000 TCP', '                     stays open for', '                     long.'],
    ],
    [
      'that is indented goes on further in',
      '  This is a guest network, which keeps its devices away.',
      ['  This is a guest network, which keeps', '    its devices away.'],
    ],
    [
      'has words of two columns',
      `Port 80 TCP is taken ('${'\u7f51'.repeat(9)}').`,
      ['Port 80 TCP is taken', `('${'\u7f51'.repeat(9)}').`],
    ],
    [
      'has a word that is too long for itself',
      'See http://192.168.1.1:5000/0123456789/0123456789.xml there',
      ['See', 'http://192.168.1.1:5000/0123456789/0123456789.xml', 'there'],
    ],
  ])('%s', (_, text, lines) => {
    expect(linesOf(text, 40)).toEqual(lines)
  })
})

describe('a command', () => {
  it.each<[string, string, readonly string[]]>([
    [
      'on its own line is never broken',
      '  upnp-ts open --external any 25565 --description one',
      ['  upnp-ts open --external any 25565 --description one'],
    ],
    [
      'is not broken for what it does',
      '  upnp-ts open --external any 25565 --emulate   takes another port',
      ['  upnp-ts open --external any 25565 --emulate', '      takes another port'],
    ],
    [
      'has what it does beside it, if it is short',
      '  upnp-ts list   shows what is open, and where it leads',
      ['  upnp-ts list   shows what is open, and', '                 where it leads'],
    ],
    [
      'at the end of a sentence has a line of its own',
      'That is no command. Try: upnp-ts open 25565',
      ['That is no command. Try:', 'upnp-ts open 25565'],
    ],
    [
      'within a sentence is whole',
      'This is a virtual machine (upnp-ts help docker).',
      ['This is a virtual machine', '(upnp-ts help docker).'],
    ],
    [
      'has an end',
      'more: upnp-ts help, and for other things see elsewhere',
      ['more: upnp-ts help, and for other things', 'see elsewhere'],
    ],
    [
      'is not the name of the program',
      'Port 22 was left alone: upnp-ts did not open it',
      ['Port 22 was left alone: upnp-ts did not', 'open it'],
    ],
  ])('%s', (_, text, lines) => {
    expect(linesOf(text, 40)).toEqual(lines)
  })
})

it('leaves everything to a terminal that is too narrow', () => {
  expect(linesOf('one two three four five six', 19)).toEqual(['one two three four five six'])
})

/** What a refusal tells to try next: what was typed, put right if that is known. */
import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../../src/cli/parse/command-table.ts'
import { parseInvocation } from '../../../src/cli/parse/invocation.ts'
import { nearest } from '../../../src/cli/parse/nearest.ts'
import { OPTIONS } from '../../../src/cli/parse/option-table.ts'
import { VERBS } from '../../../src/cli/parse/verb-table.ts'
import { UsageError } from '../../../src/cli/parse/words.ts'

function lineAbout(...argv: string[]): string {
  try {
    parseInvocation(argv)
  } catch (error) {
    if (error instanceof UsageError) return error.line
    throw error
  }
  return 'it was obeyed'
}

describe('a refusal', () => {
  it.each([
    ['-d 22', '-d: the protocol is missing after 22: add TCP or UDP, as in: upnp-ts -d 22 TCP'],
    ['-r 22 TCP 80', '-r: the protocol is missing after 80: add TCP or UDP, as in: upnp-ts -r 22 TCP 80 TCP'],
    ['--json -r 22/tcp', "-r: '22/tcp' is not a port: write 22 TCP, as in: upnp-ts --json -r 22 TCP"],
    ['-r 80,443 TCP', "-r: '80,443' is not a port: give each port with its protocol, as in: upnp-ts -r 80 TCP 443 TCP"],
    ['-r 22 both', "-r: 'both' is not a protocol: give TCP, UDP or TCP+UDP, as in: upnp-ts -r 22 TCP+UDP"],
    ['-d 90-80 TCP', "-d: '90-80' is a range from back to front: write 80-90, as in: upnp-ts -d 80-90 TCP"],
    ['-l --timout 5', 'Unknown switch --timout; did you mean --timeout? Try: upnp-ts -l --timeout 5'],
    ['-l --timout=5', 'Unknown switch --timout; did you mean --timeout? Try: upnp-ts -l --timeout=5'],
    ['--timout 5', 'Unknown switch --timout; did you mean --timeout? Try: upnp-ts -l --timeout 10000'],
    ['opne 25565', "'opne' is not a command; did you mean open? Try: upnp-ts open 25565"],
    ['25565', "'25565' is not a command; did you mean open? Try: upnp-ts open 25565"],
    ['foo', "'foo' is not a command; upnp-ts -h shows all of them"],
    ['version', "'version' is not a command; it is: upnp-ts --version"],
    ['open 25565 TCP', 'open: a port and its protocol are one word: write 25565/tcp, as in: upnp-ts open 25565/tcp'],
    ['open 22 80 udp', 'open: a port and its protocol are one word: write 80/udp, as in: upnp-ts open 22 80/udp'],
    ['open TCP+UDP 53', 'open: a port and its protocol are one word: write 53/both, as in: upnp-ts open 53/both'],
    ['open UDP', 'open: a port and its protocol are one word: write 25565/udp, as in: upnp-ts open 25565/udp'],
    ['close 53 udp', 'close: a port and its protocol are one word: write 53/udp, as in: upnp-ts close 53/udp'],
    ['open udp/34197', "open: 'udp/34197' is not a port: write 34197/udp, as in: upnp-ts open 34197/udp"],
    ['open 34197:udp', "open: '34197:udp' is not a port: write 34197/udp, as in: upnp-ts open 34197/udp"],
    ['open 34197UDP', "open: '34197UDP' is not a port: write 34197/udp, as in: upnp-ts open 34197/udp"],
    ['open 22,80', "open: '22,80' is not a port: write 22 80, as in: upnp-ts open 22 80"],
    ['open 22, 80', "open: '22,' is not a port: write 22, as in: upnp-ts open 22 80"],
    ['close 22,80-90', "close: '22,80-90' is not a port: write 22 80-90, as in: upnp-ts close 22 80-90"],
    ['open Factorio', "open: 'Factorio' is not a port: write 34197/udp, as in: upnp-ts open 34197/udp"],
    ['open minecaft', "open: 'minecaft' is not a port: write 25565, as in: upnp-ts open 25565"],
    ['open tetris', "open: 'tetris' is not a port: give a number from 1 to 65535, as in: upnp-ts open 25565"],
    ['open port 80', 'open: leave out the word port, as in: upnp-ts open 80'],
    ['open 22/tpc', "'tpc' is not a protocol: write 22/tcp, 22/udp or 22/both, as in: upnp-ts open 22/tcp"],
    [
      'open 80 --for 2 hours',
      "open: 'hours' is not a port: write the time as one word, 2h, as in: upnp-ts open 80 --for 2h",
    ],
    ['open 22 --udp', 'Unknown switch --udp; the protocol is written after the port, as in: upnp-ts open 25565/udp'],
    [
      'open 8333 -- node server.js',
      'a program after -- runs only with --keep, while the ports are open: add --keep, as in: upnp-ts open 8333 --keep -- node server.js',
    ],
    ['close all', 'all that upnp-ts has opened is closed by: upnp-ts close --mine'],
    ['list 25565', "'25565' is not understood: list does not take it, as in: upnp-ts list"],
    ['status all', "'all' is not understood: status does not take it, as in: upnp-ts status"],
    [
      '--compat open 25565',
      "--compat: 'open' is not a version of upnpc that upnp-ts can imitate: give 2.1 or 2.3.3, as in: upnp-ts -l --compat 2.1",
    ],
    ['list --compat 2.1', '--compat is for letters, not for list, as in: upnp-ts -l --compat 2.1'],
    ['--foo', 'Unknown switch --foo; upnp-ts -h shows all of them'],
    ['-x', 'Unknown switch -x; upnp-ts -h shows all of them'],
    ['-l foo', "'foo' is not understood: -l does not take it, as in: upnp-ts -l"],
    ['emulate x', "'x' is not understood: emulate does not take it, as in: upnp-ts emulate"],
    ['-r 0 TCP', "-r: '0' is not a port: give a number from 1 to 65535, as in: upnp-ts -r 22 TCP"],
    [
      '-r 22 TCP --lease 1h',
      "--lease: '1h' is not a lease in seconds: give a number from 0 to 4294967295, as in: upnp-ts -r 22 TCP --lease 3600",
    ],
  ])('of %s', (typed, line) => {
    expect(lineAbout(...typed.split(' '))).toBe(line)
  })

  it('can show every row: each that takes something has an example that is understood', () => {
    for (const row of [...COMMANDS, ...VERBS, ...OPTIONS].filter(({ flag }) => flag !== 'nonce'))
      expect([row.flag, row.form === undefined || row.example !== undefined]).toEqual([row.flag, true])
  })

  it('shows what was typed with quotes where a shell wants them', () => {
    expect(lineAbout('-r', '22', '-e', "my friend's")).toBe(
      String.raw`-r: the protocol is missing after 22: add TCP or UDP, as in: upnp-ts -r 22 TCP -e 'my friend'\''s'`,
    )
    expect(lineAbout('-r', '22', '-e', '')).toMatch(/ -e ''$/)
  })
})

describe('a suggestion', () => {
  it.each([
    ['timout', 'timeout'],
    ['jsn', 'json'],
    ['jsno', 'json'],
    ['kepe', 'keep'],
    ['discovrey-tiem', 'discovery-time'],
    ['discovrey-tiemx', undefined],
    ['foo', undefined],
    ['fro', undefined],
    ['kp', undefined],
    ['jjsonn', undefined],
    ['', undefined],
  ])('for %s is %s', (word, name) => {
    expect(nearest(word, ['for', 'json', 'keep', 'timeout', 'discovery-time'])).toBe(name)
  })
})

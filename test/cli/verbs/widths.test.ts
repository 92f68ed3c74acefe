/** Terminals of 60, 80 and 200 columns: no line of an answer is wider, but for a command that is to be copied. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Emulator, startEmulator } from '../../../src/emulator.ts'
import { runCli } from '../../support/run-cli.ts'

let emulator: Emulator
beforeAll(async () => {
  emulator = await startEmulator()
  for (let at = 0; at < 300; at++) {
    const where = { internalClient: `192.168.100.${at % 250}`, internalPort: 40_000 + at }
    emulator.addMapping({ externalPort: 40_000 + at, ...where, description: `what somebody has opened, number ${at}` })
  }
})
afterAll(() => emulator.close())

/** Both streams are one terminal. */
async function shown(argv: readonly string[], columns: number | undefined): Promise<string[]> {
  let text = ''
  const terminal = {
    write: (more: string) => {
      text += more
    },
    on: () => {},
    columns,
  }
  await runCli(argv, { stdout: terminal, stderr: terminal })
  return text.split('\n').slice(0, -1)
}

const SAID: readonly (readonly [words: string, lines: RegExp])[] = [
  ['-h', /upnp-ts open/],
  ['help open', /--keep/],
  ['help options', /--quirk/],
  ['help troubleshooting', /router/],
  ['', /no command was given/],
  ['open', /which port/],
  ['open 25565 --nonsense', /--nonsense/],
  ['opn 2', /upnp-ts open 2/],
  ['open 25565 --emulate', /lets port 25565 TCP in/],
  ['open 2222:22 53/both 27015-27020/udp --emulate', /27015-27020/],
  ['open 25565 --emulate --quirk refuse=AddPortMapping:718', /refused/],
  ['open 25565-25590 --emulate --via pcp --quirk refuse=MAP:2', /25590/],
  ['close 25565 25567 --emulate', /closed/],
  ['status --emulate', /It speaks/],
  ['open 25565', /no network/],
]

describe.each([60, 80, 200])('in %i columns', (columns) => {
  it.each(SAID)('%s', async (words, says) => {
    const lines = await shown(words.split(' ').filter(Boolean), columns)
    expect(lines.join('\n')).toMatch(says)
    for (const line of lines) if (!/^ {2}upnp-ts \S/.test(line)) expect(line.length).toBeLessThanOrEqual(columns)
  })

  it('a list of 300 rows', async () => {
    const lines = await shown(['list', '-u', emulator.descriptionUrl], columns)
    expect(lines).toHaveLength(302)
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns)
  })
})

it('breaks nothing in a pipe', async () => {
  const lines = await shown(['open', '25565', '--emulate', '--quirk', 'refuse=AddPortMapping:718'], undefined)
  expect(lines[0]).toMatch(/^Port 25565 TCP was refused, and .* for your provider\.$/)
})

/** --nonce: from a file, from standard input, and from the command line, where others can read it. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Emulator, startEmulator } from '../../src/emulator.ts'
import { type CliResult, runCli } from '../support/run-cli.ts'

const NONCE = '00112233445566778899aaBB'
const OTHER = 'ffeeddccbbaa998877665544'
const HINT =
  'hint: every user of this computer can read a nonce on the command line: put it into a file that nobody else can ' +
  'read, and give --nonce @FILE, or - for standard input\n'

let directory: string
let file: string
let emulator: Emulator
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'upnp-ts-nonce-'))
  file = join(directory, 'nonce')
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))
beforeEach(async () => {
  writeFileSync(file, `${NONCE}\n`)
  chmodSync(file, 0o600)
  emulator = await startEmulator()
})
afterEach(() => emulator.close())

function run(nonce: string, words: readonly string[], input = ''): Promise<CliResult> {
  const gateway = `127.0.0.1:${emulator.portControl?.port}`
  const stdin = (): Readable => Readable.from([input])
  return runCli(['--via', 'pcp', '--gateway', gateway, '--nonce', nonce, ...words], { stdin })
}

const open = ['-r', '22', 'TCP']
const close = ['-d', '22', 'TCP']

describe('a nonce', () => {
  it.each([
    ['a file', (): string => `@${file}`, ''],
    ['standard input', (): string => '-', `${NONCE}\nthe rest\n`],
  ])('from %s is used, and nothing is said about it', async (_name, word, input) => {
    expect(await run(word(), open, input)).toMatchObject({ stderr: '', exitCode: 0 })
    expect(await run('-', close, OTHER)).toMatchObject({ exitCode: 2 })
    expect(emulator.mappings()).toHaveLength(1)
    expect((await run(word(), close, input)).exitCode).toBe(0)
    expect(emulator.mappings()).toEqual([])
  })

  it('on the command line is used, with one hint, and with none after --quiet', async () => {
    expect(await run(NONCE, open)).toMatchObject({ stderr: HINT, exitCode: 0 })
    expect(await run(NONCE, [...close, '--quiet'])).toEqual({ stdout: '', stderr: '', exitCode: 0 })
    const failed = await run(OTHER, ['--quiet', '-d', '23', 'UDP', '-u', 'x'])
    expect(failed.stderr).not.toContain('hint')
    await run(NONCE, open)
    const refused = await run(OTHER, [...close, '--quiet'])
    expect(refused.exitCode).toBe(2)
    expect(refused.stderr).not.toContain(HINT)
  })

  it('that is none is one line that does not repeat it, and nothing is sent', async () => {
    writeFileSync(file, 'a password\n')
    const message = (where: string): string =>
      `--nonce: what is in ${where} is not a nonce: it has to be 24 hexadecimal digits\n`
    expect(await run(`@${file}`, open)).toMatchObject({ stderr: message(file), exitCode: 1 })
    expect(await run('-', open, 'a password\n')).toMatchObject({ stderr: message('standard input'), exitCode: 1 })
    expect(await run('-', open)).toMatchObject({ stderr: message('standard input'), exitCode: 1 })
    expect(emulator.mappings()).toEqual([])
  })

  it('in a file that cannot be had is one line', async () => {
    expect(await run(`@${file}-none`, open)).toMatchObject({
      stderr: `--nonce: cannot read ${file}-none: there is no such file\n`,
      exitCode: 1,
    })
    if (process.platform === 'win32') return
    chmodSync(file, 0o644)
    expect(await run(`@${file}`, open)).toMatchObject({
      stderr: `--nonce: will not read ${file}: other users can read or change it; chmod 600 takes that away\n`,
      exitCode: 1,
    })
    expect(emulator.mappings()).toEqual([])
  })
})

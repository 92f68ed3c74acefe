import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TransportError } from '../../src/domain/errors.ts'
import { runInShell, runSilently, startCommand } from '../../src/net/child-process.ts'
import { FakeClock } from '../support/fake-clock.ts'

const LONG = { timeoutMs: 60_000 }

let directory: string
const path = (name: string): string => join(directory, name)
const contentOf = (name: string): string => readFileSync(path(name), 'utf8')

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'child-process-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

const node = (script: string, ...args: string[]): string[] => [process.execPath, '-e', script, ...args]

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}

function exists(name: string): boolean {
  try {
    return contentOf(name) !== ''
  } catch {
    return false
  }
}

/** A program that leaves its number behind and stays until it is ended. */
const STAY = (name: string): string => `echo $$ > ${name}.new; mv ${name}.new ${name}; sleep 600 & wait`

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe.skipIf(process.platform === 'win32')('a command', () => {
  it.each([0, 1, 3, 127, 255])('that exits with %i says so', async (code) => {
    expect(await startCommand(node(`process.exit(${code})`), {}).exited).toEqual({ code, signal: undefined })
  })

  it('gets its arguments as they are: there is no shell', async () => {
    const args = ['$HOME', '`id`', '; exit 5', '*', '', 'a b', '"', "'"]
    const script = `require('node:fs').writeFileSync(process.env.OUT, JSON.stringify(process.argv.slice(1)))`
    await startCommand(node(script, '--', ...args), { OUT: path('args') }).exited
    expect(JSON.parse(contentOf('args'))).toEqual(args)
  })

  it('has the environment of this process and what is added to it', async () => {
    const script = `require('node:fs').writeFileSync(process.env.OUT, process.env.PATH + process.env.UPNP_EXTERNAL_PORT)`
    await startCommand(node(script), { OUT: path('env'), UPNP_EXTERNAL_PORT: '2222' }).exited
    expect(contentOf('env')).toBe(`${process.env.PATH}2222`)
    expect(process.env.UPNP_EXTERNAL_PORT).toBeUndefined()
  })

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'])(
    'that dies of %s says so; more signals do nothing',
    async (signal) => {
      const command = startCommand(['sleep', '600'], {})
      expect(command.pid).toBeGreaterThan(0)
      command.kill(signal)
      expect(await command.exited).toEqual({ code: undefined, signal })
      expect(() => command.kill('SIGTERM')).not.toThrow()
    },
  )

  it('is not harmed by a signal that this system does not have', async () => {
    const command = startCommand(['sleep', '600'], {})
    expect(() => command.kill('SIGBREAK')).not.toThrow() // as Windows has no SIGHUP to send
    expect(() => command.passOn('SIGBREAK')).not.toThrow()
    command.kill('SIGTERM')
    expect(await command.exited).toEqual({ code: undefined, signal: 'SIGTERM' })
  })

  it('may answer a signal in its own way', async () => {
    const stays = `require('node:fs').writeFileSync(process.env.OUT, 'stays'); setInterval(() => {}, 600000)`
    const command = startCommand(node(`process.on('SIGTERM', () => process.exit(7)); ${stays}`), { OUT: path('trap') })
    await until(() => exists('trap'))
    command.kill('SIGTERM')
    expect(await command.exited).toEqual({ code: 7, signal: undefined })
  })

  it.each([
    [
      'is not there',
      ['no-such-command-anywhere', 'x'],
      `'no-such-command-anywhere' could not be started: no such command`,
    ],
    ['is not there, by its path', ['/no/such/command'], `'/no/such/command' could not be started: no such command`],
    ['may not be run', ['/etc/passwd'], `'/etc/passwd' could not be started: this user may not run it`],
    ['has no name', [''], `'' could not be started: `],
    ['is none', [], `'' could not be started: `],
    ['has a name that none can have', ['a\0b'], 'could not be started: '],
    [
      'has arguments that are too long',
      ['true', 'x'.repeat(8_000_000)],
      `'true' could not be started: its arguments are too long`,
    ],
  ])('that %s ends with an error that says so', async (_name, argv, message) => {
    const command = startCommand(argv, {})
    expect(command.pid).toBeUndefined()
    command.kill('SIGCONT') // a harmless one: on Node 20 it would go to a process of any number
    const error = await command.exited.catch((error: unknown) => error)
    expect(error).toBeInstanceOf(TransportError)
    expect(String(error)).toContain(message)
  })

  it('that cannot be started harms nobody who does not wait for it', async () => {
    const strays: unknown[] = []
    const note = (reason: unknown): void => void strays.push(reason)
    process.on('unhandledRejection', note)
    startCommand(['no-such-command-anywhere'], {})
    startCommand([''], {})
    await startCommand(['true'], {}).exited
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', note)
    expect(strays).toEqual([])
  })
})

describe.skipIf(process.platform === 'win32')('a hook', () => {
  it('is a line for the shell, with the environment and what is added to it', async () => {
    const end = await runInShell(`echo "$PORT" | tr 2 3 > '${path('hook')}'; exit 4`, { PORT: '2222' }, LONG)
    expect(end).toEqual({ code: 4, signal: undefined, timedOut: false })
    expect(contentOf('hook')).toBe('3333\n')
  })

  it('that no shell understands has the exit code of the shell', async () => {
    expect((await runInShell('exec 2>/dev/null; no-such-command-anywhere', {}, LONG)).code).toBe(127)
  })

  it('has no input', async () => {
    expect((await runInShell('read line', {}, LONG)).code).toBe(1)
  })

  it('and all that it has started are ended when its time is over', async () => {
    const clock = new FakeClock()
    const ending = runInShell(`(${STAY(path('inner'))}) | cat`, {}, { timeoutMs: 5000, clock })
    await until(() => exists('inner'))
    await clock.advance(4999)
    const inner = Number(contentOf('inner'))
    expect(isAlive(inner)).toBe(true)
    await clock.advance(1)
    expect(await ending).toEqual({ code: undefined, signal: 'SIGTERM', timedOut: true })
    await until(() => !isAlive(inner))
    await clock.advance(1000)
    expect(clock.pending).toBe(0)
  })

  it('that will not end is killed a second later', async () => {
    const clock = new FakeClock()
    const ending = runInShell(`trap '' TERM; ${STAY(path('stubborn'))}; sleep 600`, {}, { timeoutMs: 5000, clock })
    await until(() => exists('stubborn'))
    await clock.advance(5999)
    expect(isAlive(Number(contentOf('stubborn')))).toBe(true)
    await clock.advance(1)
    expect(await ending).toEqual({ code: undefined, signal: 'SIGKILL', timedOut: true })
    expect(clock.pending).toBe(0)
  })

  it('is ended before its time where that is wanted, also before it begins', async () => {
    const clock = new FakeClock()
    const over = new AbortController()
    const limit = { timeoutMs: 5000, clock, signal: over.signal }
    const ending = runInShell(`trap '' TERM; ${STAY(path('wanted'))}; sleep 600`, {}, limit)
    await until(() => exists('wanted'))
    over.abort()
    await clock.advance(1000) // it does not want to
    expect(await ending).toEqual({ code: undefined, signal: 'SIGKILL', timedOut: true })
    expect(await runInShell('exec sleep 600', {}, limit)).toMatchObject({ timedOut: true })
    await clock.advance(1000)
    expect(clock.pending).toBe(0)
  })

  it('leaves no timer when it has ended in time', async () => {
    const clock = new FakeClock()
    await runInShell('true', {}, { timeoutMs: 5000, clock })
    expect(clock.pending).toBe(0)
  })

  it('prints to our standard error, so that our standard output is ours; a command has both', async () => {
    const contents = `
      import { runInShell, startCommand } from './src/net/child-process.ts'
      await runInShell('echo from the hook; echo trouble of the hook >&2', {}, { timeoutMs: 60000 })
      await startCommand(['sh', '-c', 'cat; echo trouble of the command >&2'], {}).exited`
    const root = join(import.meta.dirname, '../..')
    const outfile = path('both.mjs')
    const stdin = { contents, resolveDir: root, loader: 'ts' } as const
    await build({ stdin, outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'silent' })
    const heard = await new Promise<{ stdout: string; stderr: string }>((resolve, reject) => {
      const child = execFile(process.execPath, [outfile], (error, stdout, stderr) =>
        error === null ? resolve({ stdout, stderr }) : reject(error),
      )
      child.stdin?.end('from the input\n')
    })
    expect(heard.stdout).toBe('from the input\n')
    expect(heard.stderr).toBe('from the hook\ntrouble of the hook\ntrouble of the command\n')
  })
})

describe.skipIf(process.platform === 'win32')('a silent program', () => {
  it('has that environment only', async () => {
    writeFileSync(path('silent'), '#!/bin/sh\n/usr/bin/env > "$OUT"\necho loud; echo loud >&2\n', { mode: 0o755 })
    expect(await runSilently([path('silent')], { OUT: path('silent-env') }, LONG)).toMatchObject({ code: 0 })
    const names = contentOf('silent-env')
      .split('\n')
      .map((line) => line.replace(/=.*/, ''))
    expect(names.filter((name) => !['', '_', 'PWD', 'SHLVL', 'OLDPWD'].includes(name))).toEqual(['OUT'])
  })

  it('is ended when its time is over', async () => {
    const clock = new FakeClock()
    const ending = runSilently(
      ['/bin/sh', '-c', `echo > ${path('slow')}; exec sleep 600`],
      { PATH: process.env.PATH ?? '' },
      { timeoutMs: 100, clock },
    )
    await until(() => exists('slow'))
    await clock.advance(100)
    expect(await ending).toEqual({ code: undefined, signal: 'SIGTERM', timedOut: true })
    expect(clock.pending).toBe(0)
  })
})

/**
 * Every line of a shell in the documents is run, on an emulated gateway, and prints what the documents show. What cannot be
 * run here stands in NOT_RUN, with the reason.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { parseInvocation } from '../src/cli/parse/invocation.ts'
import { plainVoice } from '../src/cli/print/plain/plain-voice.ts'
import type { Surroundings } from '../src/cli/surroundings.ts'
import { startEmulator } from '../src/emulator.ts'
import { memoryFiles } from '../src/net/files/private-files.ts'
import {
  type Block,
  blocksIn,
  commandLinesOf,
  DOCUMENTS,
  inlineCommandLines,
  ROOT,
  wordsOf,
} from './support/doc-lines.ts'
import { runCli } from './support/run-cli.ts'

const PROGRAM = join(ROOT, 'bin/upnp-ts.js')
/** Generous: it is to catch a process that hangs, not a slow computer. */
vi.setConfig({ testTimeout: 30_000 })

interface NotRun {
  readonly line: RegExp
  readonly why: string
  /** What tries it elsewhere. */
  readonly triedBy?: string
}

const NOT_RUN: readonly NotRun[] = [
  { line: /^npm ci( && npm test)?$/, why: 'it is what runs this test', triedBy: '.ci/run' },
  { line: /^npm test$/, why: 'it is what runs this test', triedBy: '.ci/run' },
  { line: /^npm run /, why: 'it takes minutes, root or a quiet machine', triedBy: 'package.json' },
  { line: /^npm pack$/, why: 'it builds anew', triedBy: 'test/package/installed.test.ts' },
  { line: /^npm install --global /, why: 'it changes this computer', triedBy: 'test/package/installed.test.ts' },
  { line: /^npm install upnp-ts$/, why: 'it is not on npm yet', triedBy: 'test/package/installed.test.ts' },
  { line: /^(sudo )?systemctl /, why: 'it needs systemd as the first process' },
  { line: /^docker /, why: 'it needs a daemon of Docker, and images from the internet' },
]

/** These go on until they are told to end, which they are after the last line that is shown. */
const GOING_ON: ReadonlyMap<string, RegExp> = new Map([
  ['upnp-ts emulate', /\n/],
  ['upnp-ts watch | cat', /address .*\n/],
])

/** What has to be open before the line. */
const BEFORE: Readonly<Record<string, string>> = { 'upnp-ts -d 25565 TCP': 'upnp-ts -r 25565 TCP' }

/** All other lines end in 0. */
const EXIT_CODES: Readonly<Record<string, number>> = {
  'upnp-ts --emulate --quirk igd1 --quirk refuse=AddPortMapping:718:1 -r 22 TCP 80 TCP': 2,
}

let folder: string
beforeAll(() => {
  if (!existsSync(join(ROOT, 'dist/bin/upnp-ts.js'))) throw new Error('npm run build first')
  folder = mkdtempSync(join(tmpdir(), 'upnp-ts-docs-'))
  const commands = join(folder, 'commands')
  mkdirSync(commands)
  const command = (name: string, script: string): void => {
    writeFileSync(join(commands, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(commands, name), 0o755)
  }
  const alone = 'service* | emulate* | help* | completion* | --emulate* | -u\\ http://127.0.0.1:*' // ask nobody else
  const emulates = `case "$1 $2" in ${alone}) ;; *) set -- --emulate "$@" ;; esac`
  command('upnp-ts', `${emulates}\nexec "${process.execPath}" "${PROGRAM}" "$@"`)
  command('sudo', 'exec "$@"')
  for (const name of ['java', 'transmission-remote', 'curl', 'deluge-console'])
    command(name, `echo "${name} was told $*, at $UPNP_EXTERNAL_ADDRESS:$UPNP_EXTERNAL_PORT"`)
  writeFileSync(join(folder, 'server.js'), 'console.log(process.env.UPNP_EXTERNAL_PORT)\n')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Ended {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number | null
}

/** Nothing but the emulated gateway is asked, so the routers that a document names give way to it. */
function here(line: string): string {
  return line
    .replace(/^npm ci && npx /, '')
    .replace(/ --gateway [\d.]+/, '')
    .replace('/etc/systemd/system/', './')
    .replaceAll('192.168.1.30', '127.0.0.30')
}

/** When a command that goes on may be told to end: as soon as it has printed this, and `ready` is done. */
interface Enough {
  readonly printed: (written: string) => boolean
  readonly ready?: () => Promise<unknown>
}

/** In a shell, with commands of its own. */
async function inShell(line: string, enough?: Enough): Promise<Ended> {
  const { FORCE_COLOR, ...env } = process.env
  const child = spawn('sh', ['-c', enough === undefined ? line : `exec ${line}`], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...env, PATH: `${join(folder, 'commands')}${delimiter}${env.PATH}`, HOME: folder, XDG_STATE_HOME: folder },
  })
  const group = child.pid === undefined ? undefined : -child.pid
  onTestFinished(() => {
    try {
      if (group !== undefined) process.kill(group, 'SIGKILL')
    } catch {} // it is gone
  })
  const written = { stdout: '', stderr: '' }
  let isTold = false
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      written[name] += text
      if (isTold || enough?.printed(written.stdout + written.stderr) !== true) return
      isTold = true
      Promise.resolve(enough.ready?.()).finally(() => child.kill('SIGINT'))
    })
  const [exitCode] = await once(child, 'close')
  return { ...written, exitCode }
}

/** What --state has written. */
let stateFile = ''

function keepsOn(line: string): boolean {
  return /(^|\s)--keep\b/.test(line) && !/ -- /.test(line)
}

/** The port is open, the command of --on-change has run, and the file of --state is there. */
function whenOpen(line: string): Enough {
  const opened = /^(Your router now lets|external \S+ TCP is redirected)/m
  const told = line.includes('--on-change') ? /( was told |^now at )/m : /^/
  const printed = (text: string): boolean => opened.test(text) && told.test(text)
  return line.includes('--state') ? { printed, ready: () => vi.waitFor(readState, 10_000) } : { printed }
}

function readState(): void {
  const state = readFileSync(join(folder, 'open.json'), 'utf8').trim()
  expect(JSON.parse(state).ports).toHaveLength(1)
  stateFile = state
}

/** One gateway for all the lines of a block, which remember what they did. */
async function oneGateway(): Promise<Partial<Surroundings>> {
  const emulator = await startEmulator()
  onTestFinished(() => emulator.close())
  const unicastTo = emulator.ssdp === undefined ? [] : [emulator.ssdp]
  return {
    files: memoryFiles(),
    listeners: async () => ({ listeners: [], areAll: true }),
    onlyRoute: { address: '127.0.0.1', netmask: '255.0.0.0', multicast: false, unicastTo },
    onlyEndpoint: emulator.portControl,
  }
}

async function ran(line: string, gateway: Partial<Surroundings>): Promise<Ended> {
  if (keepsOn(line)) return inShell(line, whenOpen(line))
  const last = GOING_ON.get(line)
  if (last !== undefined) return inShell(line.replace(' | cat', ''), { printed: (written) => last.test(written) })
  const [program, ...argv] = wordsOf(line) ?? []
  if (program !== 'upnp-ts' || argv.includes('--')) return inShell(line)
  return runCli(argv.includes('-6') && !argv.includes('--emulate') ? ['--emulate', ...argv] : argv, gateway)
}

const MONTHS = 'January|February|March|April|May|June|July|August|September|October|November|December'

/** The documents have other addresses, and every run has other ports and times. */
function asWritten(text: string): string {
  return text
    .replaceAll('203.0.113.7', '11.22.33.44')
    .replaceAll(/192\.168\.1\.(?:1|20)\b/g, '127.0.0.1')
    .replaceAll(/(http:\/\/[\d.]+):\d+/g, '$1:PORT')
    .replaceAll(/(gateway : [\d.]+):\d+/g, '$1:PORT')
    .replaceAll(new RegExp(`\\d+ (?:${MONTHS}|[A-Z][a-z][a-z])(?: \\d{4})?(?:,? \\d\\d:\\d\\d)?`, 'g'), 'DATE')
    .replaceAll(/\d{4}-\d\d-\d\d[ T][\d:.]+Z?/g, 'TIME')
    .replaceAll(/ {2,}/g, '  ')
}

/** A document may leave out the banner of the letters. */
function withoutBannerOf(stdout: string, shown: string): string {
  return shown.startsWith('upnp-ts :') ? stdout : stdout.replace(/^upnp-ts :.*?\n\n/s, '')
}

function isRun(line: string): boolean {
  return !NOT_RUN.some((each) => each.line.test(line))
}

const SHELL_BLOCKS = DOCUMENTS.flatMap(blocksIn).filter(({ language }) => language === 'sh')

/** What stays running in the background makes one script of the block. */
function scriptsOf(block: Block): readonly string[] {
  const lines = commandLinesOf(block)
  return lines.some((line) => line.endsWith('&')) ? [lines.join('\n')] : lines
}

// Windows has no sh.
describe.skipIf(process.platform === 'win32')('a shown command line', () => {
  it.each(SHELL_BLOCKS.filter((block) => commandLinesOf(block).some(isRun)))(
    'is run: $document:$line',
    async (block) => {
      const gateway = await oneGateway()
      let last = ''
      for (const line of scriptsOf(block).filter(isRun)) {
        const before = BEFORE[line]
        if (before !== undefined) await ran(before, gateway)
        const { stdout, stderr, exitCode } = await ran(here(line), gateway)
        expect(exitCode, `${line}\n${stdout}${stderr}`).toBe(EXIT_CODES[line] ?? 0)
        last = stdout
      }
      const { shown } = block
      if (shown === undefined) return
      const lines = asWritten(shown).split('\n')
      const isKept = lines.filter((line) => !/; opening it again\.$| is open again after /.test(line)) // see below
      expect(asWritten(withoutBannerOf(last, shown)).split('\n')).toEqual(isKept)
    },
  )

  it('is run, or known to a table with the reason, and the table has no more than that', () => {
    const lines = SHELL_BLOCKS.flatMap(commandLinesOf)
    expect(lines.length).toBeGreaterThan(50)
    expect(NOT_RUN.filter((each) => !lines.some((line) => each.line.test(line)))).toEqual([])
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object }
    const named = lines.flatMap((line) => /^npm run (\S+)/.exec(line)?.[1] ?? [])
    expect(named.filter((name) => !Object.keys(scripts).includes(name))).toEqual([])
    expect(NOT_RUN.filter(({ triedBy = '.' }) => !existsSync(join(ROOT, triedBy)))).toEqual([])
  })

  it('is in a block of sh, and what is printed in one of text that belongs to it', () => {
    const blocks = DOCUMENTS.flatMap(blocksIn)
    const others = blocks.filter(
      ({ language }) => !['sh', 'text', 'ts', 'js', 'json', 'Dockerfile', ''].includes(language),
    )
    expect(others).toEqual([])
    const disguised = blocks.filter(
      ({ language, code }) => language !== 'sh' && /^(\$|upnp-ts (?!:|-h explains)|npm |npx )/m.test(code),
    )
    expect(disguised).toEqual([])
    const shown = blocks.filter(({ language }) => language === 'text').map(({ code }) => code)
    expect(SHELL_BLOCKS.flatMap((block) => block.shown ?? [])).toEqual(shown)
  })

  it('in running text is understood', () => {
    const wrong = DOCUMENTS.flatMap((document) =>
      inlineCommandLines(document).flatMap((line) => {
        const [, ...words] = (wordsOf(line.replace(/ > .*$/, '')) ?? []).filter((word) => word !== '&')
        try {
          parseInvocation(words)
          return []
        } catch (error) {
          return [`${document}: ${line}: ${error instanceof Error ? error.message : error}`]
        }
      }),
    )
    expect(wrong).toEqual([])
  })
})

describe.skipIf(process.platform === 'win32')('what the documents show of', () => {
  it('a port that was lost is what --keep prints of it', () => {
    const argv = ['open', '25565', '--keep']
    const invocation = parseInvocation(argv)
    if (invocation.kind !== 'gateway') throw new Error('open asks a gateway')
    const [timeMs, name] = [Date.parse('2026-12-01T10:14:03Z'), 'external port 25565 TCP']
    const occasion = { invocation, argv, nowMs: () => timeMs, columns: () => 80 }
    const voice = plainVoice(occasion)
    const inside = { protocol: 'TCP', externalPort: 25565, internalPort: 25565, internalClient: '192.168.1.20' }
    const port = { ...inside, endsWallMs: timeMs + 604_800_000 }
    const pieces = [
      ...voice.render({ type: 'lost', timeMs, name, port, reason: 'gone' }),
      ...voice.render({ type: 'restored', timeMs, name, port, leaseSeconds: 604_800, afterMs: 36 }),
    ]
    const shown = blocksIn('docs/keep.md').find(({ language }) => language === 'text')
    expect(asWritten(shown?.code ?? '')).toContain(asWritten(pieces.map(({ text }) => text).join('')))
  })

  it('--state is what the file has', () => {
    const [shown] = blocksIn('docs/keep.md').filter(({ language }) => language === 'json')
    expect(asWritten(shown?.code.trim() ?? '')).toBe(asWritten(stateFile))
  })

  it('--json is what is printed', async () => {
    const [shown] = blocksIn('docs/json.md').filter(({ language }) => language === 'json')
    const { stdout } = await runCli(['--emulate', '--json', '-l'])
    expect(asWritten(stdout.split('\n')[0] ?? '')).toBe(asWritten(shown?.code.trim() ?? ''))
  })
})

/** `upnp-ts service`: what is taken, and what is refused with a command that works. */
import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { parseInvocation } from '../../../src/cli/parse/invocation.ts'
import type { ServiceInvocation } from '../../../src/cli/parse/service-words.ts'
import { shellLine } from '../../../src/cli/parse/shell-words.ts'
import { UsageError } from '../../../src/cli/parse/words.ts'

const NONCE = '00112233445566778899aabb'

function parsed(...argv: readonly string[]): ServiceInvocation {
  const invocation = parseInvocation(['service', ...argv])
  if (invocation.kind !== 'service') throw new Error(`it is ${invocation.kind}`)
  return invocation
}

function refusal(argv: readonly string[]): string {
  try {
    parseInvocation(['service', ...argv])
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  throw new Error('it was not refused')
}

/** The words of a command line that a message shows, as a shell reads them. */
function suggestedIn(message: string): string[] {
  const line = message.slice(message.indexOf('try: upnp-ts ') + 'try: upnp-ts '.length)
  const { stdout } = spawnSync('bash', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' })
  return stdout.split('\0').slice(0, -1)
}

describe('service', () => {
  it('keeps the words of the command line, its program and its files', () => {
    const line = [
      '-r',
      '80',
      'TCP',
      '--keep',
      '--state',
      '/run/upnp-ts/ports.json',
      '--on-change',
      'echo',
      '--',
      'node',
      '-h',
    ]
    expect(parsed('systemd', '--', ...line)).toMatchObject({
      form: 'systemd',
      given: line,
      words: line,
      program: ['node', '-h'],
      stateFile: '/run/upnp-ts/ports.json',
      nonceFile: undefined,
      hasHook: true,
    })
  })

  it.each([
    ['apart', ['--nonce', '@/etc/nonce'], ['--nonce', '-']],
    ['glued', ['--nonce=@/etc/nonce'], ['--nonce=-']],
    [
      'beside a description that reads like it',
      ['-e', '--nonce', '--nonce', '@/etc/nonce'],
      ['-e', '--nonce', '--nonce', '-'],
    ],
  ])('reads the nonce from standard input, written %s', (_, option, instead) => {
    const { words, nonceFile } = parsed('systemd', '--', '-r', '22', 'TCP', '--keep', '--via', 'pcp', ...option)
    expect(words.slice(6)).toEqual(instead)
    expect(nonceFile).toBe('/etc/nonce')
  })

  it.each([[['-h']], [['systemd', '--help']], [['systemd', '-h', '--', '-r', '22', 'TCP']]])(
    '%j asks for help',
    (argv) => {
      expect(parseInvocation(['service', ...argv])).toEqual({ kind: 'help', about: 'service' })
    },
  )

  const KEPT = ['-r', '22', 'TCP', '--keep']
  it.each<[string, readonly string[], string, (readonly string[])?]>([
    ['no kind', [], 'service takes systemd or compose; '],
    [
      'another kind',
      ['launchd', '--', ...KEPT],
      "'launchd' is no kind of service: give systemd or compose; ",
      ['systemd', '--', ...KEPT],
    ],
    ['no command line', ['compose'], 'the command line of the service is missing; '],
    ['an empty command line', ['compose', '--'], 'the command line of the service is missing; '],
    [
      'no --',
      ['systemd', ...KEPT],
      '-- has to stand before the command line of the service; ',
      ['systemd', '--', ...KEPT],
    ],
    [
      'neither -- nor --keep',
      ['compose', 'open', '22'],
      '-- has to stand before the command line of the service; ',
      ['compose', '--', 'open', '22', '--keep'],
    ],
    [
      'an option before --',
      ['systemd', '--json', '--', ...KEPT],
      "'--json' is not understood: only systemd stands before --; ",
      ['systemd', '--', ...KEPT],
    ],
    [
      'no --keep',
      ['systemd', '--', '-r', '22', 'TCP'],
      'a service keeps ports open, so it needs --keep; ',
      ['systemd', '--', ...KEPT],
    ],
    [
      'no --keep before a program',
      ['systemd', '--', '-r', '22', 'TCP', '--', 'x y'],
      'a service keeps ports open, so it needs --keep; ',
      ['systemd', '--', ...KEPT, '--', 'x y'],
    ],
    [
      'a command that keeps nothing',
      ['systemd', '--', '-l'],
      'a service keeps ports open, with a command that takes --keep; ',
    ],
    ['help inside', ['systemd', '--', '-h', '--keep'], 'this command line opens no port, so it is no service; '],
    [
      'a relative --state',
      ['systemd', '--', ...KEPT, '--state', 'a b.json'],
      "--state: a service has no current folder: 'a b.json' needs its whole path; ",
      ['systemd', '--', ...KEPT, '--state', '/run/upnp-ts/a b.json'],
    ],
    [
      'a --state that starts in a home',
      ['systemd', '--', ...KEPT, '--state=/home/ann/p.json'],
      '--state: a service cannot write in /home; ',
      ['systemd', '--', ...KEPT, '--state=/run/upnp-ts/p.json'],
    ],
    [
      'a --state in the temporary folder',
      ['compose', '--', ...KEPT, '--state', '/tmp/p.json'],
      '--state: a service cannot write in /tmp; ',
      ['compose', '--', ...KEPT, '--state', '/run/upnp-ts/p.json'],
    ],
    [
      'a --state that goes up',
      ['systemd', '--', ...KEPT, '--state', '/run/../home/p'],
      "--state: a service cannot use the path '/run/../home/p': give a plainer one; ",
      ['systemd', '--', ...KEPT, '--state', '/run/upnp-ts/p'],
    ],
    [
      'a --state of two lines',
      ['systemd', '--', ...KEPT, '--state', '/srv/a\nUser=root'],
      "--state: a service cannot use the path '/srv/a\nUser=root': give a plainer one; ",
      ['systemd', '--', ...KEPT, '--state', '/run/upnp-ts/ports.json'],
    ],
    [
      'a nonce for all to read',
      ['systemd', '--', ...KEPT, '--via', 'pcp', '--nonce', NONCE],
      '--nonce: everybody could read it in the service: put it into a file; ',
      ['systemd', '--', ...KEPT, '--via', 'pcp', '--nonce', '@/etc/upnp-ts/nonce'],
    ],
    [
      'a nonce from standard input',
      ['systemd', '--', ...KEPT, '--via', 'pcp', '--nonce', '-'],
      '--nonce: a service has no standard input: put it into a file; ',
      ['systemd', '--', ...KEPT, '--via', 'pcp', '--nonce', '@/etc/upnp-ts/nonce'],
    ],
    [
      'a nonce in a relative file',
      ['systemd', '--', ...KEPT, '--via', 'pcp', '--nonce', '@n'],
      "--nonce: a service has no current folder: 'n' needs its whole path; ",
      ['systemd', '--', ...KEPT, '--via', 'pcp', '--nonce', '@/etc/upnp-ts/nonce'],
    ],
    [
      'a relative socket',
      ['systemd', '--', ...KEPT, '-pmini.sock'],
      "-p: a service has no current folder: 'mini.sock' needs its whole path; ",
      ['systemd', '--', ...KEPT, '-p/run/minissdpd.sock'],
    ],
    [
      'a relative program',
      ['systemd', '--', ...KEPT, '--', './server', '-p', '1'],
      "a service has no current folder: './server' needs its whole path; ",
      ['systemd', '--', ...KEPT, '--', '/usr/local/bin/server', '-p', '1'],
    ],
  ])('refuses %s, and names a command to try', (_, argv, why, instead) => {
    const message = refusal(argv)
    expect(message.startsWith(why)).toBe(true)
    const suggested = suggestedIn(message)
    expect(suggested[0]).toBe('service')
    if (instead !== undefined) expect(suggested.slice(1)).toEqual(instead)
    expect(parseInvocation(suggested).kind).toBe('service')
  })

  it('says about a wrong command line what upnp-ts says about it without service', () => {
    expect(refusal(['systemd', '--', '-r', '70000', 'TCP', '--keep'])).toContain("'70000'")
  })
})

describe('a shown command line', () => {
  it('is one line, which a shell reads as the same words', () => {
    const words = [
      '',
      'a b',
      "it's",
      '"',
      '$HOME',
      '`id`',
      '\\',
      '*',
      '~',
      '#',
      'é',
      'a\nb',
      "'\t\\n'",
      '\u0001',
      '!x',
      '\u0085',
    ]
    const line = shellLine(words)
    expect(line).not.toMatch(/[\n\u0085]/)
    const { stdout } = spawnSync('bash', ['-c', `printf '%s\\0' ${line}`], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    })
    expect(stdout.split('\0').slice(0, -1)).toEqual(words)
  })
})

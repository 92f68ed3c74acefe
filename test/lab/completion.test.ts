/**
 * The completions in real shells, and the man page in real readers. Debian has them all; .ci/run installs them. Nothing
 * is sent: the program itself is not run.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SHELLS } from '../../src/cli/parse/help-words.ts'
import { completionFor } from '../../src/cli/print/completion/completion.ts'
import { manPage } from '../../src/cli/print/help/man-page.ts'

let folder: string
const scriptOf = (shell: string): string => join(folder, `upnp-ts.${shell}`)

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'upnp-ts-completion-'))
  for (const shell of SHELLS) writeFileSync(scriptOf(shell), completionFor(shell))
  writeFileSync(join(folder, 'state.json'), '')
})

afterAll(() => rmSync(folder, { recursive: true }))

/** Runs a program. It has to end well and to say nothing on stderr. */
function run(program: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    input,
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8', HOME: folder, MANWIDTH: '80', TERM: 'xterm' },
  })
  expect({ error, status, stderr }).toEqual({ error: undefined, status: 0, stderr: '' })
  return stdout
}

describe('each script passes the check', () => {
  it.each([
    ['shellcheck', ['--severity=style', 'upnp-ts.bash']],
    ['bash', ['-n', 'upnp-ts.bash']],
    ['zsh', ['-n', 'upnp-ts.zsh']],
    ['fish', ['--no-execute', 'upnp-ts.fish']],
  ])('of %s', (program, args) => {
    expect(run(program, args)).toBe('')
  })

  it('and begins with the line that installs it', () => {
    for (const shell of SHELLS)
      expect(completionFor(shell)).toMatch(new RegExp(`^# To install it: .*upnp-ts completion ${shell}.*\n`))
  })
})

/** What is typed after `upnp-ts `, and what it may become. */
const COMPLETED: readonly (readonly [typed: string, words: readonly string[]])[] = [
  ['op', ['open']],
  ['--ke', ['--keep']],
  ['open 22 --ke', ['--keep']],
  ['list --ke', []],
  ['open --comp', []],
  ['-l --comp', ['--compat']],
  ['--via igd open --pri', ['--print']],
  ['open --via ', ['auto', 'igd', 'nat-pmp', 'pcp']],
  ['open --color ne', ['never']],
  ['open 22/u', ['22/udp']],
  ['close 22/', ['22/both', '22/tcp', '22/udp']],
  ['-r 22 U', ['UDP']],
  ['-u ', []],
  ['open --state sta', ['state.json']],
  ['open --nonce @sta', ['@state.json']],
  ['help trou', ['troubleshooting']],
  ['completion z', ['zsh']],
  ['service comp', ['compose']],
  ['service systemd -- op', ['open']],
]

describe('bash, without the package bash-completion, completes', () => {
  it.each(COMPLETED)('%s', (typed, words) => {
    const program = `source upnp-ts.bash
      COMP_WORDS=(upnp-ts ${typed.endsWith(' ') ? `${typed}''` : typed}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
      _upnp_ts; printf '%s\\n' "\${COMPREPLY[@]}"`
    expect(run('bash', ['--norc', '-c', program]).split('\n').filter(Boolean).sort()).toEqual(words)
  })

  it('words behind = and :, which bash takes apart', () => {
    const program = `source upnp-ts.bash
      COMP_WORDS=(upnp-ts open --via = n); COMP_CWORD=4; _upnp_ts; echo "\${COMPREPLY[@]}"
      COMP_WORDS=(upnp-ts open 2222 : 22/b); COMP_CWORD=4; _upnp_ts; echo "\${COMPREPLY[@]}"`
    expect(run('bash', ['--norc', '-c', program])).toBe('nat-pmp\n22/both\n')
  })

  it('what is typed at its prompt', () => {
    const typed = `source upnp-ts.bash\nupnp-ts() { echo "[$*]"; }\nupnp-ts op\t--ke\t\nexit\n`
    const { stdout } = spawnSync('script', ['-qec', 'bash --norc --noprofile -i', '/dev/null'], {
      input: typed,
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, TERM: 'dumb', INPUTRC: '/dev/null' },
    })
    expect(stdout).toContain('[open --keep]')
  })
})

describe('fish completes', () => {
  it.each(COMPLETED)('%s', (typed, words) => {
    const program = `source upnp-ts.fish; complete -C 'upnp-ts ${typed}'`
    const found = run('fish', ['--no-config', '-c', program]).split('\n').filter(Boolean)
    expect(found.map((line) => line.split('\t', 1)[0]).sort()).toEqual(words)
  })
})

describe('zsh completes', () => {
  const single = COMPLETED.filter(([, words]) => words.length === 1)

  it('what is typed at its prompt', () => {
    const lines = single.map(([typed]) => `ask ${quoted(`upnp-ts ${typed}`)}`)
    const program = `
      zmodload zsh/zpty
      zpty shell zsh -f -i
      zpty -w shell "autoload -Uz compinit; compinit -u -d zcompdump; source upnp-ts.zsh"
      zpty -w shell 'upnp-ts() { print -r -- "<$*>"; }; PS1=READ""Y'
      zpty -r shell answer '*READY*'
      ask() { zpty -w -n shell "$1"$'\\t\\n'; zpty -r shell answer '*READY*'; print -r -- "$answer"; }
      ${lines.join('\n')}
    `
    const screen = run('zsh', ['-f', '-c', program])
    for (const [typed, [word]] of single) {
      const before = typed.slice(0, typed.lastIndexOf(' ') + 1)
      expect(screen).toContain(`<${before}${word}>`)
    }
  })
})

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

describe('the man page', () => {
  it('is shown without warnings, 80 columns wide', () => {
    writeFileSync(join(folder, 'upnp-ts.1'), manPage())
    const shown = run('man', ['--warnings', '-l', 'upnp-ts.1'])
    expect(shown.split('\n').filter((line) => line.length > 80)).toEqual([])
    const sections = shown.match(/^[A-Z][A-Z ]+$/gm)
    for (const name of ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'COMMANDS', 'OPTIONS', 'EXIT STATUS', 'ENVIRONMENT'])
      expect(sections).toContain(name)
    expect(sections?.slice(-3)).toEqual(['FILES', 'EXAMPLES', 'SEE ALSO'])
  })

  it('has nothing that mandoc complains about, but that it has no date', () => {
    const { stdout } = spawnSync('mandoc', ['-T', 'lint'], { input: manPage(), encoding: 'utf8' })
    expect(stdout.split('\n').filter((line) => line !== '' && !line.includes('missing date'))).toEqual([])
    expect(execFileSync('mandoc', ['-T', 'utf8'], { input: manPage(), encoding: 'utf8' })).toContain('upnp-ts')
  })
})

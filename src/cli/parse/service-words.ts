/**
 * `upnp-ts service systemd|compose -- COMMAND LINE`: checks that the command line can run as a service, which has no
 * current folder, no standard input and no home, and finds out which files it needs.
 */
import { posix } from 'node:path'
import type { GatewayCommand } from './command-table.js'
import type { Flag } from './option-table.js'
import type { KeepOptions, PortControlAsked, SearchOptions } from './option-values.js'
import { optionsIn, splitProgram, TABLES } from './output-options.js'
import { shellLine } from './shell-words.js'
import { UsageError } from './words.js'

/** The verb, for the tables of help. It asks no gateway, so it is no row of VERBS. */
export const SERVICE_VERB = {
  flag: 'service',
  isVerb: true,
  form: 'systemd|compose -- COMMAND',
  brief: 'KIND -- COMMAND',
  values: ['systemd', 'compose'],
  wanted: 'systemd or compose, and after -- a command line with --keep',
  help: 'print a file that keeps COMMAND running as a service',
  example: 'systemd -- open 22 --keep',
  moreExamples: ['service compose -- open 22 --keep'],
} as const satisfies Flag

export const SERVICE = SERVICE_VERB.flag
const FORMS = ['systemd', 'compose'] as const
export type ServiceForm = (typeof FORMS)[number]

export interface ServiceInvocation {
  readonly kind: 'service'
  readonly form: ServiceForm
  readonly command: GatewayCommand
  /** The command line as it was given. */
  readonly given: readonly string[]
  /** What the service gives to upnp-ts. A nonce in a file becomes standard input. */
  readonly words: readonly string[]
  /** The program after the second `--`, if there is one. */
  readonly program: readonly string[]
  /** The file of --nonce, which the service reads from its standard input. */
  readonly nonceFile: string | undefined
  /** The file of --state. */
  readonly stateFile: string | undefined
  readonly hasHook: boolean
  /** The socket that -p names, if it names one. */
  readonly minissdpd: string | undefined
}

/** What the parsed command line asks for. */
interface Asked {
  readonly command: GatewayCommand
  readonly keep?: KeepOptions | undefined
  readonly portControl: PortControlAsked
  readonly search: SearchOptions
}

/** Where a service of each form may write a file that other programs read. */
const STATE_FOLDER = '/run/upnp-ts'
const NONCE_FILE = '/etc/upnp-ts/nonce'
/** A unit has its own /tmp and no homes; nobody writes files in the others. */
const CLOSED_FOLDERS = ['/tmp', '/var/tmp', '/home', '/root', '/run/user', '/dev', '/proc', '/sys'] as const
const EXAMPLE = ['open', '22', '--keep']

/** `argv` is all that follows `service`. Undefined if it asks for help. @throws UsageError */
export function serviceOf(
  argv: readonly string[],
  parse: (commandLine: readonly string[]) => Asked | undefined,
): ServiceInvocation | undefined {
  const { words, program: commandLine } = splitProgram(argv)
  if (words.some((word) => word === '-h' || word === '--help')) return undefined
  const [first, ...strays] = words
  const form = FORMS.find((each) => each === first)
  const instead = (line: readonly string[]): string =>
    `try: upnp-ts ${shellLine([SERVICE, form ?? FORMS[0], '--', ...line])}`
  if (form === undefined) {
    const why = first === undefined ? 'service takes' : `'${first}' is no kind of service: give`
    throw new UsageError(`${why} systemd or compose; ${instead(commandLine ?? EXAMPLE)}`)
  }
  if (commandLine === undefined && strays.length > 0)
    throw new UsageError(`-- has to stand before the command line of the service; ${instead(withKeep(strays))}`)
  if (strays[0] !== undefined)
    throw new UsageError(
      `'${strays[0]}' is not understood: only ${form} stands before --; ${instead(commandLine ?? [])}`,
    )
  if (commandLine === undefined || commandLine.length === 0)
    throw new UsageError(`the command line of the service is missing; ${instead(EXAMPLE)}`)
  if (!isGiven(commandLine, 'keep')) {
    const kept = withKeep(commandLine)
    const isKept = answers(() => parse(kept))
    throw new UsageError(
      isKept
        ? `a service keeps ports open, so it needs --keep; ${instead(kept)}`
        : `a service keeps ports open, with a command that takes --keep; ${instead(EXAMPLE)}`,
    )
  }
  const asked = parse(commandLine)
  if (asked?.keep === undefined)
    throw new UsageError(`this command line opens no port, so it is no service; ${instead(EXAMPLE)}`)
  return checked(form, commandLine, { ...asked, keep: asked.keep }, instead)
}

function answers(work: () => Asked | undefined): boolean {
  try {
    return work()?.keep !== undefined
  } catch (error) {
    if (error instanceof UsageError) return false
    throw error
  }
}

function checked(
  form: ServiceForm,
  commandLine: readonly string[],
  { command, keep, portControl, search }: Asked & { readonly keep: KeepOptions },
  instead: (line: readonly string[]) => string,
): ServiceInvocation {
  const { stateFile } = keep
  const { nonce, nonceFrom } = portControl
  const minissdpd = search.minissdpdPath === '' ? undefined : search.minissdpdPath
  const change = (flag: string, value: string): string => instead(withValue(commandLine, flag, value))
  const nonceElsewhere = (): string => change('nonce', `@${NONCE_FILE}`)
  if (nonce !== undefined)
    throw new UsageError(`--nonce: everybody could read it in the service: put it into a file; ${nonceElsewhere()}`)
  if (nonceFrom === '-')
    throw new UsageError(`--nonce: a service has no standard input: put it into a file; ${nonceElsewhere()}`)
  const nonceFile = nonceFrom?.slice(1)
  if (nonceFile !== undefined) mustBePlain('--nonce', nonceFile, nonceElsewhere)
  if (stateFile !== undefined) {
    const elsewhere = (): string => change('state', `${STATE_FOLDER}/${plainNameOf(stateFile, 'ports.json')}`)
    mustBePlain('--state', stateFile, elsewhere)
    const closed = CLOSED_FOLDERS.find((folder) => isWithin(stateFile, folder))
    if (closed !== undefined) throw new UsageError(`--state: a service cannot write in ${closed}; ${elsewhere()}`)
  }
  if (minissdpd !== undefined) mustBePlain('-p', minissdpd, () => change('minissdpd', '/run/minissdpd.sock'))
  const [program] = keep.program
  if (program?.includes('/') === true && !posix.isAbsolute(program)) {
    const whole = `/usr/local/bin/${posix.basename(program)}`
    const line = [...splitProgram(commandLine).words, '--', whole, ...keep.program.slice(1)]
    throw new UsageError(`a service has no current folder: '${program}' needs its whole path; ${instead(line)}`)
  }
  return {
    kind: 'service',
    form,
    command,
    given: commandLine,
    words: nonceFile === undefined ? commandLine : withValue(commandLine, 'nonce', '-'),
    program: keep.program,
    nonceFile,
    stateFile,
    hasHook: keep.onChange !== undefined,
    minissdpd,
  }
}

/** Lines of a unit cannot say every path: no quotes go around some of them. @throws UsageError */
function mustBePlain(option: string, path: string, elsewhere: () => string): void {
  if (!posix.isAbsolute(path))
    throw new UsageError(`${option}: a service has no current folder: '${path}' needs its whole path; ${elsewhere()}`)
  if (!isPlain(path) || path.endsWith('/') || posix.normalize(path) !== path)
    throw new UsageError(`${option}: a service cannot use the path '${path}': give a plainer one; ${elsewhere()}`)
}

function isPlain(path: string): boolean {
  return /^[^\p{C}\p{Zl}\p{Zp}\\"'`]*[^\p{C}\p{Z}\\"'`]$/u.test(path)
}

function plainNameOf(path: string, otherwise: string): string {
  const name = posix.basename(path)
  return isPlain(name) && !['.', '..'].includes(name) ? name : otherwise
}

/** Whether a path is in a folder, or in one below it. Both are absolute. */
export function isWithin(path: string, folder: string): boolean {
  return `${path}/`.startsWith(`${folder}/`)
}

function isGiven(commandLine: readonly string[], flag: string): boolean {
  return placesOf(commandLine, flag).length > 0
}

/** The command line with --keep, which stands before its program. */
function withKeep(commandLine: readonly string[]): readonly string[] {
  if (isGiven(commandLine, 'keep')) return commandLine
  const { words, program } = splitProgram(commandLine)
  return [...words, '--keep', ...(program === undefined ? [] : ['--', ...program])]
}

/** The command line with another value for an option, wherever it stands. */
function withValue(commandLine: readonly string[], flag: string, value: string): readonly string[] {
  const changed = [...commandLine]
  for (const { at, glued } of placesOf(commandLine, flag)) {
    const word = commandLine[at] ?? ''
    changed[glued === undefined ? at + 1 : at] =
      glued === undefined ? value : word.slice(0, word.length - glued.length) + value
  }
  return changed
}

/** Where an option stands. The value of another option is never taken for it. */
function placesOf(commandLine: readonly string[], flag: string) {
  const { words } = splitProgram(commandLine)
  const places: { readonly at: number; readonly glued: string | undefined }[] = []
  for (let at = 0; at < words.length; at++) {
    const found = [...optionsIn(words[at] ?? '', TABLES)]
    for (const { option, glued } of found) if (option.flag === flag) places.push({ at, glued })
    if (found.some(({ option, glued }) => option.form !== undefined && glued === undefined)) at++
  }
  return places
}

/** --keep and the options that go with it. */
import { textOption } from './option-values.js'
import { integerWithin, UsageError } from './words.js'

export interface KeepOptions {
  /** The program after `--`, which runs while the ports are open. Empty for none. */
  readonly program: readonly string[]
  /** --on-change: a shell command. */
  readonly onChange: string | undefined
  /** --require: the program does not start unless the ports are open. */
  readonly require: boolean
  /** --state: a file for other programs. */
  readonly stateFile: string | undefined
  /** --check: how often to look whether the router still has the ports. */
  readonly checkMs: number | undefined
}

const MAX_CHECK_SECONDS = 86_400

/** Options as commander gives them. @throws UsageError */
export function keepOptionsOf(
  options: Record<string, unknown>,
  program: readonly string[] | undefined,
): KeepOptions | undefined {
  if (options.keep !== true) {
    if (program !== undefined)
      throw new UsageError('a program after -- runs only with --keep, while the ports are open: add --keep')
    return undefined
  }
  if (program?.length === 0) throw new UsageError('nothing follows --; it takes a program and its arguments')
  if (options.timeout !== undefined && program === undefined)
    throw new UsageError('--timeout with --keep needs a program after --: --keep itself never gives up')
  if (options.require === true && program === undefined) throw new UsageError('--require goes with a program after --')
  const [onChange, stateFile, seconds] = [options.onChange, options.state, options.check].map(textOption)
  if (onChange === '' || stateFile === '') throw new UsageError('--on-change takes a command, and --state a file')
  return {
    program: program ?? [],
    onChange,
    require: options.require === true,
    stateFile,
    checkMs:
      seconds === undefined
        ? undefined
        : integerWithin('--check', 'number of seconds', seconds, 1, MAX_CHECK_SECONDS) * 1000,
  }
}

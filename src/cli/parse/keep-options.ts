/** --keep and what goes with it. */
import type { GatewayCommand } from './command-table.js'
import { integerWithin, UsageError } from './words.js'

export interface KeepOptions {
  /** What follows `--`: run while the ports are open. Empty for none. */
  readonly command: readonly string[]
  /** --on-change: for a shell. */
  readonly onChange: string | undefined
  /** --require: without an open port the command is not started. */
  readonly require: boolean
  /** --state: a file for other programs. */
  readonly stateFile: string | undefined
  /** --check: how often the router is looked at. */
  readonly checkMs: number | undefined
}

const WITH_KEEP = ['onChange', 'require', 'state', 'check'] as const
const LONG_NAMES = { onChange: '--on-change', require: '--require', state: '--state', check: '--check' } as const
const MAX_CHECK_SECONDS = 86_400

/** Options as commander gives them. @throws UsageError */
export function keepOptionsOf(
  options: Record<string, unknown>,
  asked: GatewayCommand,
  command: readonly string[] | undefined,
): KeepOptions | undefined {
  const { onChange, state, check } = options
  if (options.keep !== true) {
    const alone = WITH_KEEP.find((name) => options[name] !== undefined)
    if (alone !== undefined) throw new UsageError(`${LONG_NAMES[alone]} goes with --keep`)
    if (command !== undefined)
      throw new UsageError('a command after -- is run by --keep, while the ports are open: add --keep')
    return undefined
  }
  if (asked.name !== 'map' && asked.name !== 'add-pinholes') throw new UsageError('--keep goes with -r, -a, -n and -A')
  if (command?.length === 0) throw new UsageError('nothing follows --; it takes a command and its words')
  if (options.timeout !== undefined && command === undefined)
    throw new UsageError('--timeout with --keep goes with a command after --: --keep itself never gives up')
  if (options.require === true && command === undefined) throw new UsageError('--require goes with a command after --')
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
  if (text(onChange) === '' || text(state) === '')
    throw new UsageError('--on-change takes a command, and --state a file')
  const seconds = text(check)
  return {
    command: command ?? [],
    onChange: text(onChange),
    require: options.require === true,
    stateFile: text(state),
    checkMs:
      seconds === undefined
        ? undefined
        : integerWithin('--check', 'number of seconds', seconds, 1, MAX_CHECK_SECONDS) * 1000,
  }
}

/** Runs the command line inside the test: real parsing, real printing, streams that remember. */

import { main } from '../../src/cli/main.ts'
import type { Surroundings } from '../../src/cli/surroundings.ts'
import { commandLineNet } from '../../src/cli/surroundings.ts'
import { memoryFiles } from '../../src/net/files/private-files.ts'

export interface CliResult {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

/** Three lines and a blank one. */
export const BANNER_LINES = 4

export function withoutBanner(stdout: string): string {
  return stdout.split('\n').slice(BANNER_LINES).join('\n')
}

/**
 * By default there is no interface to search on, no router to ask and no file that outlives the run, so that a test
 * reaches nothing but what it names with -u or --gateway.
 */
export async function runCli(argv: readonly string[], surroundings: Partial<Surroundings> = {}): Promise<CliResult> {
  const written = { stdout: '', stderr: '' }
  const stream = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      written[name] += text
    },
    on: () => {},
  })
  const exitCode = await main(argv, {
    ...commandLineNet(),
    interfaces: () => [],
    defaultGateways: () => Promise.resolve([]),
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    env: {},
    files: memoryFiles(),
    onSignal: () => () => {},
    ...surroundings,
  })
  return { ...written, exitCode }
}

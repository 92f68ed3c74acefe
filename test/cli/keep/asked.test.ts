/** What `mapped` says was asked: the same with --keep and without, whatever the gateway made of it. */
import { describe, expect, it } from 'vitest'
import { runCli } from '../../support/run-cli.ts'

/** The objects of that type. With --keep, a signal ends the command once there are that many. */
async function mapped(argv: readonly string[], count: number): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = []
  let end = (): void => {}
  const write = (line: string): void => {
    const object = JSON.parse(line)
    if (object.type === 'mapped') found.push(object)
    if (found.length === count) end()
  }
  const onSignal = (_: unknown, listener: (signal: string) => void) => {
    end = () => listener('SIGTERM')
    return () => {}
  }
  const { exitCode } = await runCli(['--emulate', '--json', ...argv], { stdout: { write, on: () => {} }, onSignal })
  expect([found.length, exitCode]).toEqual([count, 0])
  return found
}

describe('what was asked', () => {
  it.each([
    [1, ['--via', 'nat-pmp', '-r', '1', '0', 'TCP'], { externalPort: 0, description: 'upnp-ts' }],
    [2, ['--via', 'nat-pmp', '-r', '0', '1', 'TCP+UDP'], { externalPort: 1, internalPort: 0 }],
    [2, ['--via', 'pcp', '-r', '1', '0', 'TCP+UDP'], { externalPort: 0, description: 'upnp-ts' }],
    [1, ['-e', 'web', '-a', '@', '80', '8080', 'TCP', '60'], { externalPort: 8080, description: 'web' }],
    [2, ['-r', '22', 'TCP', '53', 'UDP'], { externalPort: 22, leaseSeconds: 0 }],
    [1, ['-n', '@', '22', '22', 'TCP'], { externalPort: 22, internalClient: '127.0.0.1' }],
  ])('is the same with --keep as without: %d of %j', async (count, argv, first) => {
    const without = await mapped(argv, count)
    expect(without[0]).toMatchObject({ asked: first })
    const kept = await mapped([...argv, '--keep'], count)
    expect(kept.map(({ asked }) => asked)).toEqual(without.map(({ asked }) => asked))
  })
})

/** The examples that are tests themselves. They wait for most of the time, so they all run at once. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import '../examples/with-fake-timers.test.mjs'
import '../examples/with-vitest.test.mjs'

vi.mock('upnp-ts', () => import('../src/index.ts'))
vi.mock('upnp-ts/emulator', () => import('../src/emulator.ts'))

async function runByNode(name: string): Promise<{ exitCode: unknown; output: string }> {
  const path = join(import.meta.dirname, '../examples', name)
  const child = spawn(process.execPath, ['--test', path], { stdio: 'pipe' })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text))
  return { exitCode: await new Promise((resolve) => child.on('close', resolve)), output }
}

const running = new Map(
  ['with-node-test.test.mjs', 'router-in-trouble.test.mjs'].map((name) => [name, runByNode(name)]),
)

it.each([...running])(
  '%s runs by node --test, on the package as it is built',
  async (_, ended) => {
    expect(await ended).toMatchObject({ exitCode: 0 })
  },
  30_000,
)

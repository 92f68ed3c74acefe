/** What a command says and does after a refusal, on an emulated router. */
import { afterEach, describe, expect, it } from 'vitest'
import { type Emulator, startEmulator } from '../../../src/emulator.ts'
import { runCli } from '../../support/run-cli.ts'

let emulator: Emulator | undefined
afterEach(() => emulator?.close())

/** A router that refuses the first AddPortMapping, after AddAnyPortMapping has made these mappings. */
async function routerWith(...present: readonly (readonly [client: string, port: string, protocol: string])[]) {
  emulator = await startEmulator({ quirks: [{ name: 'refuse', operation: 'AddPortMapping', code: 718, times: 1 }] })
  const url = emulator.descriptionUrl
  const run = (...words: string[]) => runCli(['-u', url, ...words])
  for (const [client, port, protocol] of present) await run('-n', client, port, port, protocol)
  const open = () => emulator?.mappings().map(({ protocol, externalPort }) => `${protocol} ${externalPort}`)
  return { run, open }
}

describe('718 for what this computer has already', () => {
  it('is done', async () => {
    const { run } = await routerWith(['@', '22', 'TCP'])
    const { stdout, stderr, exitCode } = await run('-r', '22', 'TCP')
    expect(stdout).toContain('external 11.22.33.44:22 TCP is redirected to internal 127.0.0.1:22')
    expect(stderr).toMatch(/^hint: the router had that port open for this computer already, .* anew: \d+ s are left\n$/)
    expect(exitCode).toBe(0)
  })

  it('is left open if the other half of TCP+UDP fails', async () => {
    const { run, open } = await routerWith(['@', '22', 'UDP'], ['127.0.0.9', '22', 'TCP'])
    const { stderr, exitCode } = await run('-r', '22', 'TCP+UDP')
    expect(stderr).toMatch(
      /external port 22 TCP already leads to 127\.0\.0\.9:22 .*\nhint: external 22 UDP stays open: /,
    )
    expect([open(), exitCode]).toEqual([['UDP 22', 'TCP 22'], 2])
  })
})

it('TCP+UDP is closed again after a refusal that was looked at', async () => {
  const { run, open } = await routerWith(['127.0.0.9', '22', 'TCP'])
  await run('-r', '1', 'TCP') // refused
  const { stdout, stderr, exitCode } = await run('-r', '22', 'TCP+UDP')
  expect(stdout).toContain('external 22 UDP is closed again')
  expect(stderr).toContain('external port 22 TCP already leads to 127.0.0.9:22')
  expect([open(), exitCode]).toEqual([['TCP 22'], 2])
})

it('each of several ports has its own cause, and the others are made', async () => {
  const { run } = await routerWith(['127.0.0.8', '22', 'TCP'], ['127.0.0.9', '23', 'UDP'])
  const { stderr, exitCode } = await run('-r', '22', 'TCP', '80', 'TCP', '23', 'UDP')
  expect(stderr.match(/leads to [\d.:]+/g)).toEqual(['leads to 127.0.0.8:22', 'leads to 127.0.0.9:23'])
  expect(exitCode).toBe(2)
})

it('--json has the facts, and --quiet the hint', async () => {
  const { run } = await routerWith(['127.0.0.9', '22', 'TCP'])
  const { stdout } = await run('--json', '-r', '22', 'TCP')
  const failed = stdout.split('\n').find((line) => line.includes('map-failed')) ?? ''
  const mapping = { externalPort: 22, internalClient: '127.0.0.9', internalPort: 22, description: 'upnp-ts' }
  expect(JSON.parse(failed)).toMatchObject({ error: { number: 718 }, cause: { kind: 'port-taken', mapping } })
  expect((await run('--quiet', '-r', '22', 'TCP')).stderr).toContain('already leads to 127.0.0.9:22')
})

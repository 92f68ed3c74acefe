/** A port that was opened from an address that DHCP has taken away. The emulated router still has it for that address. */
import { afterEach, describe, expect, it } from 'vitest'
import { keptMappings } from '../../../src/client/mapping-memory.ts'
import type { GatewayProtocol } from '../../../src/domain/port-mapping.ts'
import { type Emulator, type EmulatorOptions, startEmulator } from '../../../src/emulator.ts'
import { RunningKeeper } from '../../../src/library/keeping/running-keepers.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { runCli } from '../../support/run-cli.ts'

const EARLIER = '127.0.0.9'
const HERE = 'here'
const KEY = { externalPort: 8080, protocol: 'TCP', remoteHost: '' } as const

let emulator: Emulator | undefined
afterEach(() => emulator?.close())

interface Past {
  /** The computer that has opened it; undefined for another program. */
  readonly computer?: string | undefined
  readonly options?: EmulatorOptions
}

/** External port 8080 leads to port 80 of the earlier address, and this user has made that in this protocol. */
async function leftOver(via: GatewayProtocol, { computer, options }: Past) {
  emulator = await startEmulator(options)
  const { descriptionUrl, portControl } = emulator
  const [files, clock, router] = [memoryFiles(), new FakeClock(), emulator]
  const endpoint = `${portControl?.address}:${portControl?.port}`
  const way = via === 'igd' ? ['-u', descriptionUrl] : ['--via', via, '--gateway', endpoint]
  const run = (...words: string[]) => runCli([...way, ...words], { files, clock, computerName: HERE })
  await runCli(['-u', descriptionUrl, '-a', EARLIER, '80', '8080', 'TCP', '3600'], { files })
  const identity = async () => (via === 'igd' ? `uuid:${options?.uuid}` : '')
  const memory = keptMappings(files, clock, { address: '127.0.0.1', via, identity, computer })
  const inside = { internalClient: EARLIER, internalPort: 80, isForThisComputer: true }
  if (computer !== undefined) await memory.remember({ ...KEY, ...inside, leaseSeconds: 3600 })
  const leads = () => router.mappings().map((each) => `${each.externalPort} ${each.internalClient}`)
  return { run, leads, files, clock }
}

const UUID = '11111111-2222-3333-4444-555555555555'
const ENDS = new Date(new FakeClock().wallMs() + 3_600_000)

describe('over UPnP', () => {
  it('is closed, and opened for this computer as it is now', async () => {
    const { run, leads } = await leftOver('igd', { computer: HERE, options: { uuid: UUID } })
    const { stderr, stdout, exitCode } = await run('-r', '80', '8080', 'TCP')
    expect(stderr).toBe(
      `hint: the port was still open for ${EARLIER}, an earlier address of this computer: that is closed now\n`,
    )
    expect(stdout).toContain('TCP is redirected to internal 127.0.0.1:80')
    expect([leads(), exitCode]).toEqual([['8080 127.0.0.1'], 0])
  })

  it('is told if the router does not let this computer close it', async () => {
    const quirks = [{ name: 'refuse', operation: 'DeletePortMapping', code: 606 }] as const
    const { run, leads } = await leftOver('igd', { computer: HERE, options: { uuid: UUID, quirks } })
    const { stderr, exitCode } = await run('-r', '80', '8080', 'TCP')
    expect(stderr).toContain(
      `hint: ${EARLIER}, an earlier address of this computer, still has that port, until ${ENDS.toISOString()}, and ` +
        'nobody else can close it; take another external port, or wait\n',
    )
    expect([leads(), exitCode]).toEqual([[`8080 ${EARLIER}`], 2])
  })

  it.each([
    ['another computer with the same files', 'another'],
    ['another program', undefined],
  ])('is left alone if it is of %s', async (_, computer) => {
    const { run, leads } = await leftOver('igd', { computer, options: { uuid: UUID } })
    const { stderr, exitCode } = await run('-r', '80', '8080', 'TCP')
    expect(stderr).toContain(`hint: external port 8080 TCP already leads to ${EARLIER}:80 `)
    expect([leads(), exitCode]).toEqual([[`8080 ${EARLIER}`], 2])
  })

  it('is left alone if a running keeper keeps it', async () => {
    const { run, leads, files, clock } = await leftOver('igd', { computer: HERE, options: { uuid: UUID } })
    new RunningKeeper(files, clock, 'one').hold('127.0.0.1', [KEY])
    expect((await run('-r', '80', '8080', 'TCP')).stderr).toContain(`already leads to ${EARLIER}:80 `)
    expect(leads()).toEqual([`8080 ${EARLIER}`])
  })

  it.each([
    ['leads to another port', '81', []],
    ['has another description', '80', ['-e', 'game']],
  ])('is left alone if it %s by now', async (_, port, words) => {
    const { run, leads } = await leftOver('igd', { computer: HERE, options: { uuid: UUID } })
    await runCli(['-u', emulator?.descriptionUrl ?? '', ...words, '-a', EARLIER, port, '8080', 'TCP', '3600'])
    expect((await run('-r', '80', '8080', 'TCP')).stderr).toContain(`already leads to ${EARLIER}:${port} `)
    expect(leads()).toEqual([`8080 ${EARLIER}`])
  })
})

describe.each(['pcp', 'nat-pmp'] as const)('over %s, which closes it only from its own address', (via) => {
  it('is told, with the end of its lease', async () => {
    const { run, leads } = await leftOver(via, { computer: HERE })
    const { stderr, exitCode } = await run('-r', '80', '8080', 'TCP')
    expect(stderr).toContain(
      `${EARLIER}, an earlier address of this computer, still has that port, until ${ENDS.toISOString()}`,
    )
    expect([leads(), exitCode]).toEqual([[`8080 ${EARLIER}`], 2])
    const { stdout } = await run('--json', '-r', '80', '8080', 'TCP')
    const failed = stdout.split('\n').find((line) => line.includes('map-failed')) ?? ''
    const cause = { kind: 'left-behind', internalClient: EARLIER, internalPort: 80, ends: ENDS.toISOString() }
    expect(JSON.parse(failed).cause).toEqual(cause)
  })

  it('is not told of another computer', async () => {
    const { run } = await leftOver(via, { computer: 'another' })
    expect((await run('-r', '80', '8080', 'TCP')).stderr).not.toContain('earlier address')
  })

  it('is no hindrance to another port', async () => {
    const { run, leads } = await leftOver(via, { computer: HERE })
    expect((await run('-n', '@', '80', '8080', 'TCP')).exitCode).toBe(0)
    expect(leads()).toEqual([`8080 ${EARLIER}`, '8081 127.0.0.1'])
  })
})

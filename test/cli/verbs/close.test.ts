/** close: whole runs at an emulated gateway, in all three protocols; what they report, as data. */
import { afterEach, describe, expect, it } from 'vitest'
import { type Emulator, startEmulator } from '../../../src/emulator.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import { runCli } from '../../support/run-cli.ts'

const closing: Emulator[] = []
afterEach(async () => {
  for (const emulator of closing.splice(0)) await emulator.close()
})

const VIAS = ['igd', 'pcp', 'nat-pmp'] as const

async function start(via: (typeof VIAS)[number]) {
  const emulator = await startEmulator()
  closing.push(emulator)
  const files = memoryFiles()
  const where =
    via === 'igd'
      ? ['-u', emulator.descriptionUrl]
      : ['--via', via, '--gateway', `127.0.0.1:${emulator.portControl?.port}`]
  /** What is reported of ports, and the exit code. */
  const run = async (...argv: string[]) => {
    const { stdout, exitCode } = await runCli(['--json', ...where, ...argv], { files })
    const reports = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const told = reports.filter(({ type }) => /^(unmapped|unmap-failed|notice|error)$/.test(type))
    const lines = told.map(({ type, kind, key, externalPort, protocols }) =>
      [kind ?? type, key?.externalPort ?? externalPort, key?.protocol ?? protocols?.join('+')]
        .filter(Boolean)
        .join(' '),
    )
    return [...lines, exitCode]
  }
  return { emulator, run }
}

describe.each(VIAS)('close over %s', (via) => {
  it('closes what was opened, in the protocol in which it is open', async () => {
    const { run } = await start(via)
    await run('-r', '25565', 'UDP')
    expect(await run('close', '25565')).toEqual(['unmapped 25565 UDP', 0])
  })

  it('closes both protocols of a port', async () => {
    const { run } = await start(via)
    await run('-r', '53', 'TCP+UDP')
    expect(await run('close', '53')).toEqual(['unmapped 53 UDP', 'unmapped 53 TCP', 0])
  })

  it('closes one protocol, if one is named, and leaves the other', async () => {
    const { run } = await start(via)
    await run('-r', '53', 'TCP+UDP')
    expect(await run('close', '53/udp')).toEqual(['unmapped 53 UDP', 0])
    expect(await run('close', '53')).toEqual(['unmapped 53 TCP', 0])
  })

  it('closes the ports of a range', async () => {
    const { run } = await start(via)
    await run('-r', '27015-27016', 'UDP')
    expect(await run('close', '27015-27016/udp')).toEqual(['unmapped 27015 UDP', 'unmapped 27016 UDP', 0])
  })

  it('closes what it has opened for another computer', async () => {
    if (via === 'nat-pmp') return // opens ports only for who asks
    const { run } = await start(via)
    await run('-a', '127.0.0.9', '80', '8080', 'TCP')
    expect(await run('close', '8080')).toEqual(['unmapped 8080 TCP', 0])
  })
})

describe('close', () => {
  it('leaves alone what leads to another computer', async () => {
    const { emulator, run } = await start('igd')
    emulator.addMapping({ externalPort: 80, protocol: 'TCP', internalClient: '192.168.1.31', internalPort: 80 })
    expect(await run('close', '80')).toEqual(['another-computers 80 TCP', 2])
    expect(await run('close', '80/tcp')).toEqual(['another-computers 80 TCP', 2])
    expect(await run('-d', '80', 'TCP')).toEqual(['unmapped 80 TCP', 0])
  })

  it('says that nothing is open, which is what was wanted', async () => {
    const { run } = await start('igd')
    expect(await run('close', '80')).toEqual(['nothing-open 80 UDP+TCP', 0])
    expect(await run('close', '80/udp', '81/tcp')).toEqual(['nothing-open 80 UDP', 'nothing-open 81 TCP', 0])
  })

  it('asks for it if nobody knows whether it is open, and says so', async () => {
    const { run } = await start('nat-pmp')
    const told = ['unmapped 80 UDP', 'deleted-unknown 80 UDP', 'unmapped 80 TCP', 'deleted-unknown 80 TCP']
    expect(await run('close', '80')).toEqual([...told, 0])
  })
})

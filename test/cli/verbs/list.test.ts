/** list and status in plain words: whole answers at an emulated gateway. */
import { afterEach, describe, expect, it } from 'vitest'
import { type Emulator, type EmulatorOptions, startEmulator } from '../../../src/emulator.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import { runCli } from '../../support/run-cli.ts'

const closing: Emulator[] = []
afterEach(async () => {
  for (const emulator of closing.splice(0)) await emulator.close()
})

/** A terminal of so many columns, or none. */
function terminal(columns: number | undefined) {
  const written = { text: '' }
  const stdout = {
    write: (text: string) => {
      written.text += text
    },
    on: () => {},
    columns,
  }
  return { stdout, written }
}

async function start(via: 'igd' | 'pcp' | 'nat-pmp' = 'igd', options: EmulatorOptions = {}) {
  const emulator = await startEmulator(options)
  closing.push(emulator)
  const files = memoryFiles()
  const where =
    via === 'igd'
      ? ['-u', emulator.descriptionUrl]
      : ['--via', via, '--gateway', `127.0.0.1:${emulator.portControl?.port}`]
  const run = async (argv: readonly string[], columns?: number) => {
    const { stdout, written } = terminal(columns)
    const { stderr, exitCode } = await runCli([...where, ...argv], { files, stdout })
    const text = written.text.replaceAll(/\d{1,2} \w{3} \d\d:\d\d /g, (date) => 'DATE'.padEnd(date.length))
    return `${text}${stderr.replace(/^(?=.)/gm, '! ')}= ${exitCode}`
  }
  return { emulator, run }
}

const LONG = 'Transmission at 51413, a client of BitTorrent'

describe('list', () => {
  it('is a table, whose own rows are marked', async () => {
    const { emulator, run } = await start()
    const other = { internalClient: '192.168.1.31', description: LONG }
    emulator.addMapping({ externalPort: 51413, protocol: 'UDP', internalPort: 51413, ...other })
    await run(['open', '2222:22'])
    expect(await run(['list'])).toBe(`  Port       Leads to               Until         Opened by
  51413 UDP  192.168.1.31:51413     DATE          Transmission at 51413, a client of BitTorrent
*  2222 TCP  127.0.0.1:22           DATE          upnp-ts
2 ports are open, and one of them leads to this computer (*).
= 0`)
  })

  it.each([60, 80, 200])('fits a terminal of %i columns', async (columns) => {
    const { emulator, run } = await start()
    const descriptions = [LONG, '\u6e38\u620f\u670d\u52a1\u5668'.repeat(12), 'e\u0301'.repeat(90)]
    for (const [at, description] of descriptions.entries()) {
      const where = { internalClient: '192.168.131.131', internalPort: 51413 }
      emulator.addMapping({ externalPort: 51413 + at, protocol: 'UDP', ...where, description })
    }
    const lines = (await run(['list'], columns)).split('\n').slice(0, 4)
    const wide = (line: string): number => [...line.matchAll(/\p{Script=Han}/gu)].length
    for (const line of lines) expect([...line.replaceAll('\u0301', '')].length + wide(line)).toBeLessThan(columns)
    expect(lines[1]?.endsWith('\u2026')).toBe(columns < 90)
  })

  it('says that nothing is open, and how to open a port', async () => {
    const { run } = await start()
    expect(await run(['list'])).toBe('No port is open. To open one: upnp-ts open 25565\n= 0')
  })

  it.each(['pcp', 'nat-pmp'] as const)('has over %s what was opened with upnp-ts', async (via) => {
    const { run } = await start(via)
    await run(['open', '25565'])
    expect(await run(['list'])).toBe(`  Port       Leads to               Until         Opened by
* 25565 TCP  127.0.0.1:25565        DATE          upnp-ts
The router cannot tell what it has open. These are the ports that were opened with upnp-ts.
One port is open, and leads to this computer (*).
= 0`)
  })

  it('shows nothing of the router that could harm a terminal', async () => {
    const { emulator, run } = await start()
    const where = { internalClient: '192.168.1.31', internalPort: 1 }
    emulator.addMapping({ externalPort: 1, protocol: 'TCP', ...where, description: 'a\u202eb\u009b31m' })
    expect(await run(['list'])).toContain('a\\u202eb\\x9b31m')
  })
})

describe('status', () => {
  it('says who the router is, what it speaks, and whether the internet comes in', async () => {
    const { run } = await start('igd', { uptimeSeconds: 7250 })
    expect(await run(['status'])).toBe(`  Your router          127.0.0.1
  It speaks            UPnP
  It is connected      yes, for 2 hours
  Its address          11.22.33.44
  From the internet    a port that is open can be reached at that address
  This computer        127.0.0.1
= 0`)
  })

  it('says that the router has no address', async () => {
    const { emulator, run } = await start('igd', { uptimeSeconds: 7250 })
    await emulator.setExternalAddress('0.0.0.0')
    expect(await run(['status'])).toContain('! The router has no address on the internet now: nobody there can reach')
    expect(await run(['status'])).not.toContain('not connected')
  })

  it('says that another NAT is in front of the router', async () => {
    const { emulator, run } = await start('pcp')
    await emulator.setExternalAddress('100.64.3.7')
    const told = await run(['status'])
    expect(told).toContain('Its address          100.64.3.7\n')
    expect(told).not.toContain('can be reached')
    expect(told).toContain('another router or the NAT of the provider is in front of it')
  })
})

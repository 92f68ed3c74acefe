/** Whether -r, -a and -n say that nobody listens on the port that they opened. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { whyUnreached } from '../../../src/cli/run/listening.ts'
import { type Emulator, startEmulator } from '../../../src/emulator.ts'
import { type Listener, type Listeners, NOTHING_KNOWN } from '../../../src/net/tables/listeners.ts'
import { runCli } from '../../support/run-cli.ts'

const OWN = '127.0.0.1' // on the way to the emulated gateway

function listening(...listeners: Listener[]): Listeners {
  return { listeners, areAll: true }
}

const on = (port: number, address = '0.0.0.0', protocol: Listener['protocol'] = 'TCP') => ({ protocol, address, port })

describe('a port of this computer', () => {
  const of = (listeners: Listeners, ...protocols: Listener['protocol'][]) =>
    whyUnreached(listeners, { protocols, address: '192.168.1.20', port: 25565 })

  it('is reached by the program that listens on it', () => {
    expect(of(listening(on(25565)), 'TCP')).toBeUndefined()
    expect(of(listening(on(25565)), 'UDP')).toEqual({ kind: 'nobody-listens', protocol: 'UDP', port: 25565 })
  })

  it('is reached over TCP and UDP if a program takes one of them', () => {
    expect(of(listening(on(25565)), 'TCP', 'UDP')).toBeUndefined()
    expect(of(listening(on(25565, '::', 'UDP')), 'TCP', 'UDP')).toBeUndefined()
    expect(of(listening(), 'TCP', 'UDP')).toEqual({ kind: 'nobody-listens', protocol: 'TCP+UDP', port: 25565 })
  })

  it('is not reached if the program listens somewhere else', () => {
    const local = listening(on(25565, '127.0.0.1', 'UDP'))
    expect(of(local, 'TCP', 'UDP')).toEqual({ kind: 'listens-on-loopback-only', protocol: 'UDP', port: 25565 })
    const facts = { protocol: 'TCP', port: 25565, address: '10.8.0.2', localAddress: '192.168.1.20' }
    expect(of(listening(on(25565, '10.8.0.2')), 'TCP')).toEqual({ kind: 'listens-elsewhere', ...facts })
  })

  it('is one of which nothing is said if nothing is known', () => {
    expect(of(NOTHING_KNOWN, 'TCP', 'UDP')).toBeUndefined()
  })
})

describe('the command line', () => {
  let emulator: Emulator
  beforeAll(async () => {
    emulator = await startEmulator()
  })
  afterAll(() => emulator.close())

  async function hints(found: Listeners | undefined, ...argv: string[]) {
    let readings = 0
    const listeners = async () => {
      readings++
      return found ?? NOTHING_KNOWN
    }
    const { stderr, exitCode } = await runCli(['-u', emulator.descriptionUrl, ...argv], { listeners })
    const unreached = stderr.split('\n').filter((line) => /listens|localhost/.test(line))
    return { unreached, readings, exitCode }
  }

  const hintOf = (port: string) => `hint: nothing on this computer listens on port ${port} yet`

  it.each([
    [['-r', '25565', 'TCP'], [hintOf('25565 TCP')]],
    [['-a', '@', '25565', '25566', 'UDP'], [hintOf('25565 UDP')]],
    [['-a', OWN, '25565', '25567', 'TCP'], [hintOf('25565 TCP')]],
    [['-n', '@', '25565', '25568', 'TCP'], [hintOf('25565 TCP')]],
    [['-r', '7777', 'TCP+UDP'], [hintOf('7777 TCP or UDP')]],
    [
      ['-r', '7001', 'TCP', '7002', 'TCP', '80', 'TCP'],
      [hintOf('7001 TCP'), hintOf('7002 TCP')],
    ],
  ])('%j says that nobody listens', async (argv, unreached) => {
    expect(await hints(listening(on(80)), ...argv)).toEqual({ unreached, readings: 1, exitCode: 0 })
  })

  it('says that a program is there for this computer only', async () => {
    const found = listening(on(25570, '127.0.0.2'))
    expect((await hints(found, '-r', '25570', 'TCP')).unreached).toEqual([
      'hint: the program on port 25570 TCP can be reached from this computer only: tell it to listen on all addresses, ' +
        'and not just on localhost',
    ])
  })

  it.each([
    ['somebody listens', listening(on(25571)), ['-r', '25571', 'TCP']],
    ['it is not known', undefined, ['-r', '25572', 'TCP']],
    ['the port leads to another computer', listening(), ['-a', '127.0.0.9', '25573', '25573', 'TCP']],
    ['nothing is opened', listening(), ['-l']],
  ])('says nothing if %s', async (_name, found, argv) => {
    expect((await hints(found, ...argv)).unreached).toEqual([])
  })

  it('does not say it with --quiet, because it is never why a command fails', async () => {
    const quirks = [{ name: 'refuse', operation: 'AddPortMapping', code: 606, times: 1 }] as const
    const run = async (...more: string[]) => {
      const { descriptionUrl, close } = await startEmulator({ quirks })
      const argv = ['-u', descriptionUrl, '-r', '25575', 'TCP', '25576', 'TCP', ...more]
      return runCli(argv, { listeners: async () => listening() }).finally(close)
    }
    expect(await run()).toMatchObject({ stderr: expect.stringContaining(hintOf('25576 TCP')), exitCode: 2 })
    expect(await run('--quiet')).toMatchObject({ stderr: expect.not.stringContaining('listens'), exitCode: 2 })
  })

  it('says nothing about what an emulated router opens, and does not look', async () => {
    let readings = 0
    const listeners = async () => {
      readings++
      return listening()
    }
    const { stderr } = await runCli(['--emulate', '-r', '25565', 'TCP'], { listeners })
    expect([stderr, readings]).toEqual(['', 0])
  })

  it('says it in JSON too', async () => {
    const listeners = async () => listening()
    const argv = ['--json', '-u', emulator.descriptionUrl, '-r', '25580', 'TCP']
    const { stdout, stderr } = await runCli(argv, { listeners })
    const last = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
    expect(last).toMatchObject({ type: 'notice', kind: 'nobody-listens', protocol: 'TCP', port: 25580 })
    expect(stderr).toBe('')
  })
})

/** `open`, whole answers: what a person reads, and the exit code, on an emulated gateway in all three protocols. */
import { afterEach, describe, expect, it } from 'vitest'
import type { Surroundings } from '../../../src/cli/surroundings.ts'
import { type Emulator, type EmulatorOptions, startEmulator } from '../../../src/emulator.ts'
import { systemClock } from '../../../src/net/clock.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import { runCli } from '../../support/run-cli.ts'

const closing: Emulator[] = []
afterEach(async () => {
  for (const emulator of closing.splice(0)) await emulator.close()
})

/** 2026-11-29 10:14 in local time. */
const NOW_MS = new Date(2026, 10, 29, 10, 14, 30).getTime()
const clock = { ...systemClock, wallMs: () => NOW_MS }

type Via = 'igd' | 'pcp' | 'nat-pmp'
const VIAS: readonly Via[] = ['igd', 'pcp', 'nat-pmp']

interface Setting extends EmulatorOptions {
  readonly via?: Via
  readonly surroundings?: Partial<Surroundings>
}

/** A gateway, and runs of one user. What differs from run to run is left out of what they print. */
async function setting({ via = 'igd', surroundings = {}, ...options }: Setting = {}) {
  const emulator = await startEmulator({ externalAddress: '203.0.113.7', ...options })
  closing.push(emulator)
  const files = memoryFiles()
  const where =
    via === 'igd'
      ? ['--url', emulator.descriptionUrl]
      : ['--via', via, '--gateway', `127.0.0.1:${emulator.portControl?.port}`]
  const open = async (...words: string[]) => {
    const { stdout, stderr, exitCode } = await runCli(['open', ...words, ...where], { files, clock, ...surroundings })
    const steady = (text: string) => text.replaceAll(` ${where.join(' ')}`, '')
    return `${steady(stdout)}${stderr === '' ? '' : `--- stderr\n${steady(stderr)}`}--- ${exitCode}\n`
  }
  return { emulator, open }
}

describe('open', () => {
  it('says where friends connect to, where it leads, and until when', async () => {
    const { open } = await setting()
    expect(await open('25565')).toBe(`Your router now lets port 25565 TCP in.
  Friends connect to   203.0.113.7:25565
  It leads to          this computer (127.0.0.1), port 25565
  Until                6 December, 10:14; add --keep to keep it open
--- 0
`)
  })

  it.each(['pcp', 'nat-pmp'] as const)('says the same over %s', async (via) => {
    const { open } = await setting({ via })
    expect(await open('25565')).toBe(`Your router now lets port 25565 TCP in.
  Friends connect to   203.0.113.7:25565
  It leads to          this computer (127.0.0.1), port 25565
  Until                29 November, 12:14; add --keep to keep it open
--- 0
`)
  })

  it.each(VIAS)('says over %s that nobody can reach an address that is not of the internet', async (via) => {
    const { open } = await setting({ via, externalAddress: '100.64.3.7' })
    expect(await open('25565', '--for', '2h')).toBe(`Your router now lets port 25565 TCP in.
  It leads to          this computer (127.0.0.1), port 25565
  Until                29 November, 12:14; add --keep to keep it open
The internet cannot reach it: another NAT is in front of your router (100.64.3.7).
--- stderr
What helps:
  ask your provider for an IPv4 address of your own (a public one), or try IPv6 alone: add --ipv6
  if there is a second router or a modem in front of it, open the port there too
--- 0
`)
  })

  it('names a second router first if the address is one of a home', async () => {
    const { open } = await setting({ externalAddress: '192.168.2.9' })
    expect(await open('25565')).toContain(`What helps:
  if there is a second router or a modem in front of it, open the port there too
`)
  })

  it('says that a router without an address reaches nobody', async () => {
    const { open } = await setting({ externalAddress: '0.0.0.0' })
    expect(await open('25565')).toContain(`The internet cannot reach it: your router has no internet address.
--- stderr
  It is not connected, or it is behind another router: then open the port there too.
--- 0
`)
  })

  it.each(VIAS)('tells of several ports in one answer over %s', async (via) => {
    const { open } = await setting({ via })
    expect(await open('2222:22', '53/both', '27015-27018/udp', '--for', '2h')).toBe(
      `Your router now lets ports 2222 TCP, 53 TCP+UDP and 27015-27018 UDP in.
  Friends connect to   203.0.113.7:2222 (TCP), leads to port 22
                       203.0.113.7:53 (TCP and UDP)
                       203.0.113.7, ports 27015-27018 (UDP)
  Friends type         ssh -p 2222 you@203.0.113.7
  They lead to         this computer (127.0.0.1)
  Until                29 November, 12:14; add --keep to keep them open
--- 0
`,
    )
  })

  it('sums up a hundred ports', async () => {
    const { open } = await setting()
    expect(await open('27000-27099/udp', '--for', '7d')).toBe(`Your router now lets ports 27000-27099 UDP in.
  Friends connect to   203.0.113.7, ports 27000-27099
  They lead to         this computer (127.0.0.1), ports 27000-27099
  Until                6 December, 10:14; add --keep to keep them open
--- 0
`)
  })

  it('tells of the line that a friend types', async () => {
    const { open } = await setting()
    expect(await open('8080')).toContain('  Friends type         http://203.0.113.7:8080/\n')
    expect(await open('2222', '--as', 'ssh')).toContain('  Friends type         ssh -p 2222 you@203.0.113.7\n')
  })

  it('says for whom, and to whom', async () => {
    const { open } = await setting()
    expect(await open('80', '--only', '198.51.100.9', '--to', '192.168.1.31')).toBe(
      `Your router now lets port 80 TCP in, for 198.51.100.9 only.
  Friends connect to   203.0.113.7:80
  Friends type         http://203.0.113.7/
  It leads to          192.168.1.31, port 80
  Until                6 December, 10:14; add --keep to keep it open
--- 0
`,
    )
  })

  it('tells an end that is near to the second', async () => {
    const { open } = await setting()
    expect(await open('25565', '--for', '20')).toContain('  Until                29 November, 10:14:50; add --keep')
  })

  it('says that nothing listens there', async () => {
    const listeners = async () => ({ listeners: [], areAll: true })
    const { open } = await setting({ surroundings: { listeners } })
    expect(await open('25565')).toContain('Nothing on this computer listens on port 25565 yet.\n--- 0')
    expect(await open('25570-25572', '53/both')).toContain(
      'Nothing on this computer listens on ports 25570-25572 and 53 TCP or UDP yet.\n--- 0',
    )
    expect(await open('81', '81/udp')).toContain('Nothing on this computer listens on port 81 TCP or UDP yet.\n--- 0')
  })
})

describe('open PORT/both', () => {
  it('does not call one half open that was closed again because the other one is taken', async () => {
    const { emulator, open } = await setting()
    emulator.addMapping({ externalPort: 53, protocol: 'TCP', internalClient: '192.168.1.31' })
    const answer = await open('53/both')
    expect(emulator.mappings()).toHaveLength(1)
    expect(answer).not.toContain('Your router now lets')
    expect(answer).toMatch(/^--- stderr\nPort 53 TCP is taken: .*--- 2\n$/s)
    expect(await open('53/both', '--print', 'endpoint')).toMatch(/^--- stderr\n.*--- 2\n$/s)
    expect(await open('53/both', '--external', 'any')).toMatch(
      /^Your router now lets port \d+ TCP and UDP in\.\n[^-]*; add --keep to keep it open\n--- 0\n$/,
    )
    expect(await open('53/both', '--external', 'any', '--print', 'endpoint')).toMatch(
      /^203\.0\.113\.7:\d+\n--- stderr\n.*--- 0\n$/s,
    )
  })

  it('nor over IPv6', async () => {
    const emulator = await startEmulator({ maxPinholes: 1 })
    closing.push(emulator)
    for (const words of [[], ['--print', 'endpoint']]) {
      const { stdout, exitCode } = await runCli(['open', '53/both', '--ipv6', ...words], { ...emulator.net, clock })
      expect(emulator.pinholes()).toEqual([])
      expect([stdout, exitCode]).toEqual(['', 2])
    }
  })
})

describe('open over IPv6', () => {
  const onLink = async (options: EmulatorOptions = {}) => {
    const emulator = await startEmulator({ externalAddress: '203.0.113.7', ...options })
    closing.push(emulator)
    return async (...words: string[]) => {
      const { stdout, stderr, exitCode } = await runCli(['open', ...words], { ...emulator.net, clock })
      return `${stdout}${stderr === '' ? '' : `--- stderr\n${stderr}`}--- ${exitCode}\n`
    }
  }

  it('comes beside IPv4 if this computer has such an address, for the same port inside', async () => {
    const open = await onLink()
    expect(await open('2222:22')).toBe(`Your router now lets port 2222 TCP in.
  Friends connect to   203.0.113.7:2222
  Friends type         ssh -p 2222 you@203.0.113.7
  It leads to          this computer (127.0.0.1), port 22
  Until                6 December, 10:14; add --keep to keep it open
Over IPv6 friends connect to [2001:db8::2]:22, until 30 November, 10:14.
--- 0
`)
  })

  it('is left alone with --ipv4', async () => {
    const open = await onLink()
    expect(await open('25565', '--ipv4')).not.toContain('IPv6')
  })

  it('is the whole answer with --ipv6', async () => {
    const open = await onLink()
    expect(await open('53/both', '--ipv6', '--for', '2h')).toBe(`Your router now lets port 53 TCP and UDP in over IPv6.
  Friends connect to   [2001:db8::2]:53 (TCP and UDP)
  It leads to          this computer (2001:db8::2), port 53
  Until                29 November, 12:14; add --keep to keep it open
--- 0
`)
  })

  it('is no failure of the command if nobody asked for it', async () => {
    const open = await onLink({ inboundPinholeAllowed: false })
    const answer = await open('25565', '53/both')
    expect(answer).toContain('Your router now lets ports 25565 TCP and 53 TCP+UDP in.\n')
    expect(answer).toMatch(
      /^Over IPv6: not opened, it was refused: .*\(error 703, InboundPinholeNotAllowed\)\.\n--- 0\n$/m,
    )
    expect(answer.match(/Over IPv6/g)).toHaveLength(1)
  })

  it('is a failure of the command with --ipv6', async () => {
    const open = await onLink({ inboundPinholeAllowed: false })
    expect(await open('25565', '--ipv6')).toMatch(
      /^--- stderr\nPort 25565 TCP over IPv6 was refused: .*\n {2}upnp-ts help troubleshooting .*\n--- 2\n$/,
    )
  })

  it('has the same rows in JSON as -A', async () => {
    const open = await onLink()
    const rows = (await open('25565', '--json')).split('\n').slice(0, -2)
    const types = rows.map((row) => JSON.parse(row).type)
    expect(types).toEqual(['device', 'gateway', 'local-address', 'external-address', 'mapped', 'pinhole-added'])
    expect(JSON.parse(rows[4] ?? '')).toMatchObject({ reachable: true, externalAddress: '203.0.113.7' })
  })
})

describe('open --print endpoint', () => {
  it.each(VIAS)('prints where each port is reached and nothing else over %s', async (via) => {
    const { open } = await setting({ via })
    expect(await open('25565', '2222:22', '53/both', '--print', 'endpoint')).toBe(
      '203.0.113.7:25565\n203.0.113.7:2222\n203.0.113.7:53\n--- 0\n',
    )
  })

  it('prints nothing on stdout, says why, and fails if the internet cannot reach it', async () => {
    const { open } = await setting({ externalAddress: '100.64.3.7' })
    const answer = await open('25565', '--print', 'endpoint')
    expect(answer).toMatch(/^--- stderr\n/)
    expect(answer).toContain('The internet cannot reach it: another NAT is in front of your router (100.64.3.7).\n')
    expect(answer).toMatch(/--- 2\n$/)
  })
})

describe('JSON of open', () => {
  it.each([
    ['203.0.113.7', true],
    ['100.64.3.7', false],
    ['0.0.0.0', false],
  ])('says of %s whether the internet can reach it', async (externalAddress, reachable) => {
    const { open } = await setting({ externalAddress })
    const rows = (await open('25565', '--json')).split('\n').slice(0, -2)
    expect(JSON.parse(rows.find((row) => row.includes('"mapped"')) ?? '')).toMatchObject({ type: 'mapped', reachable })
  })
})

describe('nobody found', () => {
  it('says what may be the matter, and what to read next', async () => {
    const { stdout, stderr, exitCode } = await runCli(['open', '25565'])
    expect([stdout, stderr, exitCode]).toEqual([
      '',
      'This computer is on no network. Is the cable in, is Wi-Fi on?\n',
      1,
    ])
  })

  it('offers to go on with a router that is not connected', async () => {
    const emulator = await startEmulator({ connectionStatus: 'Disconnected', pcp: false, natPmp: false })
    closing.push(emulator)
    const { stdout, stderr, exitCode } = await runCli(['open', '25565', '--ipv4'], emulator.net)
    expect([stdout, stderr, exitCode]).toEqual([
      '',
      `Your router (127.0.0.1) says that it is not connected to the internet.
  upnp-ts open --ignore 25565 --ipv4   goes on all the same
`,
      1,
    ])
  })
})

describe('a port that is taken', () => {
  it('is named with who has it, and with the command that takes another one', async () => {
    const { emulator, open } = await setting()
    emulator.addMapping({
      externalPort: 25565,
      protocol: 'TCP',
      internalClient: '192.168.1.31',
      internalPort: 25565,
      description: 'Minecraft',
    })
    expect(await open('25565', '--for', '2h')).toBe(`--- stderr
Port 25565 TCP is taken: your router sends it to 192.168.1.31 ('Minecraft').
  upnp-ts open --external any 25565 --for 2h   takes another port outside
--- 2
`)
    expect(await open('25565', '--external', 'any')).toContain('(25565 was not free).\n')
  })
})

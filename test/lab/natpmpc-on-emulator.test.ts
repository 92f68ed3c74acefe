/** `upnp-ts emulate` in place of the router of a lab: natpmpc and upnp-ts, on another host, get from it what they ask. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { belowBanner } from './banner.ts'
import { COMPUTER, COMPUTER_SECOND, Lab, upnpTsCommand } from './lab.ts'
import { mappedLine, natpmpc } from './natpmpc-output.ts'
import { DELETED, found, redirected, says } from './port-control-text.ts'
import { letAnotherTake } from './router-doors.ts'

const THEIRS = `TCP 2222->${COMPUTER_SECOND}:2222`
/** It heeds PREFER_FAILURE; NAT-PMP has no such word, and what it offers instead is given back. */
const REFUSED = {
  pcp: `PCP MAP(2222, 22, ${COMPUTER}) failed with code 11 (CANNOT_PROVIDE_EXTERNAL)\n`,
  'nat-pmp': '',
} as const

describe('at upnp-ts emulate', { timeout: 60_000 }, () => {
  let lab: Lab
  const listed = async (): Promise<string[]> => {
    const { stdout } = await lab.upnpTs('-l')
    return [...stdout.matchAll(/^ \d+ (\w+) +(\d+->\S+)/gm)].map(([, protocol, door]) => `${protocol} ${door}`)
  }
  beforeAll(async () => {
    lab = await Lab.up()
    await lab.stopRouter()
    const emulator = lab.spawn('router', upnpTsCommand('emulate', '--address', '192.168.86.1'))
    await emulator.says(/^It speaks PCP and NAT-PMP on UDP port 5351\..+searches/m, undefined, 'stderr')
  })
  afterAll(() => lab.down())

  test('natpmpc gets the external address, also where it looks for the gateway itself', async () => {
    expect(await natpmpc(lab)).toEqual({ address: '11.22.33.44', mapped: undefined })
    const { stdout, stderr, exit } = await lab.on('computer', ['natpmpc'])
    expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 })
    expect(stdout).toContain('using gateway : 192.168.86.1\n')
    expect(stdout).toContain('Public IP address : 11.22.33.44\n')
  })

  test('natpmpc maps, extends and deletes', async () => {
    for (const lease of [600, 1200]) {
      const { mapped } = await natpmpc(lab, '-a', '2222', '22', 'tcp', `${lease}`)
      expect(mapped).toBe(mappedLine(2222, 'TCP', 22, lease))
    }
    expect((await natpmpc(lab, '-a', '5353', '53', 'udp', '600')).mapped).toBe(mappedLine(5353, 'UDP', 53, 600))
    expect((await listed()).sort()).toEqual([`TCP 2222->${COMPUTER}:22`, `UDP 5353->${COMPUTER}:53`])
    for (const _ of ['there', 'not there any more']) {
      expect((await natpmpc(lab, '-a', '2222', '22', 'tcp', '0')).mapped).toBe(mappedLine(0, 'TCP', 22, 0))
    }
    expect((await natpmpc(lab, '-a', '0', '0', 'udp', '0')).mapped).toBe(mappedLine(0, 'UDP', 0, 0))
    expect(await listed()).toEqual([])
  })

  test('natpmpc and -n are given another port for one that is taken, and -r none', async () => {
    await letAnotherTake(lab, 2222)
    const { mapped = '' } = await natpmpc(lab, '-a', '2222', '22', 'tcp', '600')
    const port = Number(/^Mapped public port (\d+)/.exec(mapped)?.[1])
    expect(mapped).toBe(mappedLine(port, 'TCP', 22, 600))
    expect((await listed()).sort()).toEqual([THEIRS, `TCP ${port}->${COMPUTER}:22`].sort())
    expect((await natpmpc(lab, '-a', '0', '22', 'tcp', '0')).mapped).toBe(mappedLine(0, 'TCP', 22, 0))
    for (const via of ['pcp', 'nat-pmp'] as const) {
      const refused = await lab.upnpTs('--via', via, '-r', '22', '2222', 'TCP')
      expect({ stdout: belowBanner(refused.stdout), exit: refused.exit }).toEqual({
        stdout: found(via) + REFUSED[via],
        exit: 2,
      })
      expect(await listed()).toEqual([THEIRS])
      const { stdout } = await lab.upnpTs('--via', via, '-n', '@', '22', '2222', 'TCP')
      const other = Number(/:(\d+) TCP is redirected/.exec(stdout)?.[1])
      expect((await listed()).sort()).toEqual([THEIRS, `TCP ${other}->${COMPUTER}:22`].sort())
      await says(lab, ['--via', via, '-d', `${other}`, 'TCP'], { stdout: found(via) + DELETED[via] })
    }
    expect(await listed()).toEqual([THEIRS])
  })

  test('what natpmpc opens upnp-ts closes, and the other way round', async () => {
    await natpmpc(lab, '-a', '8080', '8080', 'tcp', '600')
    await says(lab, ['--via', 'nat-pmp', '-d', '8080', 'TCP'], {
      stdout: found('nat-pmp') + DELETED['nat-pmp'],
      stderr: /^hint: NAT-PMP says done even if nothing was open/,
    })
    expect(await listed()).toEqual([THEIRS])
    await says(lab, ['--via', 'nat-pmp', '-r', '80', '8080', 'TCP'], {
      stdout: found('nat-pmp') + redirected(8080, 'TCP', `${COMPUTER}:80`, 7200),
    })
    await natpmpc(lab, '-a', '8080', '80', 'tcp', '0')
    expect(await listed()).toEqual([THEIRS])
  })

  test('upnp-ts opens over PCP and closes from a new process', async () => {
    await says(lab, ['--via', 'pcp', '-r', '80', '8080', 'TCP'], {
      stdout: found('pcp') + redirected(8080, 'TCP', `${COMPUTER}:80`, 7200),
    })
    expect((await listed()).sort()).toEqual([THEIRS, `TCP 8080->${COMPUTER}:80`])
    await says(lab, ['--via', 'pcp', '-d', '8080', 'TCP'], { stdout: found('pcp') + DELETED.pcp })
    expect(await listed()).toEqual([THEIRS])
  })
})

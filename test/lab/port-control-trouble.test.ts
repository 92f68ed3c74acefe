/** PCP and NAT-PMP in homes that are not as they should be: whoever asks is told at once, and why. */
import { describe, expect, test } from 'vitest'
import { belowBanner } from './banner.ts'
import type { Finished } from './command.ts'
import { COMPUTER, Lab, type RouterOptions } from './lab.ts'
import { DELETED, found, type PortControl, redirected, says, TITLES } from './port-control-text.ts'
import { doorsOf } from './router-doors.ts'
import { listenOnComputer, talkFromInternet } from './traffic.ts'

const VIAS = ['pcp', 'nat-pmp'] as const
const nothingListens = (titles: string, address = '192.168.86.1'): string =>
  `nothing listens on UDP port 5351 of ${address} (${titles})`
/** Node's start, on a machine that has other work. */
const AT_ONCE_MS = 2_000

type OnTestFinished = (cleanUp: () => Promise<void>) => void

async function labUp(onTestFinished: OnTestFinished, options: RouterOptions): Promise<Lab> {
  const lab = await Lab.up(options)
  onTestFinished(() => lab.down())
  return lab
}

/** The line that says what was not found, and one hint. */
function expectNobody({ stdout, stderr, exit }: Finished, what: string, hint: RegExp | string): void {
  expect({ stdout: belowBanner(stdout), exit }).toEqual({ stdout: '', exit: 1 })
  const [first, second = '', ...rest] = stderr.split('\n')
  expect([first, ...rest]).toEqual([`No ${what} found on the network !`, ''])
  expect(second).toMatch(hint)
}

async function inHost(lab: Lab, host: 'computer' | 'router', command: string): Promise<void> {
  expect(await lab.on(host, command.split(' '))).toMatchObject({ stderr: '', exit: 0 })
}

describe('where nothing listens on port 5351', { timeout: 60_000 }, () => {
  test('says so at once, over IPv4 and IPv6, and auto takes the IGD', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished, { pcp: false })
    for (const via of VIAS) {
      const finished = await lab.upnpTs('--via', via, '-r', '22', 'TCP')
      expectNobody(finished, `${TITLES[via]} gateway`, nothingListens(TITLES[via]))
      expect(finished.wallMs).toBeLessThan(AT_ONCE_MS)
    }
    const pinhole = await lab.upnpTs('--via', 'pcp', '-A', '', '0', '@', '8022', 'TCP', '600')
    expectNobody(pinhole, 'PCP gateway', nothingListens('PCP', '2001:db8:86::1'))
    expect(pinhole.wallMs).toBeLessThan(AT_ONCE_MS)
    const { stdout, stderr, exit } = await lab.upnpTs('-r', '22', 'TCP')
    expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 })
    expect(stdout).toContain('Found valid IGD : http://192.168.86.1:5000/ctl/IPConn\n')
    expect(await doorsOf(lab)).toEqual([`TCP 22 -> ${COMPUTER}:22`])
  })

  test('nor UPnP is spoken, auto says both, after the time of the search', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished, { upnp: false, pcp: false })
    const finished = await lab.upnpTs('-r', '22', 'TCP')
    expectNobody(
      finished,
      'IGD UPnP Device',
      `the router at 192.168.86.1 did not answer; ${nothingListens('PCP, NAT-PMP')}`,
    )
    expect(finished.stderr).toContain('Switch on UPnP, PCP or NAT-PMP in the settings of the router')
    expect(finished.wallMs).toBeGreaterThan(3_500)
    expect(finished.wallMs).toBeLessThan(6_000)
    console.log(`nobody answers: auto ended after ${finished.wallMs.toFixed(0)} ms`)
  })

  test.for(VIAS)('and the datagrams vanish, --via %s ends after the time of the search', async (via, context) => {
    const lab = await labUp(context.onTestFinished, { upnp: false })
    await inHost(lab, 'router', 'nft insert rule inet filter input udp dport 5351 drop')
    const finished = await lab.upnpTs('--via', via, '-r', '22', 'TCP')
    expectNobody(finished, `${TITLES[via]} gateway`, `192.168.86.1 does not answer ${TITLES[via]}`)
    expect(finished.wallMs).toBeGreaterThan(3_500)
    expect(finished.wallMs).toBeLessThan(6_000)
  })
})

describe('in a home that is not as it should be', { timeout: 60_000 }, () => {
  test('without a default route the router has to be named', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished, { upnp: false })
    await inHost(lab, 'computer', 'ip route del default')
    const nobody = await lab.upnpTs('--via', 'pcp', '-r', '22', 'TCP')
    expectNobody(nobody, 'PCP gateway', 'this computer has no default gateway to ask; name the router with --gateway')
    expect(nobody.wallMs).toBeLessThan(AT_ONCE_MS)
    for (const via of VIAS) {
      await says(lab, ['--via', via, '--gateway', '192.168.86.1', '-r', '22', 'TCP'], {
        stdout: found(via) + redirected(22, 'TCP', `${COMPUTER}:22`, 7200),
      })
      await says(lab, ['--via', via, '--gateway', '192.168.86.1', '-d', '22', 'TCP'], {
        stdout: found(via) + DELETED[via],
      })
    }
    const auto = await lab.upnpTs('--gateway', '192.168.86.1', '-r', '22', 'TCP')
    expect(belowBanner(auto.stdout)).toBe(found('pcp') + redirected(22, 'TCP', `${COMPUTER}:22`, 7200))
  })

  const REFUSED: Readonly<Record<PortControl, string>> = {
    pcp: `PCP MAP(22, 22, ${COMPUTER}) failed with code 8 (NO_RESOURCES)\n`,
    'nat-pmp': `NAT-PMP mapping request(22, 22, ${COMPUTER}) failed with code 3 (Network Failure)\n`,
  }

  test.for(VIAS)('behind another router --via %s says why it cannot map', async (via, { onTestFinished }) => {
    const lab = await labUp(onTestFinished, { upnp: false, externalAddress: null })
    const stderr = /^hint: .*the router (?:has no|.*or it has no) internet address.*\n$/
    await says(lab, ['--via', via, '-r', '22', 'TCP'], { stdout: found(via) + REFUSED[via], stderr, exit: 2 })
    expect(await doorsOf(lab)).toEqual([])
    const { stdout, exit } = await lab.upnpTs('--via', via, '-s')
    expect(exit).toBe(2)
    expect(stdout).toMatch(/\nGetExternalIPAddress failed\. \(errorcode=(?:8|3)\)\n$/)
  })

  test.for(VIAS)('after a power cut of the router --via %s opens the port again', async (via, { onTestFinished }) => {
    const lab = await labUp(onTestFinished, { upnp: false })
    await listenOnComputer(lab, 22)
    const command = ['--via', via, '-r', '22', 'TCP']
    const opened = found(via) + redirected(22, 'TCP', `${COMPUTER}:22`, 7200)
    await says(lab, command, { stdout: opened })
    await lab.reboot({ externalAddress: '11.22.33.55' })
    expect(await talkFromInternet(lab, 22, 'hello')).toBe('error: ECONNREFUSED')
    await says(lab, command, { stdout: opened.replaceAll('11.22.33.44', '11.22.33.55') })
    expect(await talkFromInternet(lab, 22, 'hello')).toBe('echo: hello')
    await says(lab, ['--via', via, '-d', '22', 'TCP'], { stdout: found(via) + DELETED[via] })
    expect(await doorsOf(lab)).toEqual([])
  })

  test('a refused word costs no time and no traffic', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished, { upnp: false })
    for (const [argv, why] of [
      [['--via', 'nat-pmp', '-l'], /^-l cannot be done over NAT-PMP: /m],
      [['--via', 'nat-pmp', '-A', '', '0', '@', '8022', 'TCP', '600'], /^-A cannot be done over NAT-PMP: /m],
      [['--via', 'pcp', '--nonce', '00', '-r', '22', 'TCP'], /^--nonce: '00' is not .+ 24 hexadecimal digits/m],
      [['--via', 'upnp', '-r', '22', 'TCP'], /^--via: 'upnp' is not /m],
    ] as const) {
      const { stderr, exit, wallMs } = await lab.upnpTs(...argv)
      expect({ stderr, exit }).toEqual({ stderr: expect.stringMatching(why), exit: 1 })
      expect(wallMs).toBeLessThan(AT_ONCE_MS)
    }
  })
})

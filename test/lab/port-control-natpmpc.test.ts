/** upnp-ts and natpmpc at one miniupnpd, which speaks everything: each sees and closes what the other has opened. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COMPUTER, Lab } from './lab.ts'
import { mappedLine, natpmpc } from './natpmpc-output.ts'
import { DELETED, found, redirected, says } from './port-control-text.ts'
import { doorsOf, letAnotherTake } from './router-doors.ts'

const OURS = ['--via', 'nat-pmp']

describe('natpmpc and upnp-ts', { timeout: 60_000 }, () => {
  let lab: Lab
  const listed = async (): Promise<string[]> => {
    const { stdout, stderr, exit } = await lab.upnpTs('-l')
    expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 })
    expect(stdout).toContain('Found valid IGD : ') // an IGD goes first
    return stdout.split(' leaseTime\n')[1]?.split('\n').filter(Boolean) ?? []
  }
  beforeAll(async () => {
    lab = await Lab.up()
  })
  afterAll(() => lab.down())

  test('have the same external address of the router', async () => {
    expect(await natpmpc(lab)).toEqual({ address: '11.22.33.44', mapped: undefined })
    const { stdout } = await lab.upnpTs(...OURS, '-s')
    expect(stdout).toMatch(/\nStatus : speaks NAT-PMP, uptime=\d+s\n(?:.+\n)ExternalIPAddress = 11\.22\.33\.44\n$/)
  })

  test('what natpmpc opens is in the list of upnp-ts, which closes it', async () => {
    const { mapped } = await natpmpc(lab, '-a', '2222', '2222', 'tcp', '600')
    expect(mapped).toBe(mappedLine(2222, 'TCP', 2222, 600))
    expect(await listed()).toEqual([
      expect.stringMatching(/^ 0 TCP {2}2222->192\.168\.86\.250:2222 {2}'NAT-PMP 2222 tcp' '' (?:600|59\d)$/),
    ])
    await says(lab, [...OURS, '-d', '2222', 'TCP'], {
      stdout: found('nat-pmp') + DELETED['nat-pmp'],
      stderr: /^hint: NAT-PMP says done even if nothing was open, and upnp-ts has no record .* external 2222 TCP /,
    })
    expect(await doorsOf(lab)).toEqual([])
    expect(await listed()).toEqual([])
  })

  test('what upnp-ts opens is in its list, and natpmpc closes it', async () => {
    await says(lab, [...OURS, '--lease', '600', '-r', '23', '2323', 'TCP'], {
      stdout: found('nat-pmp') + redirected(2323, 'TCP', `${COMPUTER}:23`, 600),
    })
    expect(await doorsOf(lab)).toEqual([`TCP 2323 -> ${COMPUTER}:23`])
    expect(await listed()).toEqual([
      expect.stringMatching(/^ 0 TCP {2}2323->192\.168\.86\.250:23 {4}'NAT-PMP 2323 tcp' '' (?:600|59\d)$/),
    ])
    const { mapped } = await natpmpc(lab, '-a', '2323', '23', 'tcp', '0')
    expect(mapped).toBe(mappedLine(0, 'TCP', 23, 0))
    expect(await doorsOf(lab)).toEqual([])
  })

  test('each extends what the other has opened', async () => {
    await natpmpc(lab, '-a', '5353', '53', 'udp', '600')
    await says(lab, [...OURS, '--lease', '900', '-r', '53', '5353', 'UDP'], {
      stdout: found('nat-pmp') + redirected(5353, 'UDP', `${COMPUTER}:53`, 900),
    })
    const { mapped } = await natpmpc(lab, '-a', '5353', '53', 'udp', '1200')
    expect(mapped).toBe(mappedLine(5353, 'UDP', 53, 1200))
    expect(await listed()).toEqual([
      expect.stringMatching(/^ 0 UDP {2}5353->192\.168\.86\.250:53 {4}'NAT-PMP 5353 udp' '' (?:1200|119\d)$/),
    ])
    await says(lab, [...OURS, '-d', '5353', 'UDP'], { stdout: found('nat-pmp') + DELETED['nat-pmp'] })
    expect(await doorsOf(lab)).toEqual([])
  })

  test('both are given the next port where another computer has the one they ask for', async () => {
    await letAnotherTake(lab, 22)
    const { mapped } = await natpmpc(lab, '-a', '22', '22', 'tcp', '600')
    expect(mapped).toBe(mappedLine(23, 'TCP', 22, 600))
    await says(lab, [...OURS, '--lease', '600', '-n', '@', '22', '22', 'TCP'], {
      stdout: found('nat-pmp') + redirected(23, 'TCP', `${COMPUTER}:22`, 600),
    })
    await says(lab, [...OURS, '-d', '23', 'TCP'], { stdout: found('nat-pmp') + DELETED['nat-pmp'] })
    expect(await doorsOf(lab)).toEqual(['TCP 22 -> 192.168.86.251:22'])
  })

  test('what upnp-ts opens over PCP is in the list too, and -d over UPnP closes it', async () => {
    await lab.reboot()
    await says(lab, ['--via', 'pcp', '-r', '80', '8080', 'TCP'], {
      stdout: found('pcp') + redirected(8080, 'TCP', `${COMPUTER}:80`, 7200),
    })
    expect(await listed()).toEqual([
      expect.stringMatching(/^ 0 TCP {2}8080->192\.168\.86\.250:80 {4}'PCP MAP [\da-f]{24}' '' 7(?:200|19\d)$/),
    ])
    await natpmpc(lab, '-a', '8080', '80', 'tcp', '0') // of no effect: it is not a mapping of NAT-PMP
    expect(await doorsOf(lab)).toEqual([`TCP 8080 -> ${COMPUTER}:80`])
    expect(await lab.upnpTs('--via', 'igd', '-d', '8080', 'TCP')).toMatchObject({ stderr: '', exit: 0 })
    expect(await doorsOf(lab)).toEqual([])
  })
})

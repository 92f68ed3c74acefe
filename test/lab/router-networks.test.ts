/** Which router it is, if this computer has more than one network, and in which language it is asked. */
import { describe, expect, test } from 'vitest'
import { COMPUTER, COMPUTER_IPV6, DESCRIPTION_URL, type Lab } from './lab.ts'
import { doorsOf } from './router-doors.ts'
import { answerSearchesAfter, emulateOn, labUp, type OtherIgd, plugIn, run, sh } from './router-lab.ts'

const DOOR = [`TCP 8000 -> ${COMPUTER}:8000`]

/** Opens port 8000 and closes it, at the router of the home. */
async function opensAndCloses(lab: Lab, via: string, hint: RegExp | string): Promise<void> {
  const opened = await run(lab, ['-r', '8000', 'TCP'])
  expect({ via: opened.via, exit: opened.exit, doors: await doorsOf(lab) }).toEqual({ via, exit: 0, doors: DOOR })
  expect(opened.router).toMatch(/^192\.168\.86\.1:/)
  expect(opened.stderr).toMatch(hint)
  expect(await run(lab, ['-d', '8000', 'TCP'])).toMatchObject({ via, exit: 0 })
  expect(await doorsOf(lab)).toEqual([])
}

/** Neither opens a port at any of these, whatever it says. */
async function opensNothing(lab: Lab, ...others: readonly OtherIgd[]): Promise<void> {
  for (const argv of [
    ['-r', '8000', 'TCP'],
    ['-n', '@', '8000', '8000', 'TCP'],
  ]) {
    const { exit, stderr } = await run(lab, argv)
    expect(exit, stderr).toBeGreaterThan(0)
    for (const other of others) expect(await other.doors()).toEqual([])
  }
}

describe('while a VPN takes the traffic', { timeout: 60_000 }, () => {
  const TAKES_ALL = {
    'by two halves of the internet': 'ip route add 0.0.0.0/1 dev tun0; ip route add 128.0.0.0/1 dev tun0',
    'by a better default route':
      'ip route del default; ip route add default via 192.168.86.1 metric 600; ip route add default dev tun0 metric 50',
  }
  const CASES = Object.entries(TAKES_ALL).flatMap(([how, script]) =>
    [true, false].map((upnp) => ({ how, script, upnp, via: upnp ? 'IGD' : 'PCP' })),
  )
  test.for(CASES)(
    '$how, the router is still that of the home, over $via, and a line tells of the tunnel',
    async ({ script, upnp, via }, { onTestFinished }) => {
      const lab = await labUp(onTestFinished, { upnp })
      await plugIn(lab, { host: '+a', name: 'tun0', computer: '10.8.0.2', address: '10.8.0.1' })
      await sh(lab, 'computer', script)
      await opensAndCloses(lab, via, /tunnel/i)
    },
  )
})

describe('with a bridge for containers that has an IGD on it', { timeout: 60_000 }, () => {
  async function withContainers(lab: Lab): Promise<OtherIgd> {
    await plugIn(lab, { host: '+a', name: 'docker0', computer: '172.17.0.1', address: '172.17.0.2' })
    return emulateOn(lab, '+a', '172.17.0.2')
  }

  test.for([0, 900])('the router is asked, also if it answers after %i ms', async (delayMs, { onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    const container = await withContainers(lab)
    if (delayMs > 0) await answerSearchesAfter(lab, delayMs)
    await opensAndCloses(lab, 'IGD', /^$/)
    expect(await container.doors()).toEqual([])
  })

  test('the router is asked over PCP if it speaks no UPnP', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished, { upnp: false })
    const container = await withContainers(lab)
    await opensAndCloses(lab, 'PCP', /UPnP/)
    expect(await container.doors()).toEqual([])
  })

  test('nothing is opened if the router says nothing at all', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    const container = await withContainers(lab)
    await lab.stopRouter()
    await opensNothing(lab, container)
  })
})

describe('with two default gateways that are IGDs', { timeout: 60_000 }, () => {
  /** The second is 192.168.87.1. */
  async function withSecond(lab: Lab, metrics: readonly [number, number]): Promise<OtherIgd> {
    await plugIn(lab, { host: '+a', name: 'eth1', computer: '192.168.87.250', address: '192.168.87.1' })
    const second = await emulateOn(lab, '+a', '192.168.87.1')
    await sh(
      lab,
      'computer',
      `ip route del default
       ip route add default via 192.168.86.1 metric ${metrics[0]}
       ip route add default via 192.168.87.1 metric ${metrics[1]}`,
    )
    return second
  }

  test.for([0, 900])(
    'the one with the better metric is used, also if it answers after %i ms',
    async (delayMs, { onTestFinished }) => {
      const lab = await labUp(onTestFinished)
      const second = await withSecond(lab, [100, 200])
      if (delayMs > 0) await answerSearchesAfter(lab, delayMs)
      await opensAndCloses(lab, 'IGD', /^$/)
      expect(await second.doors()).toEqual([])
    },
  )

  test('the other one is used if the metrics are the other way round', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    const second = await withSecond(lab, [200, 100])
    expect(await run(lab, ['-r', '8000', 'TCP'])).toMatchObject({ stderr: '', exit: 0 })
    expect([await second.doors(), await doorsOf(lab)]).toEqual([['TCP 8000->192.168.87.250:8000'], []])
    expect(await run(lab, ['-d', '8000', 'TCP'])).toMatchObject({ exit: 0 })
    expect(await second.doors()).toEqual([])
  })

  test('the worse one is not used in place of the better one', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    const second = await withSecond(lab, [100, 200])
    await lab.stopRouter()
    await opensNothing(lab, second)
  })

  test('-m and --gateway use the other one', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    const second = await withSecond(lab, [100, 200])
    for (const named of [
      ['-m', 'eth1'],
      ['--gateway', '192.168.87.1'],
    ]) {
      expect(await run(lab, [...named, '-r', '8000', 'TCP'])).toMatchObject({ exit: 0 })
      expect([await second.doors(), await doorsOf(lab)]).toEqual([['TCP 8000->192.168.87.250:8000'], []])
      expect(await run(lab, [...named, '-d', '8000', 'TCP'])).toMatchObject({ exit: 0 })
      expect(await second.doors()).toEqual([])
    }
  })
})

describe('without a default gateway', { timeout: 60_000 }, () => {
  test('the best of all who answer is used, and a line says so', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    await plugIn(lab, { host: '+a', name: 'eth1', computer: '192.168.87.250', address: '192.168.87.1' })
    const behindAnother = await emulateOn(lab, '+a', '192.168.87.1', '--external-address', '10.0.0.7')
    await sh(lab, 'computer', 'ip route del default')
    await answerSearchesAfter(lab, 600)
    await opensAndCloses(lab, 'IGD', /default gateway/)
    expect(await behindAnother.doors()).toEqual([])
  })
})

describe('with IPv6 only', { timeout: 60_000 }, () => {
  async function ipv6Only(onTestFinished: Parameters<typeof labUp>[0]): Promise<Lab> {
    const lab = await labUp(onTestFinished)
    await sh(lab, 'computer', 'ip -4 addr flush dev eth0')
    return lab
  }

  test('what maps ports or lists them says that there is no IPv4 address, and what to do', async ({
    onTestFinished,
  }) => {
    const lab = await ipv6Only(onTestFinished)
    const commands = [
      ['-r', '8000', 'TCP'],
      ['-d', '8000', 'TCP'],
      ['-l'],
      ['-s'],
      ['--via', 'pcp', '-r', '8000', 'TCP'],
    ]
    const said = []
    for (const argv of [...commands, ['-6', '-r', '8000', 'TCP']]) {
      const { exit, stderr } = await run(lab, argv)
      said.push({ argv, exit, saysIPv4: /^hint: .*IPv4.*-6/m.test(stderr) })
    }
    expect(said).toEqual(said.map(({ argv }) => ({ argv, exit: 1, saysIPv4: true })))
    expect(await doorsOf(lab)).toEqual([])
  })

  test('pinholes are opened, with -6 over UPnP and without it over PCP, and -6 -l and -6 -s work', async ({
    onTestFinished,
  }) => {
    const lab = await ipv6Only(onTestFinished)
    const pinhole = ['-A', '', '0', '@', '8022', 'TCP', '600']
    expect(await run(lab, ['-6', ...pinhole])).toMatchObject({ exit: 0, via: 'IGD', stderr: '' })
    expect(await run(lab, pinhole)).toMatchObject({ exit: 0, via: 'PCP' })
    for (const word of ['-l', '-s']) expect(await run(lab, ['-6', word])).toMatchObject({ exit: 0, via: 'IGD' })
    const { stdout } = await run(lab, ['-6', '-s'])
    expect(stdout).toContain(`\nLocal LAN ip address : ${COMPUTER_IPV6}\n`)
  })
})

describe("behind a provider's NAT that speaks PCP", { timeout: 60_000 }, () => {
  /** The IGD tells a private address, and PCP of the same router one of the internet. */
  async function behindProvider(onTestFinished: Parameters<typeof labUp>[0]): Promise<[Lab, OtherIgd]> {
    const lab = await labUp(onTestFinished, { upnp: false })
    return [lab, await emulateOn(lab, 'router', '192.168.86.1', '--external-address', '100.64.0.7')]
  }

  test('the port is opened over PCP, and nothing is left at the IGD', async ({ onTestFinished }) => {
    const [lab, igd] = await behindProvider(onTestFinished)
    await opensAndCloses(lab, 'PCP', '')
    expect(await igd.doors()).toEqual([])
  })

  test('the IGD is listed, and a line says that another NAT is in front of it', async ({ onTestFinished }) => {
    const [lab] = await behindProvider(onTestFinished)
    const { exit, via, stderr } = await run(lab, ['-l'])
    expect({ exit, via }).toEqual({ exit: 0, via: 'IGD' })
    expect(stderr).toMatch(/another router or the NAT of the provider is in front of it/)
  })

  test('the IGD is used if nobody tells an address of the internet', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished, { pcp: false })
    await lab.stopRouter()
    const igd = await emulateOn(lab, 'router', '192.168.86.1', '--external-address', '100.64.0.7')
    const { exit, via, stderr } = await run(lab, ['-r', '8000', 'TCP'])
    expect({ exit, via, doors: await igd.doors() }).toEqual({
      exit: 0,
      via: 'IGD',
      doors: ['TCP 8000->192.168.86.250:8000'],
    })
    expect(stderr).toMatch(/NAT/)
  })

  test('-u still means that IGD', async ({ onTestFinished }) => {
    const [lab, igd] = await behindProvider(onTestFinished)
    expect(igd.url).not.toBe(DESCRIPTION_URL)
    expect(await run(lab, ['-u', igd.url, '-r', '8000', 'TCP'])).toMatchObject({ exit: 0, via: 'IGD' })
    expect(await igd.doors()).toEqual(['TCP 8000->192.168.86.250:8000'])
  })
})

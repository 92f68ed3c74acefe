/** Homes that are not as they should be. */
import { describe, expect, test } from 'vitest'
import { belowBanner } from './banner.ts'
import { COMPUTER, Lab, type RouterOptions, upnpTsCommand, withoutListenerHint } from './lab.ts'

type OnTestFinished = (cleanUp: () => Promise<void>) => void

async function labUp(onTestFinished: OnTestFinished, options: RouterOptions = {}): Promise<Lab> {
  const lab = await Lab.up(options)
  onTestFinished(() => lab.down())
  return lab
}

/** Runs ip(8) on the computer. */
async function ip(lab: Lab, command: string): Promise<void> {
  const { exit, stderr } = await lab.on('computer', ['ip', ...command.split(' ')])
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
}

/** upnpc's line, and a hint of one line. */
const NOBODY = /^No IGD UPnP Device found on the network !\nhint: .+\n$/

async function findsNobody(lab: Lab): Promise<string> {
  const { stdout, stderr, exit } = await lab.upnpTs('-l')
  expect({ stdout: belowBanner(stdout), exit }).toEqual({ stdout: '', exit: 1 })
  expect(stderr).toMatch(NOBODY)
  return stderr
}

describe('in a home that is not as it should be', { timeout: 60_000 }, () => {
  test('says that there is no IGD when the router is off', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    await lab.stopRouter()
    expect(await findsNobody(lab)).toContain('192.168.86.1 did not answer')
  })

  test('says so too, without a search, when the cable is out', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    await ip(lab, 'link set eth0 down')
    expect(await findsNobody(lab)).toContain('is the network up?')
  })

  test('finds the router again after a power cut, with the mappings gone', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    expect(await lab.upnpTs('-r', '22', 'TCP')).toMatchObject({ exit: 0 })
    await lab.reboot({ httpPort: 5001, externalAddress: '11.22.33.55' })
    const { stdout, exit } = await lab.upnpTs('-l')
    expect(exit).toBe(0)
    expect(stdout).toContain('Found valid IGD : http://192.168.86.1:5001/ctl/IPConn\n')
    expect(stdout).toContain('ExternalIPAddress = 11.22.33.55\n')
    expect(stdout).toMatch(/ leaseTime\n$/)
  })

  test('maps although the reader of its output went away after the first line', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    const piped = await lab.on('computer', [
      'bash',
      '-c',
      'set -o pipefail; "$@" | head -n 1; echo "exit $?"',
      '-',
      ...upnpTsCommand('-r', '22', 'TCP'),
    ])
    const [banner, exit] = piped.stdout.split('\n')
    expect(banner).not.toBe('')
    expect(exit).toBe('exit 0')
    expect(withoutListenerHint(piped).stderr).toBe('')
    expect((await lab.upnpTs('-l')).stdout).toContain(' 0 TCP    22->192.168.86.250:22    ')
  })

  test('does not mind a second interface that is down', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    await ip(lab, 'link add eth1 type veth peer name eth1-end')
    await ip(lab, 'addr add 10.9.8.7/24 dev eth1')
    expect(await lab.upnpTs('-l')).toMatchObject({ exit: 0, stderr: '' })
  })

  test('does not mind a second interface on which nobody answers, listed first', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    await ip(lab, 'link set eth0 name lan')
    await ip(lab, 'link add aaa0 type veth peer name aaa0-end')
    await ip(lab, 'addr add 10.9.8.7/24 dev aaa0')
    await ip(lab, 'link set aaa0-end up')
    await ip(lab, 'link set aaa0 up')
    const { stdout, stderr, exit } = await lab.upnpTs('-l')
    expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 })
    expect(stdout).toContain(`Local LAN ip address : ${COMPUTER}\n`)
  })

  test('finds the router without a default route', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    await ip(lab, 'route del default')
    const stderr = expect.stringMatching(/^hint: this computer has no default gateway; 192\.168\.86\.1 is .+\n$/)
    expect(await lab.upnpTs('-l')).toMatchObject({ exit: 0, stderr })
  })

  test('lists and says why it cannot map when the router is behind another router', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished, { externalAddress: null })
    const listed = await lab.upnpTs('-l')
    const hint = 'hint: the router has no internet address: it is not connected, or it is behind another router\n'
    expect(listed).toMatchObject({ stderr: hint, exit: 0 })
    expect(listed.stdout).toContain(
      'Found an IGD with a reserved IP address () : http://192.168.86.1:5000/ctl/IPConn\n',
    )
    expect(listed.stdout).toContain('GetExternalIPAddress failed. (empty string)\n')
    const refused = await lab.upnpTs('-r', '22', 'TCP')
    expect(refused.exit).toBe(2)
    expect(refused.stdout).toContain(`AddPortMapping(22, 22, ${COMPUTER}) failed with code 501 (Action Failed)\n`)
    expect(refused.stderr).toMatch(/^(hint: .*behind another router.*\n){2}$/)
  })
})

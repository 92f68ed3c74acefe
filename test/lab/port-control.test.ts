/**
 * The walk of seed.test.ts at a router that speaks PCP and NAT-PMP and no UPnP: open a port, come in from the internet,
 * close it from another process, stand before a closed door. Then the other commands that such a router has.
 */
import { rmSync, statSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { belowBanner } from './banner.ts'
import { COMPUTER, COMPUTER_SECOND, Lab } from './lab.ts'
import { DELETED, found, nonceFile, redirected, says, TITLES, WAYS, withoutUpnpHint } from './port-control-text.ts'
import { doorsOf } from './router-doors.ts'
import { listenOnComputer, talkFromInternet } from './traffic.ts'

const NOT_OURS = /^hint: the router does not let this computer open ports, or it was not this user of .+\n$/
const DID_NOT_KNOW = /^hint: PCP says done even if nothing was open, .+\n$/
const NOTHING_THERE = /^(?:hint: .+ or there is nothing to close; .+\n){1,2}$/
const NONCE = '0102030405060708090a0b0c'

describe.each(WAYS)('at a router without UPnP, $way', { timeout: 60_000 }, ({ options, via }) => {
  let lab: Lab
  const says250 = (command: string, said: string) =>
    says(lab, [...options, ...command.split(' ')], { stdout: found(via) + said })
  beforeAll(async () => {
    lab = await Lab.up({ upnp: false })
  })
  afterAll(() => lab.down())

  test('opens port 22, lets the internet in, closes it from a new process, and the internet stays out', async () => {
    await listenOnComputer(lab, 22)
    expect(await talkFromInternet(lab, 22, 'hello')).toBe('error: ECONNREFUSED')
    await says250('-r 22 TCP', redirected(22, 'TCP', `${COMPUTER}:22`, 7200))
    expect(await talkFromInternet(lab, 22, 'hello')).toBe('echo: hello')
    expect(await doorsOf(lab)).toEqual([`TCP 22 -> ${COMPUTER}:22`])
    await says250('-d 22 TCP', DELETED[via])
    expect(await talkFromInternet(lab, 22, 'hello')).toBe('error: ECONNREFUSED')
    expect(await doorsOf(lab)).toEqual([])
  })

  test('closes by its external port what leads to another internal one', async () => {
    await listenOnComputer(lab, 80)
    await says250('-r 80 8080 TCP', redirected(8080, 'TCP', `${COMPUTER}:80`, 7200))
    expect(await talkFromInternet(lab, 8080, 'hello')).toBe('echo: hello')
    expect(await doorsOf(lab)).toEqual([`TCP 8080 -> ${COMPUTER}:80`])
    await says250('-d 8080 TCP', DELETED[via])
    expect(await talkFromInternet(lab, 8080, 'hello')).toBe('error: ECONNREFUSED')
    expect(await doorsOf(lab)).toEqual([])
  })

  test('opens and closes TCP+UDP', async () => {
    const inside = `${COMPUTER}:53`
    await says250('-r 53 5353 TCP+UDP', redirected(5353, 'UDP', inside, 7200) + redirected(5353, 'TCP', inside, 7200))
    expect(await doorsOf(lab)).toEqual([`TCP 5353 -> ${inside}`, `UDP 5353 -> ${inside}`])
    await says250('-d 5353 TCP+UDP', DELETED[via].repeat(2))
    expect(await doorsOf(lab)).toEqual([])
  })

  test('opens several ports, for as long as asked, and closes them with -f', async () => {
    const both = [redirected(25, 'TCP', `${COMPUTER}:25`, 600), redirected(8026, 'UDP', `${COMPUTER}:26`, 600)]
    await says250('--lease 600 -r 25 TCP 26 8026 UDP', both.join(''))
    await says250('-a @ 25 25 TCP 1200', redirected(25, 'TCP', `${COMPUTER}:25`, 1200))
    expect(await doorsOf(lab)).toEqual([`TCP 25 -> ${COMPUTER}:25`, `UDP 8026 -> ${COMPUTER}:26`])
    await says250('-f 25 TCP 8026 UDP', DELETED[via].repeat(2))
    expect(await doorsOf(lab)).toEqual([])
  })

  test('shows what the router tells of itself', async () => {
    const { stdout, stderr, exit } = await withoutUpnpHint(lab.upnpTs(...options, '-s'))
    expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 })
    const [status = '', started = '', address = ''] = belowBanner(stdout).slice(found(via).length).split('\n')
    expect(belowBanner(stdout).startsWith(found(via))).toBe(true)
    expect(status).toMatch(new RegExp(`^Status : speaks ${TITLES[via]}, uptime=\\d+s$`))
    expect(started).toMatch(/^ {2}Time started : \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/)
    expect(address).toBe('ExternalIPAddress = 11.22.33.44')
    expect(await doorsOf(lab)).toEqual([]) // also where a port had to be mapped to learn the address
  })

  test('asks the gateway that is named', async () => {
    for (const gateway of ['192.168.86.1', '192.168.86.1:5351']) {
      await says250(`--gateway ${gateway} -r 28 TCP`, redirected(28, 'TCP', `${COMPUTER}:28`, 7200))
      await says250(`--gateway ${gateway} -d 28 TCP`, DELETED[via])
    }
  })

  test('asks from the address that is named', async () => {
    const stdout = found(via, COMPUTER_SECOND)
    const there = [...options, '-m', COMPUTER_SECOND]
    const opened = redirected(29, 'TCP', `${COMPUTER_SECOND}:29`, 7200)
    await says(lab, [...there, '-r', '29', 'TCP'], { stdout: stdout + opened })
    expect(await doorsOf(lab)).toEqual([`TCP 29 -> ${COMPUTER_SECOND}:29`])
    await says(lab, [...there, '-d', '29', 'TCP'], { stdout: stdout + DELETED[via] })
    expect(await doorsOf(lab)).toEqual([])
  })
})

describe.each(['pcp', 'nat-pmp'] as const)('--via %s', { timeout: 60_000 }, (via) => {
  test('lets the router choose a port', async ({ onTestFinished }) => {
    const lab = await Lab.up({ upnp: false })
    onTestFinished(() => lab.down())
    const { stdout } = await lab.upnpTs('--via', via, '-r', '27', '0', 'TCP')
    const [door = ''] = await doorsOf(lab)
    const port = Number(/^TCP (\d+) -> 192\.168\.86\.250:27$/.exec(door)?.[1])
    expect(belowBanner(stdout)).toBe(found(via) + redirected(port, 'TCP', `${COMPUTER}:27`, 7200))
    await says(lab, ['--via', via, '-d', `${port}`, 'TCP'], { stdout: found(via) + DELETED[via] })
    expect(await doorsOf(lab)).toEqual([])
  })
})

describe('what PCP adds', { timeout: 60_000 }, () => {
  let lab: Lab
  const saysPcp = (command: string, said: string, stderr?: RegExp, exit = stderr === undefined ? 0 : 2) =>
    says(lab, ['--via', 'pcp', ...command.split(' ')], { stdout: found('pcp') + said, stderr: stderr ?? '', exit })
  beforeAll(async () => {
    lab = await Lab.up({ upnp: false })
  })
  afterAll(() => lab.down())

  test('the key of this user is for nobody else to read', async () => {
    await saysPcp('-r 22 TCP', redirected(22, 'TCP', `${COMPUTER}:22`, 7200))
    const modes = ['', '/pcp-nonce-key'].map((file) => statSync(`${lab.stateHome}/upnp-ts${file}`).mode & 0o777)
    expect(modes).toEqual([0o700, 0o600])
  })

  test('without the key a port stays open until its lease ends, and that is said', async () => {
    rmSync(lab.stateHome, { recursive: true })
    await saysPcp('-d 22 TCP', 'PCP_DeletePortMapping() failed with code : 2\n', NOT_OURS)
    expect(await doorsOf(lab)).toEqual([`TCP 22 -> ${COMPUTER}:22`])
    await lab.reboot()
  })

  test('with --nonce nothing needs to be kept', async () => {
    const nonce = nonceFile(lab, NONCE)
    await saysPcp(`--nonce ${nonce} -r 31 TCP`, redirected(31, 'TCP', `${COMPUTER}:31`, 7200))
    rmSync(lab.stateHome, { recursive: true, force: true })
    await saysPcp('-d 31 TCP', 'PCP_DeletePortMapping() failed with code : 2\n', NOT_OURS)
    await saysPcp(`--nonce ${nonce} -d 31 TCP`, DELETED.pcp, DID_NOT_KNOW, 0)
    expect(await doorsOf(lab)).toEqual([])
  })

  test('miniupnpd tells that there is nothing to close', async () => {
    const failed = 'PCP_DeletePortMapping() failed with code : 8\n'
    await saysPcp('-d 33 TCP', failed, NOTHING_THERE)
    await saysPcp('-f 33 TCP 34 UDP', failed + failed, NOTHING_THERE, 3)
  })

  test('a lease is as long as the router makes it', async () => {
    await saysPcp('--lease 60 -r 35 TCP', redirected(35, 'TCP', `${COMPUTER}:35`, 120))
    await saysPcp('--lease 604800 -r 35 TCP', redirected(35, 'TCP', `${COMPUTER}:35`, 86400))
    await saysPcp('-d 35 TCP', DELETED.pcp)
  })

  test('this computer gets a port for its second address, and none for another computer', async () => {
    await saysPcp(`-a ${COMPUTER_SECOND} 36 36 TCP`, redirected(36, 'TCP', `${COMPUTER_SECOND}:36`, 7200))
    expect(await doorsOf(lab)).toEqual([`TCP 36 -> ${COMPUTER_SECOND}:36`])
    await saysPcp('-d 36 TCP', DELETED.pcp)
    await saysPcp(
      '-a 192.168.86.77 37 37 TCP',
      'PCP MAP(37, 37, 192.168.86.77) failed with code 5 (UNSUPP_OPTION)\n',
      /^hint: the router opens ports only for the computer that asks, .+\n$/,
    )
    expect(await doorsOf(lab)).toEqual([])
  })
})

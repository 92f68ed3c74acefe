/** The lab itself: what the other tests here stand on. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { DESCRIPTION_URL, Lab, type RouterOptions } from './lab.ts'
import { listenOnComputer, talkFromInternet } from './traffic.ts'

async function labUp(options: RouterOptions = {}): Promise<Lab> {
  const lab = await Lab.up(options)
  onTestFinished(() => lab.down())
  return lab
}

/** What a lab leaves on the machine: namespaces and files by its name, processes by its directory. */
function traces(name: string): string[] {
  const files = ['/var/run/netns', '/run'].filter(existsSync).flatMap((folder) => readdirSync(folder))
  return files.filter((file) => file.includes(name))
}

async function processesOf(lab: Lab): Promise<number[]> {
  const pids = await Promise.all(
    (['computer', 'router', 'internet'] as const).map(async (host) => {
      const { stdout } = await lab.on('router', ['ip', 'netns', 'pids', `${lab.name}-${host}`])
      return stdout.split('\n').filter(Boolean).map(Number)
    }),
  )
  return pids.flat()
}

/** RFC 6886 3.2: version 0, opcode 0. */
const NATPMP_EXTERNAL_ADDRESS = '0000'
/** RFC 6887 14.1: version 2, opcode 0, no lifetime, and the address of the client. */
const PCP_ANNOUNCE = `0200${'00'.repeat(6)}20010db8008600000000000000000250`

/** Whether port 5351 of that address answers a datagram; a refusal comes as an error. */
async function speaksUdp(lab: Lab, address: string, hex: string): Promise<boolean> {
  const ask = `
    const [address, hex] = process.argv.slice(1)
    const socket = require('node:dgram').createSocket(address.includes(':') ? 'udp6' : 'udp4')
    socket.on('message', () => { console.log('answers'); socket.close() })
    socket.on('error', (error) => { console.log(error.code); socket.close() })
    socket.connect(5351, address, () => socket.send(Buffer.from(hex, 'hex')))
    setTimeout(() => process.exit(1), 5000).unref()
  `
  const { stdout } = await lab.on('computer', [process.execPath, '-e', ask, address, hex])
  expect(['answers\n', 'ECONNREFUSED\n']).toContain(stdout)
  return stdout === 'answers\n'
}

function lives(pid: number): boolean {
  try {
    // A process that nobody has waited for yet is no longer one of the lab's.
    return readdirSync(`/proc/${pid}/fd`).length > 0
  } catch {
    return false
  }
}

describe('the lab', { timeout: 60_000 }, () => {
  test('lets the internet in through a mapping, and not without one', async () => {
    const lab = await labUp()
    await listenOnComputer(lab, 2222)
    expect(await talkFromInternet(lab, 22, 'hello')).toMatch(/^error: /)
    expect(await lab.upnpc('-u', DESCRIPTION_URL, '-r', '2222', '22', 'TCP')).toMatchObject({ exit: 0 })
    expect(await talkFromInternet(lab, 22, 'hello')).toBe('echo: hello')
  })

  test('forgets every mapping at a reboot, and can come back with another port and address', async () => {
    const lab = await labUp()
    await listenOnComputer(lab, 22)
    await lab.upnpc('-u', DESCRIPTION_URL, '-r', '22', 'TCP')
    await lab.reboot({ httpPort: 5001, externalAddress: '11.22.33.55' })
    expect(await talkFromInternet(lab, 22, 'hello')).toMatch(/^error: /)
    const { stdout } = await lab.upnpc('-u', DESCRIPTION_URL.replace('5000', '5001'), '-l')
    expect(stdout).toContain('ExternalIPAddress = 11.22.33.55\n')
    expect(stdout).not.toContain('22->')
  })

  test('stops answering when the router is stopped', async () => {
    const lab = await labUp()
    await lab.stopRouter()
    const { exit, stderr } = await lab.upnpc('-u', DESCRIPTION_URL, '-l')
    expect({ exit, stderr }).toEqual({
      exit: 1,
      stderr: 'connect: Connection refused\nNo valid UPNP Internet Gateway Device found.\n',
    })
    await lab.startRouter()
    expect(await lab.upnpc('-u', DESCRIPTION_URL, '-l')).toMatchObject({ exit: 0 })
  })

  test.each([1, 2] as const)('calls its router InternetGatewayDevice:%i when told to', async (igd) => {
    const lab = await labUp({ igd })
    const fetched = await lab.on('computer', [
      process.execPath,
      '-e',
      `fetch('${DESCRIPTION_URL}').then((reply) => reply.text()).then(console.log)`,
    ])
    expect(fetched.stdout).toContain(
      `<deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:${igd}</deviceType>`,
    )
  })

  test.each([
    { upnp: true, pcp: true },
    { upnp: true, pcp: false },
    { upnp: false, pcp: true },
    { upnp: false, pcp: false },
  ])('has a router that speaks what it shall: %o', async ({ upnp, pcp }) => {
    const lab = await labUp({ upnp, pcp })
    const asked = await Promise.all([
      lab.upnpc('-u', DESCRIPTION_URL, '-s').then(({ exit }) => exit === 0),
      speaksUdp(lab, '192.168.86.1', NATPMP_EXTERNAL_ADDRESS),
      speaksUdp(lab, '2001:db8:86::1', PCP_ANNOUNCE),
    ])
    expect(asked).toEqual([upnp, pcp, pcp])
  })

  test('stands beside another lab, each with its own router', async () => {
    const [one, other] = await Promise.all([
      labUp({ externalAddress: '11.22.33.1' }),
      labUp({ externalAddress: '11.22.33.2' }),
    ])
    const [first, second] = await Promise.all([one, other].map((lab) => lab.upnpc('-l')))
    expect(first?.stdout).toContain('ExternalIPAddress = 11.22.33.1\n')
    expect(second?.stdout).toContain('ExternalIPAddress = 11.22.33.2\n')
  })

  test('leaves nothing behind when it goes down', async () => {
    const lab = await Lab.up()
    const listener = await listenOnComputer(lab, 22)
    const pids = await processesOf(lab)
    expect(pids.filter(lives).length).toBeGreaterThanOrEqual(2)
    expect(traces(lab.name)).toHaveLength(4)
    await lab.down()
    expect(traces(lab.name)).toEqual([])
    expect(pids.filter(lives)).toEqual([])
    expect(await listener.ends()).toMatchObject({ exit: 128 + 9 })
  })

  test.each(['SIGINT', 'SIGKILL'] as const)('leaves nothing behind when its owner is ended by %s', async (signal) => {
    const labSh = fileURLToPath(new URL('lab.sh', import.meta.url))
    const name = `owned-${process.pid}-${signal.toLowerCase()}`
    const owner = spawn(
      process.execPath,
      [
        '-e',
        `const { spawn } = require('node:child_process')
         spawn(process.argv[1], ['hold'], { detached: true, stdio: ['pipe', 'inherit', 'inherit'] })`,
        labSh,
      ],
      { env: { ...process.env, LAB: name } },
    )
    onTestFinished(() => void owner.kill('SIGKILL'))
    await new Promise<void>((resolve) => owner.stdout.once('data', () => resolve()))
    expect(traces(name)).toHaveLength(4)
    owner.kill(signal)
    await expect.poll(() => traces(name), { timeout: 10_000 }).toEqual([])
  })

  test('says in one line why it cannot come up', async () => {
    await expect(Lab.up({ externalAddress: '10.0.0.1' })).rejects.toThrow(
      /^lab: miniupnpd did not start: .*10\.0\.0\.1, not public routable$/,
    )
  })
})

/** --keep in a home with a router and another IGD: emulated gateways behind made-up addresses, on a clock that a test moves. */
import { afterEach, describe, expect, it } from 'vitest'
import '../../../src/client/search/candidate.ts' // a search loads it as it goes, in no time of a fake clock
import { type KeepContext, keep } from '../../../src/cli/keep/session.ts'
import { type GatewayInvocation, parseInvocation } from '../../../src/cli/parse/invocation.ts'
import { Printer } from '../../../src/cli/print/printer.ts'
import { commandLineNet } from '../../../src/cli/surroundings.ts'
import { TransportError } from '../../../src/domain/errors.ts'
import { type Emulator, type EmulatorOptions, startEmulator } from '../../../src/emulator.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import { createHttpClient } from '../../../src/net/http/client.ts'
import { leanExchange } from '../../../src/net/http/lean-exchange.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { IGD1, ScriptedDatagrams, ssdpReply } from '../../support/scripted-datagrams.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const [ROUTER, OTHER] = ['192.168.1.1', '192.168.1.66']
const COMPUTER = { name: 'eth0', address: '192.168.1.10', netmask: '255.255.255.0', loopback: false }

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await settle()
}

interface Device {
  readonly host: string
  readonly emulator: Emulator
  isGone: boolean
}

async function deviceAt(host: string, options: EmulatorOptions): Promise<Device> {
  const emulator = await startEmulator(options)
  closing.push(() => emulator.close())
  return { host, emulator, isGone: false }
}

/** A keeper of the ports 22 and 23 in a home whose router is there, or is not yet. */
async function keeping(beginsWith: 'router' | 'other' | 'no default gateway', options: EmulatorOptions = {}) {
  const router = await deviceAt(ROUTER, { externalAddress: '11.22.33.44', ...options })
  const other = await deviceAt(OTHER, { externalAddress: '11.66.66.66' })
  router.isGone = beginsWith !== 'router'
  other.isGone = beginsWith === 'router'
  const clock = new FakeClock()
  const datagrams = new ScriptedDatagrams(clock)
  datagrams.onSend = ({ ST, to }, socket) => {
    for (const { host, isGone } of [router, other]) {
      if (ST !== IGD1 || isGone || (to !== '239.255.255.250:1900' && to !== `${host}:1900`)) continue
      clock.schedule(5, () => socket.deliver(ssdpReply(`http://${host}:5000/rootDesc.xml`), host))
    }
  }
  const http = createHttpClient(clock, leanExchange)
  const files = memoryFiles()
  const state = {
    asking: 0,
    isOver: false,
    defaultGateways: beginsWith === 'no default gateway' ? [] : [ROUTER],
    hooks: [] as Record<string, string>[],
    file: { ports: [] as object[], externalAddress: '' as string | null },
  }
  let end = (_: string): void => {}
  const context: KeepContext = {
    ...commandLineNet(),
    clock,
    datagrams,
    http: {
      async request(request) {
        const { hostname: host } = request.url
        const device = [router, other].find((each) => each.host === host)
        if (device === undefined || device.isGone) throw new TransportError(`${host} is gone`)
        const url = new URL(device.emulator.descriptionUrl)
        if (request.url.pathname !== '/rootDesc.xml') url.pathname = request.url.pathname
        state.asking++
        try {
          const reply = await http.request({ ...request, url })
          return { ...reply, localAddress: COMPUTER.address, remoteAddress: host }
        } finally {
          state.asking--
        }
      },
    },
    interfaces: () => [COMPUTER],
    defaultGateways: (family) => Promise.resolve(family === 4 ? state.defaultGateways : []),
    hardwareAddress: () => Promise.resolve(undefined),
    files,
    onSignal(_, listener) {
      end = listener
      return () => {}
    },
    startProgram: () => expect.unreachable(),
    async runHook(_, env) {
      state.hooks.push({ ...env })
      return { code: 0, signal: undefined, timedOut: false }
    },
    writeFile: (_, text) => Object.assign(state.file, JSON.parse(text)),
    notifyServiceManager: () => Promise.resolve(),
    listen: () => () => {},
  }
  const argv = ['-p', '', '-r', '22-23', 'TCP', '--keep', '--on-change', 'x', '--state', 'x']
  const invocation = parseInvocation(argv) as GatewayInvocation
  const lines: string[] = []
  const stream = { write: (text: string) => lines.push(text.trimEnd().replace(/^\S+Z /, '')), on: () => {} }
  const printer = new Printer(
    { json: false, compat: '2.3.3', color: 'auto', quiet: false, verbose: false },
    { stdout: stream, stderr: stream, env: {} },
  )
  const run = async (): Promise<void> => {
    for await (const report of keep(invocation, invocation.keep as NonNullable<typeof invocation.keep>, context))
      printer.report(report)
    state.isOver = true
  }
  const running = run()
  const pass = async (seconds: number): Promise<void> => {
    for (let left = 4 * seconds; left > 0; left--) {
      await clock.advance(250)
      await settle()
      await until(() => state.asking === 0)
    }
  }
  await pass(5)
  return {
    router,
    other,
    state,
    pass,
    marks: () => files.list('kept-'),
    told: (): string[] => lines.splice(0),
    async stop(): Promise<void> {
      end('SIGTERM')
      await until(() => state.isOver)
      await running
      expect([router, other].flatMap(portsOf)).toEqual([])
      expect([clock.pending, datagrams.openCount]).toEqual([0, 0])
      expect(await files.list('keeper-')).toEqual([])
    },
  }
}

const portsOf = ({ emulator }: Device): number[] => emulator.mappings().map(({ externalPort }) => externalPort)

describe('--keep that began with the router', () => {
  it.each([
    ['is gone', [ROUTER]],
    ['and the way to it are gone', []],
  ])('waits for it while another IGD answers, and says so once: the router %s', async (_, defaultGateways) => {
    const keeper = await keeping('router')
    expect(portsOf(keeper.router)).toEqual([22, 23])
    keeper.told()
    keeper.router.isGone = true
    keeper.router.emulator.forget({})
    keeper.other.isGone = false
    keeper.state.defaultGateways = defaultGateways
    await keeper.pass(120)
    expect(keeper.told()).toEqual([
      expect.stringMatching(/^the router is gone: /),
      `no router: the router at ${ROUTER} does not answer; another device (${OTHER}) does, and is not used; looking until one is found`,
    ])
    expect([portsOf(keeper.other), keeper.state.file.ports]).toEqual([[], []])
    keeper.router.isGone = false
    await keeper.pass(15)
    expect(keeper.told()).toEqual([22, 23].map((port) => expect.stringContaining(`port ${port} TCP: open again`)))
    expect([portsOf(keeper.router), portsOf(keeper.other)]).toEqual([[22, 23], []])
    await keeper.stop()
  })

  it('goes on with the router of another network', async () => {
    const keeper = await keeping('router')
    keeper.router.isGone = true
    await keeper.pass(15)
    keeper.other.isGone = false
    keeper.state.defaultGateways = [OTHER]
    await keeper.pass(15)
    expect(portsOf(keeper.other)).toEqual([22, 23])
    keeper.router.emulator.forget({}) // nobody can close its ports from there
    await keeper.stop()
  })
})

describe('--keep that had to use another device', () => {
  it('goes back to the router: one line, one run of --on-change, and the other device has nothing left', async () => {
    const keeper = await keeping('other')
    expect(portsOf(keeper.other)).toEqual([22, 23])
    expect(keeper.told()).toContainEqual(
      expect.stringContaining(`the router at ${ROUTER} did not answer; ${OTHER} did`),
    )
    expect(keeper.state.hooks).toMatchObject([{ UPNP_EXTERNAL_ADDRESS: '11.66.66.66' }])
    await keeper.pass(300)
    expect(keeper.told()).toEqual([])
    keeper.router.isGone = false
    await keeper.pass(122)
    expect([portsOf(keeper.router), portsOf(keeper.other)]).toEqual([[22, 23], []])
    const line = `the router at ${ROUTER} answers now, and is used instead of ${OTHER}; the external address is 11.22.33.44`
    expect(keeper.told()).toEqual([line])
    expect(keeper.state.hooks.slice(1)).toMatchObject([
      { UPNP_EXTERNAL_ADDRESS: '11.22.33.44', UPNP_EXTERNAL_PORT_2: '23' },
    ])
    expect(keeper.state.file).toMatchObject({ externalAddress: '11.22.33.44', ports: [{}, {}] })
    expect(await keeper.marks()).toEqual([22, 23].map((port) => `kept-${ROUTER}-TCP-${port}`))
    keeper.router.isGone = true
    await keeper.pass(300)
    expect(portsOf(keeper.other)).toEqual([]) // from then on it is the router, and no other
    keeper.router.isGone = false
    await keeper.pass(40)
    await keeper.stop()
  })

  it('goes to the router when there is a default gateway, and until then to no third device', async () => {
    const keeper = await keeping('no default gateway')
    expect(keeper.told()).toContainEqual(expect.stringContaining(`no default gateway; ${OTHER} is the best`))
    keeper.other.isGone = true
    keeper.router.isGone = false
    await keeper.pass(130)
    expect(keeper.told().at(-1)).toContain(`the router at ${OTHER} does not answer; another device (${ROUTER}) does`)
    keeper.other.isGone = false
    await keeper.pass(15)
    expect([portsOf(keeper.router), portsOf(keeper.other)]).toEqual([[], [22, 23]])
    keeper.told()
    keeper.state.defaultGateways = [ROUTER]
    await keeper.pass(122)
    expect([portsOf(keeper.router), portsOf(keeper.other)]).toEqual([[22, 23], []])
    expect(keeper.told()).toHaveLength(1)
    await keeper.stop()
  })

  it('says which port the router does not give, and keeps none at the other device', async () => {
    const keeper = await keeping('other', { maxMappings: 1 })
    keeper.told()
    keeper.router.isGone = false
    await keeper.pass(12)
    expect([portsOf(keeper.router), portsOf(keeper.other)]).toEqual([[22], []])
    expect(keeper.told()).toEqual([
      expect.stringContaining(`the router at ${ROUTER} answers now`),
      expect.stringMatching(/port 23 TCP: .*trying again/),
      expect.stringMatching(/^hint/),
    ])
    expect(keeper.state.file.ports).toHaveLength(1)
    await keeper.stop()
  })
})

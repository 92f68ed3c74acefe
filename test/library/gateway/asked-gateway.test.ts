/** The gateway that a program gets, on the emulated gateway: its defaults, its limits and its errors. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { InvalidArgumentError, NoReplyError, PortMappingError, RefusedError } from '../../../src/domain/errors.ts'
import { type Emulator, startEmulator } from '../../../src/emulator/emulator.ts'
import type { EmulatorOptions } from '../../../src/emulator/emulator-options.ts'
import { findGateway } from '../../../src/library/gateway/find-gateway.ts'
import type { IgdGateway, PortControlGateway } from '../../../src/library/gateway/gateway.ts'
import { RunningKeeper } from '../../../src/library/keeping/running-keepers.ts'
import { systemClock } from '../../../src/net/clock.ts'
import { privateFiles } from '../../../src/net/files/private-files.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { ScriptedDatagrams } from '../../support/scripted-datagrams.ts'
import { answersOf, locationOf } from '../../support/scripted-devices.ts'
import { ScriptedHttp } from '../../support/scripted-http.ts'

let emulator: Emulator
let state: string

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'upnp-ts-'))
})

afterEach(async () => {
  await emulator.close()
  rmSync(state, { recursive: true })
})

async function igd(options: EmulatorOptions = {}): Promise<IgdGateway> {
  emulator = await startEmulator(options)
  const gateway = await findGateway({ url: emulator.descriptionUrl, state })
  if (gateway.protocol !== 'igd') throw new Error('it is an IGD')
  return gateway
}

async function over(via: 'pcp' | 'nat-pmp'): Promise<PortControlGateway> {
  emulator = await startEmulator()
  return findGateway({ via, router: `127.0.0.1:${emulator.portControl?.port}`, state })
}

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no failure',
    (error: unknown) => error,
  )
const portsOf = (): number[] => emulator.mappings().map(({ externalPort }) => externalPort)

describe('a mapping', () => {
  it('needs no more than its internal port', async () => {
    const gateway = await igd()
    const made = await gateway.map({ internalPort: 8080 })
    const asked = { externalPort: 8080, protocol: 'TCP', internalClient: '127.0.0.1', internalPort: 8080 }
    expect(made).toMatchObject({ ...asked, remoteHost: '', description: 'upnp-ts', enabled: true })
    expect(emulator.mappings()).toMatchObject([{ ...asked, description: 'upnp-ts' }])
    expect(await gateway.find({ externalPort: 8080 })).toMatchObject(asked)
    await gateway.unmap({ externalPort: 8080 })
    expect(await gateway.find({ externalPort: 8080 })).toBeUndefined()
  })

  it('has a lease in seconds', async () => {
    const gateway = await igd()
    expect(await gateway.map({ internalPort: 80, protocol: 'UDP', lease: 600 })).toMatchObject({ protocol: 'UDP' })
    expect(emulator.mappings()[0]?.leaseSeconds).toBeLessThanOrEqual(600)
    expect(await failureOf(gateway.map({ internalPort: 80, lease: 0 }))).toBeInstanceOf(InvalidArgumentError)
  })

  it('that is refused says by whom, with which number, and what is in the way', async () => {
    const gateway = await igd({ quirks: [{ name: 'refuse', operation: 'AddPortMapping', code: 725 }] })
    const refused = await failureOf(gateway.map({ internalPort: 80, lease: 600 }))
    expect(refused).toBeInstanceOf(RefusedError)
    expect(refused).toMatchObject({
      code: 'REFUSED',
      number: 725,
      standardName: 'OnlyPermanentLeasesSupported',
      gateway: { protocol: 'igd', address: '127.0.0.1' },
      hint: "this router opens ports only without a time limit; use lease: 'unlimited'",
    })
  })

  it('on another port is taken with externalPort any', async () => {
    const gateway = await igd()
    await gateway.map({ internalPort: 80, internalClient: '192.168.1.99' })
    const taken = await failureOf(gateway.map({ internalPort: 80 }))
    expect(PortMappingError.is(taken) && taken.hint).toContain('external port 80 TCP already leads to 192.168.1.99:80')
    const { externalPort } = await gateway.map({ internalPort: 80, externalPort: 'any' })
    expect(externalPort).not.toBe(80)
  })

  it.each(['pcp', 'nat-pmp'] as const)('is made over %s with the same words', async (via) => {
    const gateway = await over(via)
    expect(await gateway.map({ internalPort: 8080 })).toMatchObject({ externalPort: 8080, protocol: 'TCP' })
    expect(portsOf()).toEqual([8080])
    await gateway.unmap({ externalPort: 8080 })
    expect(portsOf()).toEqual([])
  })
})

describe('a port that is opened at the gateway', () => {
  it.each(['igd', 'pcp', 'nat-pmp'] as const)('is kept over %s, and closed alone', async (via) => {
    const gateway = via === 'igd' ? await igd() : await over(via)
    await gateway.map({ internalPort: 1001 })
    const port = await gateway.openPort(8080, { description: 'my game', timeoutMs: 5000 })
    expect(port).toMatchObject({ isOpen: true, externalPort: 8080, endpoints: [{ via, internalPort: 8080 }] })
    expect(portsOf()).toEqual([1001, 8080])
    const { left } = await gateway.removeOwn({ description: 'my game' })
    expect(left.find(({ mapping }) => mapping.externalPort === 8080)?.why).toBe('an open port of this program holds it')
    expect((await port.close()).removed).toMatchObject([{ externalPort: 8080 }])
    expect(portsOf()).toEqual([1001])
  })

  it('and is refused says by whom', async () => {
    const gateway = await igd({ quirks: [{ name: 'refuse', operation: 'AddPortMapping', code: 606 }] })
    const failure = await failureOf(gateway.openPort(8080))
    expect(failure).toMatchObject({ code: 'REFUSED', number: 606, gateway: { protocol: 'igd', address: '127.0.0.1' } })
  })
})

describe('the list of mappings', () => {
  it('is a copy from which everything can be deleted', async () => {
    const gateway = await igd()
    for (let port = 1000; port < 1020; port++) await gateway.map({ internalPort: port })
    for (const mapping of await gateway.mappings()) await gateway.unmap(mapping)
    expect(emulator.mappings()).toEqual([])
  })
})

describe('what an IGD tells of itself', () => {
  it('is asked for with the same names as in the standard', async () => {
    const gateway = await igd()
    expect(await gateway.status()).toMatchObject({ connectionStatus: 'Connected' })
    expect(await gateway.connectionType()).toBe('IP_Routed')
    expect(await gateway.externalAddress()).toBe(await gateway.externalAddress({ timeoutMs: 5000 }))
    expect(await gateway.trafficCounters()).toHaveProperty('bytesSent')
    expect(await gateway.linkRates()).toHaveProperty('upstreamBitsPerSecond')
    expect(gateway.address).toBe('127.0.0.1')
  })

  it('and its firewall opens a pinhole for one port', async () => {
    const gateway = await igd()
    const { firewall } = gateway
    expect(await firewall?.status()).toEqual({ firewallEnabled: true, inboundPinholeAllowed: true })
    const granted = await firewall?.addPinhole({ internalPort: 8080, internalClient: '2001:db8::5', protocol: 'UDP' })
    expect(emulator.pinholes()).toMatchObject([{ protocol: 17, internalPort: 8080, internalClient: '2001:db8::5' }])
    await firewall?.deletePinhole(granted?.id ?? -1)
    expect(emulator.pinholes()).toEqual([])
    expect(await failureOf(firewall?.deletePinhole(7) ?? Promise.resolve())).toMatchObject({
      number: 704,
      hint: 'there is no pinhole with that number; its lease may have ended',
    })
  })
})

describe('what this computer has left behind', () => {
  it('is removed from an IGD, and nothing else, and it is said why', async () => {
    const gateway = await igd()
    const description = 'my game'
    for (const internalPort of [1001, 1002]) await gateway.map({ internalPort, description })
    await gateway.map({ internalPort: 1003, description: 'another program' })
    await gateway.map({ internalPort: 1004, description, internalClient: '192.168.1.99' })
    await gateway.map({ internalPort: 1005, description: 'unrelated', internalClient: '192.168.1.99' })
    const keeper = new RunningKeeper(privateFiles(state), systemClock, 'test')
    keeper.hold('127.0.0.1', [{ externalPort: 1002, protocol: 'TCP', remoteHost: '' }], '127.0.0.1')
    const { removed, left } = await gateway.removeOwn({ description })
    keeper.end()
    expect(removed.map(({ externalPort }) => externalPort)).toEqual([1001])
    expect(left.map(({ mapping, why }) => [mapping.externalPort, why])).toEqual([
      [1002, 'a running keeper of this user holds it'],
      [1003, "it was made with another description, 'another program'"],
      [1004, 'it leads to another computer, 192.168.1.99'],
    ])
    expect(portsOf()).toEqual([1002, 1003, 1004, 1005])
  })

  it('and could not be removed is named with the error', async () => {
    const gateway = await igd({ quirks: [{ name: 'refuse', operation: 'DeletePortMapping', code: 606 }] })
    await gateway.map({ internalPort: 80 })
    const { removed, left } = await gateway.removeOwn()
    expect(removed).toEqual([])
    expect(left).toMatchObject([
      { mapping: { externalPort: 80 }, error: { number: 606, gateway: { protocol: 'igd' } } },
    ])
  })

  it.each(['pcp', 'nat-pmp'] as const)('is remembered over %s, by its description', async (via) => {
    const gateway = await over(via)
    await gateway.map({ internalPort: 1001, description: 'my game' })
    await gateway.map({ internalPort: 1002, description: 'another program' })
    const { removed, left } = await gateway.removeOwn({ description: 'my game' })
    expect(removed).toMatchObject([{ externalPort: 1001, internalClient: '127.0.0.1', description: 'my game' }])
    expect(left).toMatchObject([{ mapping: { externalPort: 1002 } }])
    expect(portsOf()).toEqual([1002])
  })
})

describe('the limits of one call', () => {
  const slow = { host: '192.168.1.1:5000', connections: { '/ctl/0': { afterMs: 2000 } } }

  async function slowGateway() {
    emulator = await startEmulator()
    const clock = new FakeClock()
    const net = {
      clock,
      datagrams: new ScriptedDatagrams(clock),
      http: new ScriptedHttp(clock, answersOf(slow)),
      interfaces: () => [],
      defaultGateways: () => Promise.resolve([]),
    }
    return { net, gateway: await findGateway({ url: locationOf(slow), net }) }
  }

  it('end that call, and no other', async () => {
    const { net, gateway } = await slowGateway()
    const caller = new AbortController()
    const late = failureOf(gateway.externalAddress({ timeoutMs: 300 }))
    const ended = failureOf(gateway.externalAddress({ signal: caller.signal }))
    const patient = gateway.externalAddress()
    await net.clock.advance(200)
    caller.abort('enough')
    await net.clock.advance(100)
    expect(await ended).toBe('enough')
    expect(await late).toBeInstanceOf(NoReplyError)
    expect(await late).toMatchObject({
      message: 'the external address: 192.168.1.1 did not answer within 300 ms',
      gateway: { protocol: 'igd', address: '192.168.1.1' },
    })
    await net.clock.advance(10_000)
    expect(await patient).toBe('11.22.33.44')
    expect([net.clock.pending, net.http.waiting]).toEqual([0, 0])
  })
})

/** What nobody could do is refused at once, in one line that names the option, and nothing is sent. */
import { expect, it } from 'vitest'
import { startEmulator } from '../../src/emulator.ts'
import { findGateway, openPort, openPorts } from '../../src/index.ts'
import { Home } from './opening/home.ts'

/** Without types, as JavaScript calls it. */
const untyped = <T>(value: unknown): T => value as T

const INVALID: readonly (readonly [number, object | null, string])[] = [
  [70_000, {}, 'port 70000 is not a port from 1 to 65535'],
  [untyped('25565'), {}, "port '25565' is not a port from 1 to 65535"],
  [80, { externalPort: 70_000 }, 'externalPort 70000 is not a port from 1 to 65535'],
  [80, { externalPort: '81' }, "openPort: externalPort '81' is not a number or 'any'"],
  [80, { extrenalPort: 81 }, "openPort: there is no option 'extrenalPort'; did you mean externalPort?"],
  [80, { signal: 5 }, 'openPort: signal 5 is not an AbortSignal'],
  [80, { family: 6, via: 'nat-pmp' }, "via 'nat-pmp' opens no IPv6: leave via out, or take 'igd' or 'pcp'"],
  [
    80,
    { family: 'both', remoteHost: '198.51.100.7' },
    "internalClient and remoteHost are IPv4 or IPv6 addresses, so family 'both' takes neither: open each family on its " +
      'own, with family 4 and with family 6',
  ],
  [80, { family: 6, lease: 'x' }, "openPort: lease 'x' is not a number or 'unlimited'"],
]

it.each(INVALID)('openPort(%s, %j)', async (port, options, message) => {
  const home = await Home.begin()
  const error = { code: 'INVALID_ARGUMENT', message, hint: expect.stringMatching(/./) }
  await expect(openPort(port, untyped({ net: home.net, ...options }))).rejects.toMatchObject(error)
  const [only] = await openPorts([untyped({ port, net: home.net, ...options })])
  expect(only).toMatchObject({ status: 'rejected', reason: error })
  expect(home.sent).toBe(0)
})

it('options that are no object are refused everywhere', async () => {
  const options = { code: 'INVALID_ARGUMENT', message: expect.stringContaining('options are an object, and not null') }
  await expect(openPort(80, untyped(null))).rejects.toMatchObject(options)
  await expect(openPorts([80], untyped(null))).rejects.toMatchObject(options)
  await expect(findGateway(untyped(null))).rejects.toMatchObject(options)
  await expect(startEmulator(untyped(null))).rejects.toMatchObject(options)
  await expect(openPorts(untyped(80))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
})

it('unknown options are refused everywhere', async () => {
  await expect(findGateway(untyped({ timeout: 5 }))).rejects.toThrow('did you mean timeoutMs?')
  await expect(findGateway({ family: 6, via: 'nat-pmp' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  await expect(startEmulator(untyped({ externaladdress: '' }))).rejects.toThrow('did you mean externalAddress?')
  const router = await startEmulator()
  const gateway = await findGateway({ net: router.net, via: 'igd' })
  await expect(gateway.map(untyped({ internalPort: 80, ttl: 5 }))).rejects.toThrow("map: there is no option 'ttl'")
  await expect(gateway.map({ internalPort: 70_000 })).rejects.toThrow('internalPort 70000 is not a port')
  await expect(gateway.removeOwn(untyped({ descripton: '' }))).rejects.toThrow('did you mean description?')
  await expect(gateway.openPort(80, untyped({ leas: 1 }))).rejects.toThrow('did you mean lease?')
  await expect(gateway.externalAddress(untyped({ signal: 5 }))).rejects.toThrow('signal 5 is not an AbortSignal')
  await router.close()
})

import { describe, expect, it } from 'vitest'
import type { TimedPinholeRequest } from '../../src/domain/pinhole.ts'
import { KeptPinhole, type WantedPinhole } from '../../src/keeper/kept-pinhole.ts'
import { begin, HOUR_MS, type Keeping, MINUTE_MS } from './keeping.ts'

const PROTOCOLS = ['igd', 'pcp'] as const
const TCP = 6
const OWN = '2001:db8::5'
const NAME = 'pinhole for port 8022 TCP'
const WANTED: WantedPinhole = { remoteHost: '', remotePort: 0, internalPort: 8022, protocol: TCP, leaseSeconds: 3600 }
const OTHERS: TimedPinholeRequest = { ...WANTED, internalClient: '2001:db8::99', leaseSeconds: 86_400 }

function beginPinhole(protocol: 'igd' | 'pcp' | 'nat-pmp', settings: Partial<WantedPinhole> = {}, before?: BeforeIt) {
  const address = { own: OWN }
  const kept = [new KeptPinhole({ ...WANTED, ...settings }, () => address.own)]
  return Object.assign(begin(protocol, { kept, ...(before === undefined ? {} : { before }) }), { address })
}
type BeforeIt = (router: Keeping['router']) => void

describe.each(PROTOCOLS)('a pinhole over %s', (protocol) => {
  it('is opened for the address that is chosen, renewed under the same ID, and removed', async () => {
    const keeping = beginPinhole(protocol)
    await keeping.wait(10 * HOUR_MS)
    expect(keeping.router.pinholes).toEqual([`1: 8022 -> ${OWN}`])
    const told = keeping.toldInOrder().filter((line) => !line.startsWith('external-address'))
    expect(told).toEqual(['found', `mapped ${NAME}`, ...Array.from({ length: 17 }, () => `renewed ${NAME}`)])
    await keeping.stop()
    expect(keeping.toldInOrder()).toEqual([`removed ${NAME}`])
    expect(keeping.router.pinholes).toEqual([])
  })

  it('is opened for the address that is given', async () => {
    const keeping = beginPinhole(protocol, { internalClient: '2001:db8::77' })
    await keeping.wait(MINUTE_MS)
    expect(keeping.router.pinholes).toEqual(['1: 8022 -> 2001:db8::77'])
    expect(keeping.toldInOrder()).toContain(`mapped ${NAME} of 2001:db8::77`)
    await keeping.stop()
  })

  it('comes back after a reboot, and another host’s that has its number now is not removed', async () => {
    const keeping = beginPinhole(protocol)
    await keeping.wait(10 * MINUTE_MS)
    keeping.router.reboot()
    keeping.router.occupyPinhole(OTHERS)
    keeping.router.announce()
    await keeping.wait(HOUR_MS)
    expect(keeping.router.pinholes).toEqual(['1: 8022 -> 2001:db8::99', `2: 8022 -> ${OWN}`])
    await keeping.stop()
    expect(keeping.router.pinholes).toEqual(['1: 8022 -> 2001:db8::99'])
  })

  it('whose number another host has got in a reboot that was not noticed is not taken for its own at the end', async () => {
    const keeping = beginPinhole(protocol)
    await keeping.wait(10 * MINUTE_MS)
    keeping.router.reboot()
    keeping.router.occupyPinhole(OTHERS)
    await keeping.stop()
    expect(keeping.router.pinholes).toEqual(['1: 8022 -> 2001:db8::99'])
  })

  it('follows the address of this computer, and does not leave the old one open', async () => {
    const keeping = beginPinhole(protocol)
    await keeping.wait(10 * MINUTE_MS)
    keeping.address.own = '2001:db8::6'
    keeping.state.addresses.push('2001:db8::6')
    await keeping.wait(2 * MINUTE_MS)
    expect(keeping.router.pinholes).toEqual(['2: 8022 -> 2001:db8::6'])
    await keeping.stop()
    expect(keeping.router.pinholes).toEqual([])
  })

  it('follows the address also where the old one cannot be removed any more', async () => {
    const keeping = beginPinhole(protocol)
    await keeping.wait(10 * MINUTE_MS)
    keeping.router.refuse(606, 'deletePinhole')
    keeping.address.own = '2001:db8::6'
    keeping.state.addresses.push('2001:db8::6')
    await keeping.wait(2 * MINUTE_MS)
    expect(keeping.router.pinholes).toContain('2: 8022 -> 2001:db8::6')
    await keeping.stop()
  })

  it('whose answer was lost is removed at the end', async () => {
    const keeping = beginPinhole(protocol, {}, (router) => {
      router.answering = 'mute'
    })
    await keeping.wait(100)
    expect(keeping.router.pinholes).toHaveLength(1)
    keeping.router.answering = 'in-time'
    await keeping.stop()
    expect(keeping.router.pinholes).toEqual([])
  })

  it('that is refused is asked for again, and there is nothing to remove', async () => {
    const keeping = beginPinhole(protocol, {}, (router) => router.refuse(703, 'addPinhole'))
    await keeping.wait(HOUR_MS)
    expect(keeping.toldInOrder().at(-1)).toMatch(/^failed pinhole for port 8022 TCP: .* 703 .* again in 30000$/)
    await keeping.stop()
    expect(keeping.told()).toEqual([])
  })
})

describe('a pinhole of an IGD', () => {
  it('that is gone (704) is noticed at the next look', async () => {
    const keeping = beginPinhole('igd')
    await keeping.wait(10 * MINUTE_MS)
    keeping.told()
    keeping.router.reboot()
    await keeping.wait(2 * MINUTE_MS)
    expect(keeping.toldInOrder()).toEqual([`lost ${NAME}: gone`, `restored ${NAME} after 0`])
    await keeping.stop()
  })

  it.each([709, 606, 501])('that is not told of (%d) counts as there', async (number) => {
    const keeping = beginPinhole('igd')
    await keeping.wait(10 * MINUTE_MS)
    keeping.told()
    keeping.router.refuse(number, 'isPinholeWorking')
    await keeping.wait(20 * MINUTE_MS)
    expect(keeping.told()).toEqual([])
    await keeping.stop()
  })
})

describe('a gateway without a firewall', () => {
  it('is asked again and again, and told why', async () => {
    const keeping = beginPinhole('nat-pmp')
    await keeping.wait(HOUR_MS)
    expect(keeping.toldInOrder().at(-1)).toMatch(
      /the gateway has no IPv6 firewall that can be asked .* again in 30000$/,
    )
    await keeping.stop()
    expect(keeping.told()).toEqual([])
  })
})

describe('its name', () => {
  it.each([
    [{}, 'pinhole for port 8022 TCP'],
    [{ protocol: 17 }, 'pinhole for port 8022 UDP'],
    [{ protocol: 65_535, internalPort: 0, internalClient: OWN }, `pinhole for port (any) 65535 of ${OWN}`],
  ])('of %j is %s', (settings, name) => {
    expect(new KeptPinhole({ ...WANTED, ...settings }, () => OWN).name).toBe(name)
  })
})

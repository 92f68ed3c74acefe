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
  it('is opened for the address that is chosen, renewed, and removed', async () => {
    const keeping = beginPinhole(protocol)
    await keeping.wait(10 * HOUR_MS)
    // An IGD's under the same ID; over PCP it is made anew each time.
    expect(keeping.router.pinholes).toEqual([`${protocol === 'igd' ? 1 : 18}: 8022 -> ${OWN}`])
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
    await keeping.wait(MINUTE_MS)
    expect(keeping.router.pinholes).toEqual(['1: 8022 -> 2001:db8::99', `2: 8022 -> ${OWN}`])
    await keeping.wait(HOUR_MS)
    expect(keeping.router.pinholes).toHaveLength(2)
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

describe('a pinhole over PCP', () => {
  it('is renewed by the lease that was granted', async () => {
    const keeping = beginPinhole('pcp', {}, (router) => {
      router.maxLeaseSeconds = 120
    })
    for (let step = 0; step < 60; step++) {
      await keeping.wait(10_000)
      expect(keeping.router.pinholes).toHaveLength(1)
    }
    const renewed = keeping.told().filter((line) => line.endsWith(`renewed ${NAME}`))
    expect(renewed.map((line) => Number.parseFloat(line))).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((at) => at * 67_500))
    expect(keeping.events.at(-1)).toMatchObject({ held: { leaseMs: 120_000 } })
    await keeping.stop()
  })

  it('is closed before it is renewed, without a time between: renewed as it is, nobody could close it', async () => {
    const keeping = beginPinhole('pcp')
    await keeping.wait(2_000_000)
    keeping.router.forgetCalls()
    await keeping.wait(100_000)
    expect(['deletePinhole', 'addPinhole'].map((name) => keeping.router.callsOf(name))).toEqual([1, 1])
    expect(keeping.router.pinholes).toHaveLength(1)
    await keeping.stop()
    expect(keeping.router.pinholes).toEqual([])
  })

  it('that cannot be opened again after that is lost, and tried again as soon as PCP allows it', async () => {
    const keeping = beginPinhole('pcp')
    await keeping.wait(2_000_000)
    keeping.told()
    keeping.router.refuse(8, 'addPinhole')
    await keeping.wait(30_000)
    const told = keeping.told()
    const refused = `failed ${NAME}: addPinhole was refused with 8 (Simulated); again in`
    expect(told.slice(0, 3)).toEqual([
      `2025000 lost ${NAME}: gone`,
      ...[2_025_000, 2_029_000].map((ms) => `${ms} ${refused} 4000`), // RFC 6887 11.2.1: never sooner
    ])
    keeping.router.refuse(undefined)
    await keeping.wait(4000)
    expect(keeping.toldInOrder()).toEqual([`restored ${NAME} after 8000`])
    await keeping.stop()
    expect(keeping.router.pinholes).toEqual([])
  })

  it('whose closing is not answered is not taken for open', async () => {
    const keeping = beginPinhole('pcp')
    await keeping.wait(2_020_000)
    keeping.told()
    keeping.router.answering = 'mute'
    await keeping.wait(8000)
    keeping.router.answering = 'in-time'
    await keeping.wait(2 * MINUTE_MS)
    const told = keeping.toldInOrder()
    expect(told[0]).toBe(`lost ${NAME}: gone`)
    expect(told.at(-1)).toMatch(/^restored/)
    expect(keeping.router.pinholes).toHaveLength(1)
    await keeping.stop()
    expect(keeping.router.pinholes).toEqual([])
  })

  it('that the gateway will not close and not renew is still there', async () => {
    const keeping = beginPinhole('pcp')
    await keeping.wait(2_000_000)
    keeping.told()
    keeping.router.refuse(2)
    await keeping.wait(MINUTE_MS)
    expect(keeping.toldInOrder()).toEqual([
      `failed ${NAME}: addPinhole was refused with 2 (Simulated); again in 787500`,
    ])
    keeping.router.refuse(undefined)
    await keeping.wait(HOUR_MS / 4)
    expect(keeping.toldInOrder().at(-1)).toBe(`renewed ${NAME}`)
    await keeping.stop()
  })

  it('of a keeper that was killed is taken over, and removed at the end', async () => {
    const keeping = beginPinhole('pcp', {}, (router) => router.occupyPinhole({ ...OTHERS, internalClient: OWN }))
    await keeping.wait(HOUR_MS)
    expect(keeping.router.pinholes).toHaveLength(1)
    await keeping.stop()
    expect(keeping.router.pinholes).toEqual([])
  })

  it.each([{ protocol: 58 }, { internalPort: 0 }])('that PCP does not have (%j) closes no other', async (settings) => {
    const keeping = beginPinhole('pcp', settings, (router) => router.occupyPinhole({ ...OTHERS, internalClient: OWN }))
    await keeping.wait(0)
    expect(keeping.router.callsOf('deletePinhole')).toBe(0)
    await keeping.stop()
  })

  it('is removed by what it leads to where the answer to it was lost: asked for again, nobody could', async () => {
    const keeping = beginPinhole('pcp', {}, (router) => router.refuse(2, 'deletePinhole'))
    keeping.router.answering = 'mute'
    await keeping.wait(100)
    keeping.router.answering = 'in-time'
    keeping.router.refuse(undefined)
    keeping.router.forgetCalls()
    await keeping.stop()
    expect(keeping.router.callsOf('addPinhole')).toBe(0)
    expect(keeping.router.pinholes).toEqual([])
  })

  it('is removed when the end comes while it is closed to be renewed', async () => {
    const keeping = beginPinhole('pcp')
    await keeping.wait(2_020_000)
    keeping.router.latencyMs = 100
    await keeping.wait(5120)
    expect(keeping.router.pinholes).toEqual([])
    await keeping.stop()
    expect(keeping.router.callsOf('addPinhole')).toBe(2)
    expect(keeping.router.pinholes).toEqual([])
  })
})

describe('a pinhole of an IGD', () => {
  it('that is gone at its renewal is lost and open again, and not renewed', async () => {
    const keeping = begin('igd', { kept: [new KeptPinhole(WANTED, () => OWN)], checkMs: HOUR_MS })
    await keeping.wait(MINUTE_MS)
    keeping.told()
    keeping.router.reboot()
    await keeping.wait(HOUR_MS)
    expect(keeping.toldInOrder().slice(0, 2)).toEqual([`lost ${NAME}: gone`, `restored ${NAME} after 0`])
    expect(keeping.router.pinholes).toEqual([`1: 8022 -> ${OWN}`])
    await keeping.stop()
  })

  it('is renewed by a router that does not answer whether it is there', async () => {
    const keeping = beginPinhole('igd', {}, (router) => router.refuse(401, 'isPinholeWorking'))
    await keeping.wait(HOUR_MS)
    const told = keeping.toldInOrder()
    expect([told.at(-1), told.some((line) => line.startsWith('lost'))]).toEqual([`renewed ${NAME}`, false])
    await keeping.stop()
  })

  it('is removed by a gateway that takes its time for every answer', async () => {
    const keeping = beginPinhole('igd')
    await keeping.wait(MINUTE_MS)
    keeping.router.latencyMs = 900
    expect(await keeping.stop()).toBe(1800)
    expect(keeping.router.pinholes).toEqual([])
  })

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

import { describe, expect, it } from 'vitest'
import type { Gateway } from '../../src/domain/gateway.ts'
import { allPinholes, forgetPinhole, pinholesOn, rememberPinhole } from '../../src/library/pinhole-memory.ts'
import { memoryFiles } from '../../src/net/files/private-files.ts'
import { FakeClock } from '../support/fake-clock.ts'

const PORT = { protocol: 'TCP', internalPort: 8333 } as const
const ASKED = {
  ...{ remoteHost: '', remotePort: 0, internalClient: '2001:db8::5', internalPort: 8333, protocol: 6 },
  leaseSeconds: 3600,
}
const IGD = { protocol: 'igd', address: 'fe80::1%eth0' } as Gateway
const ANOTHER = { protocol: 'igd', address: 'fe80::1%wlan0' } as Gateway

function setting() {
  const [files, clock] = [memoryFiles(), new FakeClock()]
  const remember = (id: number | string, asked = ASKED, gateway = IGD) =>
    rememberPinhole(gateway, asked, { id, leaseSeconds: asked.leaseSeconds }, { files, clock })
  return { files, clock, remember, known: () => pinholesOn(PORT, { files, clock }) }
}

describe('the memory of pinholes', () => {
  it('knows where one was opened, and by which name it is closed', async () => {
    const { remember, known } = setting()
    await remember(7)
    const inside = { internalClient: '2001:db8::5', protocol: 'TCP', internalPort: 8333 }
    expect(await known()).toEqual([
      { id: 7, via: 'igd', gateway: 'fe80::1%eth0', ...inside, endsWallMs: expect.any(Number) },
    ])
  })

  it('knows one of PCP by its destination', async () => {
    const { remember, known } = setting()
    await remember('TCP:[2001:db8::5]:8333', ASKED, { protocol: 'pcp', address: 'fe80::1' } as Gateway)
    expect(await known()).toMatchObject([{ id: 'TCP:[2001:db8::5]:8333', via: 'pcp' }])
  })

  it('knows nothing of another port, or of the other protocol', async () => {
    const { remember, known } = setting()
    await remember(7, { ...ASKED, internalPort: 833 })
    await remember(8, { ...ASKED, protocol: 17 })
    await remember(9, { ...ASKED, protocol: 132 })
    expect(await known()).toEqual([])
  })

  it('forgets one that is closed, and one whose lease has ended', async () => {
    const { clock, files, remember, known } = setting()
    await remember(7)
    await remember(17)
    await forgetPinhole(IGD, 7, { files })
    expect(await known()).toMatchObject([{ id: 17 }])
    await clock.advance(3_600_000)
    expect(await known()).toEqual([])
  })

  it('knows the same number at two routers, and forgets one of them', async () => {
    const { files, remember, known } = setting()
    await remember(7)
    await remember(7, ASKED, ANOTHER)
    const gateways = async () => (await known()).map(({ gateway }) => gateway).toSorted()
    expect(await gateways()).toEqual(['fe80::1%eth0', 'fe80::1%wlan0'])
    await forgetPinhole(ANOTHER, 7, { files })
    expect(await gateways()).toEqual(['fe80::1%eth0'])
  })

  it('forgets one of PCP', async () => {
    const { files, remember, known } = setting()
    const [gateway, id] = [{ protocol: 'pcp', address: '2001:db8::1' } as Gateway, 'TCP:[2001:db8::5]:8333']
    await remember(id, ASKED, gateway)
    await forgetPinhole(gateway, id, { files })
    expect(await known()).toEqual([])
  })

  it('tells of all, by what the name of the file says', async () => {
    const { files, clock, remember } = setting()
    await remember(7)
    await remember(8, { ...ASKED, internalPort: 53, protocol: 17 }, ANOTHER)
    expect(await allPinholes({ files, clock })).toMatchObject([
      { id: 7, protocol: 'TCP', internalPort: 8333 },
      { id: 8, protocol: 'UDP', internalPort: 53 },
    ])
  })

  it.each([
    '',
    'null',
    '{}',
    '{"version":1,"id":7}',
    '{"version":2,"id":7,"via":"igd","gateway":"g","internalClient":"c","endsWallMs":9e15}',
    '{"version":1,"id":70000,"via":"igd","gateway":"g","internalClient":"c","endsWallMs":9e15}',
    '{"version":1,"id":"../x","via":"pcp","gateway":"g","internalClient":"c","endsWallMs":9e15}',
    '{"version":1,"id":7,"via":"igd","gateway":"g","internalClient":"c","endsWallMs":1e999}',
  ])('passes over a file that tells of none: %s', async (text) => {
    const { files, known } = setting()
    await files.write('pinhole-TCP-8333-g-7', text)
    expect(await known()).toEqual([])
  })

  it('holds 256 at most, and forgets those that end first', async () => {
    const { files, remember } = setting()
    for (let id = 1; id <= 260; id++) await remember(id, { ...ASKED, leaseSeconds: 10_000 - id })
    const names = await files.list('pinhole-')
    expect(names).toHaveLength(256)
    expect(names.filter((name) => name.endsWith('-260'))).toEqual([])
  })
})

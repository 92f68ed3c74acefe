import { describe, expect, it } from 'vitest'
import { forgetPinhole, pinholesOn, rememberPinhole } from '../../src/library/pinhole-memory.ts'
import { memoryFiles } from '../../src/net/files/private-files.ts'
import { FakeClock } from '../support/fake-clock.ts'

const PORT = { protocol: 'TCP', internalPort: 8333 } as const
const ASKED = {
  ...{ remoteHost: '', remotePort: 0, internalClient: '2001:db8::5', internalPort: 8333, protocol: 6 },
  leaseSeconds: 3600,
}
const IGD = { protocol: 'igd', address: 'fe80::1%eth0' } as const

function setting() {
  const [files, clock] = [memoryFiles(), new FakeClock()]
  const remember = (id: number | string, asked = ASKED, gateway: object = IGD) =>
    rememberPinhole(gateway as never, asked, { id, leaseSeconds: asked.leaseSeconds }, { files, clock })
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
    await remember('TCP:[2001:db8::5]:8333', ASKED, { protocol: 'pcp', address: 'fe80::1' })
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
    await forgetPinhole(7, { files })
    expect(await known()).toMatchObject([{ id: 17 }])
    await clock.advance(3_600_000)
    expect(await known()).toEqual([])
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
    await files.write('pinhole-TCP-8333-7', text)
    expect(await known()).toEqual([])
  })

  it('holds 256 at most, and forgets those that end first', async () => {
    const { files, remember } = setting()
    for (let id = 1; id <= 260; id++) await remember(id, { ...ASKED, leaseSeconds: 10_000 - id })
    const names = await files.list('pinhole-')
    expect(names).toHaveLength(256)
    expect(names).not.toContain('pinhole-TCP-8333-260')
  })
})

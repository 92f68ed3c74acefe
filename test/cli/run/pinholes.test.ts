import { describe, expect, it } from 'vitest'
import type { ChosenGateway, RunContext } from '../../../src/cli/context.ts'
import type { AskedPinhole } from '../../../src/cli/parse/pinhole-words.ts'
import type { Report } from '../../../src/cli/report.ts'
import { addPinholes } from '../../../src/cli/run/pinholes.ts'
import { NoReplyError } from '../../../src/domain/errors.ts'
import type { PinholeId, TimedPinholeRequest } from '../../../src/domain/pinhole.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const ASKED: AskedPinhole & TimedPinholeRequest = {
  remoteHost: '',
  remoteHostTyped: '',
  remotePort: 0,
  internalClient: 'local',
  internalPort: 8333,
  protocol: 6,
  leaseSeconds: 600,
}
const INTERFACES = [
  { name: 'vpn0', address: '2001:db8:9::1', netmask: '', loopback: false },
  { name: 'eth0', address: 'fe80::1', netmask: '', loopback: false },
  { name: 'eth0', address: '2001:db8:86::250', netmask: '', loopback: false },
]

async function add(
  localAddress: string,
  pinholes: (AskedPinhole & TimedPinholeRequest)[],
  addPinhole: (request: TimedPinholeRequest) => Promise<number>,
  controller = new AbortController(),
) {
  const deleted: PinholeId[] = []
  const pinholesOfGateway = {
    addPinhole: async (request: TimedPinholeRequest) => ({ id: await addPinhole(request), leaseSeconds: 600 }),
    deletePinhole: async (id: PinholeId) => void deleted.push(id),
  }
  const chosen = { gateway: { localAddress, pinholes: pinholesOfGateway } } as unknown as ChosenGateway
  const context = {
    ...{ signal: controller.signal, interfaces: () => INTERFACES },
    ...{ files: memoryFiles(), clock: new FakeClock() },
  } as unknown as RunContext
  const reports: Report[] = []
  const run = addPinholes(chosen, context, { name: 'add-pinholes', pinholes })
  let ended: unknown
  try {
    for (;;) {
      const next = await run.next()
      if (next.done === true) {
        ended = next.value
        break
      }
      reports.push(next.value)
    }
  } catch (error) {
    ended = error
  }
  return { reports, ended, deleted }
}

describe('the address that @ stands for in a pinhole', () => {
  it.each([
    ['2001:db8:86::251', '2001:db8:86::251'],
    ['fe80::1%eth0', '2001:db8:86::250'],
    ['fd00::1', '2001:db8:9::1'],
    ['127.0.0.1', '127.0.0.1'],
  ])('is for %s on the way to the gateway: %s', async (localAddress, expected) => {
    let client = ''
    await add(localAddress, [ASKED], async (request) => {
      client = request.internalClient
      return 1
    })
    expect(client).toBe(expected)
  })
})

describe('TCP+UDP of a pinhole', () => {
  const both = [
    { ...ASKED, protocol: 17 },
    { ...ASKED, pairedWithPrevious: true as const },
  ]

  it('is closed for UDP if TCP fails, and reported afterwards', async () => {
    const { reports, ended, deleted } = await add('2001:db8:86::251', both, async ({ protocol }) => {
      if (protocol === 6) throw new NoReplyError('silence', { action: 'AddPinhole' })
      return 7
    })
    expect([ended, deleted]).toEqual([2, [7]])
    expect(reports.map(({ type }) => type)).toEqual(['pinhole-added', 'pinhole-added', 'pinhole-deleted', 'notice'])
    expect(reports.at(-1)).toEqual({ type: 'notice', kind: 'pinhole-taken-back', id: 7, closed: true })
  })

  it('names what is still open if the time runs out during it', async () => {
    const controller = new AbortController()
    const outOfTime = new NoReplyError('gave up after 1 s', { action: 'AddPinhole' })
    const asked = async ({ protocol }: TimedPinholeRequest): Promise<number> => {
      if (protocol === 17) return 7
      controller.abort(outOfTime)
      throw outOfTime
    }
    const { reports, ended, deleted } = await add('2001:db8:86::251', both, asked, controller)
    expect([ended, deleted]).toEqual([outOfTime, []])
    expect(reports[1]).toMatchObject({ type: 'pinhole-added', ok: false })
    expect(reports.at(-1)).toEqual({ type: 'notice', kind: 'pinhole-still-open', id: 7 })
  })
})

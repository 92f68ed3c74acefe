/** The commands of PCP and NAT-PMP that do not map: closing, the state, pinholes, and what may go wrong meanwhile. */
import { describe, expect, it } from 'vitest'
import type { GatewayCommand } from '../../../src/cli/parse/command-table.ts'
import { type GatewayInvocation, parseInvocation } from '../../../src/cli/parse/invocation.ts'
import { reportPortControlStatus } from '../../../src/cli/run/list-and-status.ts'
import { unmap } from '../../../src/cli/run/map.ts'
import { runOverPortControl, troublesOf } from '../../../src/cli/run/run.ts'
import { NoReplyError, RefusedError, TransportError } from '../../../src/domain/errors.ts'
import type { PinholeOpener } from '../../../src/domain/gateway.ts'
import type { PinholeId, TimedPinholeRequest } from '../../../src/domain/pinhole.ts'
import { type Answers, outcome, type Scene, sceneOf } from '../../support/fake-port-control.ts'

type Unmap = Extract<GatewayCommand, { name: 'unmap' }>

const SSH = { externalPort: 22, protocol: 'TCP', remoteHost: '' } as const
const DNS = { externalPort: 53, protocol: 'UDP', remoteHost: '' } as const
const CLOSE_BOTH: Unmap = { name: 'unmap', keys: [SSH, DNS], exitCodeOfFailure: 3 }

function refusedBy(protocol: 'pcp' | 'nat-pmp', number: number): RefusedError {
  return new RefusedError({ protocol, action: 'MAP', number, standardName: 'x' })
}

/** A command line on a gateway that has been found. */
function ran(argv: readonly string[], scene: Scene) {
  const invocation = parseInvocation(['--via', scene.gateway.protocol, ...argv])
  if (invocation.kind !== 'gateway') throw new Error(`it is ${invocation.kind}`)
  return outcome(runOverPortControl(invocation, scene.chosen, scene.context))
}

describe('closing ports over PCP and NAT-PMP', () => {
  it('names the outside, and leaves the inside to the gateway', async () => {
    const { gateway, chosen, context } = sceneOf({})
    const { reports, ended } = await outcome(unmap(chosen, context, CLOSE_BOTH))
    expect(gateway.calls.map(({ asked }) => asked)).toEqual([SSH, DNS])
    expect(reports).toEqual([
      { type: 'unmapped', via: 'pcp', key: SSH },
      { type: 'unmapped', via: 'pcp', key: DNS },
    ])
    expect(ended).toBe(0)
  })

  it('says if NAT-PMP may have closed nothing: it says yes to every deletion', async () => {
    const remembers = ({ externalPort }: { externalPort: number }) => externalPort === 53
    const { chosen, context } = sceneOf({ protocol: 'nat-pmp', remembers })
    const { reports, ended } = await outcome(unmap(chosen, context, CLOSE_BOTH))
    expect(reports).toEqual([
      { type: 'unmapped', via: 'nat-pmp', key: SSH },
      { type: 'notice', kind: 'deleted-unknown', via: 'nat-pmp', key: SSH },
      { type: 'unmapped', via: 'nat-pmp', key: DNS },
    ])
    expect(ended).toBe(0)
  })

  it('says no such thing if it failed', async () => {
    const answers: Answers = { protocol: 'nat-pmp', remembers: () => false, unmap: () => refusedBy('nat-pmp', 2) }
    const { chosen, context } = sceneOf(answers)
    const { reports } = await outcome(unmap(chosen, context, CLOSE_BOTH))
    expect(reports.map(({ type }) => type)).toEqual(['unmap-failed', 'unmap-failed'])
  })

  it.each([
    ['-d', 2],
    ['-f', 3],
  ] as const)('goes on after one that fails, and it is the exit code of %s', async (_, exitCodeOfFailure) => {
    const failing = (key: { externalPort: number }) => (key.externalPort === 22 ? refusedBy('nat-pmp', 2) : undefined)
    const { chosen, context } = sceneOf({ protocol: 'nat-pmp', unmap: failing })
    const { reports, ended } = await outcome(unmap(chosen, context, { ...CLOSE_BOTH, exitCodeOfFailure }))
    expect(reports).toMatchObject([
      { type: 'unmap-failed', via: 'nat-pmp', key: SSH, error: { number: 2, via: 'nat-pmp' } },
      { type: 'unmapped', via: 'nat-pmp', key: DNS },
    ])
    expect(ended).toBe(exitCodeOfFailure)
  })

  it('ends after the first one if the time runs out during it', async () => {
    const outOfTime = new NoReplyError('gave up after 1 s')
    const scene = sceneOf({
      unmap() {
        scene.controller.abort(outOfTime)
        return outOfTime
      },
    })
    const { reports, ended } = await outcome(unmap(scene.chosen, scene.context, CLOSE_BOTH))
    expect([reports.map(({ type }) => type), ended]).toEqual([['unmap-failed'], outOfTime])
  })
})

describe('the state of a gateway of PCP or NAT-PMP', () => {
  const status = async (answers: Answers, externalAddress?: string) => {
    const scene = sceneOf({ epochSeconds: 3600, ...answers }, { externalAddress })
    const { reports, ended } = await outcome(reportPortControlStatus(scene.chosen, scene.context))
    return { reports, ended, calls: scene.gateway.calls, nowMs: scene.context.clock.wallMs() }
  }

  it('is since when it has had its mappings, and its external address', async () => {
    const { reports, ended, nowMs } = await status({})
    expect(reports).toEqual([
      { type: 'port-control-status', via: 'pcp', epochSeconds: 3600, sinceMs: nowMs - 3_600_000 },
      { type: 'external-address', during: 'status', ok: true, address: '11.22.33.44' },
    ])
    expect(ended).toBe(0)
  })

  it('does not ask again for the address that NAT-PMP has given', async () => {
    const { reports, calls } = await status({ protocol: 'nat-pmp' }, '55.66.77.88')
    expect(calls).toEqual([])
    expect(reports).toMatchObject([{ via: 'nat-pmp' }, { ok: true, address: '55.66.77.88' }])
  })

  it('is exit 2 if the gateway does not give the address', async () => {
    const { reports, ended } = await status({ externalAddress: () => refusedBy('pcp', 7) })
    expect(reports.at(-1)).toMatchObject({ type: 'external-address', ok: false, error: { number: 7 } })
    expect(ended).toBe(2)
  })

  it('has a time even if the gateway counts from before there were computers', async () => {
    const { reports } = await status({ epochSeconds: 0xffff_ffff })
    const { sinceMs } = reports[0] as Extract<(typeof reports)[number], { type: 'port-control-status' }>
    expect(new Date(sinceMs).toISOString()).toMatch(/^18/)
  })
})

/** Remembers what was opened and closed. */
function pinholes(fails: (request: TimedPinholeRequest) => Error | undefined = () => undefined) {
  const log: string[] = []
  const opener: PinholeOpener = {
    async addPinhole(request) {
      const error = fails(request)
      if (error !== undefined) throw error
      log.push(`add ${request.protocol} ${request.internalClient} ${request.internalPort} ${request.leaseSeconds}`)
      const id = `${request.protocol === 6 ? 'TCP' : 'UDP'}:[${request.internalClient}]:${request.internalPort}`
      return { id, leaseSeconds: 2 * request.leaseSeconds } // a router may grant something else
    },
    async updatePinhole(id: PinholeId, leaseSeconds: number) {
      log.push(`update ${id} ${leaseSeconds}`)
      return { id, leaseSeconds }
    },
    async deletePinhole(id: PinholeId) {
      log.push(`delete ${id}`)
    },
  }
  return { log, opener }
}

describe('pinholes over PCP', () => {
  const ID = 'TCP:[2001:db8::5]:8333'
  const ADD = ['-A', '', '0', '@', '8333', 'TCP+UDP', '60']

  it('are opened for this computer, closed and given another lease', async () => {
    const { log, opener } = pinholes()
    const scene = sceneOf({ pinholes: opener, localAddress: '2001:db8::5' })
    const added = await ran(ADD, scene)
    expect(added.reports).toMatchObject([
      { type: 'pinhole-added', ok: true, id: 'UDP:[2001:db8::5]:8333', leaseSeconds: 120 },
      { type: 'pinhole-added', asked: { leaseSeconds: 60 }, ok: true, id: ID, leaseSeconds: 120 },
    ])
    const updated = await ran(['-U', ID, '120'], scene)
    expect(updated.reports).toEqual([{ type: 'pinhole-updated', id: ID, leaseSeconds: 120, ok: true }])
    const closed = await ran(['-D', ID, 'UDP:[2001:db8::5]:8333'], scene)
    expect(closed.reports.map(({ type }) => type)).toEqual(['pinhole-deleted', 'pinhole-deleted'])
    expect([added.ended, updated.ended, closed.ended]).toEqual([0, 0, 0])
    expect(log).toEqual([
      'add 17 2001:db8::5 8333 60',
      'add 6 2001:db8::5 8333 60',
      `update ${ID} 120`,
      `delete ${ID}`,
      'delete UDP:[2001:db8::5]:8333',
    ])
  })

  it('are both or none', async () => {
    const { log, opener } = pinholes(({ protocol }) => (protocol === 6 ? refusedBy('pcp', 10) : undefined))
    const { reports, ended } = await ran(ADD, sceneOf({ pinholes: opener, localAddress: '2001:db8::5' }))
    expect(reports).toMatchObject([
      { type: 'pinhole-added', ok: true },
      { type: 'pinhole-added', ok: false, error: { via: 'pcp', number: 10 } },
      { type: 'pinhole-deleted', ok: true },
      { type: 'notice', kind: 'pinhole-taken-back', closed: true },
    ])
    expect([log.at(-1), ended]).toEqual(['delete UDP:[2001:db8::5]:8333', 2])
  })
})

describe('every command that PCP and NAT-PMP have', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['-r', ['-r', '22', 'TCP'], ['external-address', 'mapped']],
    ['-a', ['-a', '@', '22', '22', 'TCP'], ['external-address', 'mapped']],
    ['-n', ['-n', '@', '22', '22', 'TCP'], ['external-address', 'mapped']],
    ['-d', ['-d', '22', 'TCP'], ['unmapped']],
    ['-f', ['-f', '22', 'TCP', '53', 'UDP'], ['unmapped', 'unmapped']],
    ['-s', ['-s'], ['port-control-status', 'external-address']],
  ])('is obeyed by both: %s', async (_, argv, types) => {
    for (const protocol of ['pcp', 'nat-pmp'] as const) {
      const { reports, ended } = await ran(argv, sceneOf({ protocol }))
      expect([reports.map(({ type }) => type), ended]).toEqual([types, 0])
    }
  })

  it('is followed by nothing if the command was only to search', async () => {
    const invocation = parseInvocation(['--discovery-time', '9']) as GatewayInvocation
    const { chosen, context } = sceneOf({})
    expect(await outcome(runOverPortControl(invocation, chosen, context))).toEqual({ reports: [], ended: 0 })
  })
})

describe('what went wrong beside the command', () => {
  const UNKEPT = new TransportError('cannot create /x/pcp-nonce-key: EROFS')

  it('is reported after it, and does not change its exit code', async () => {
    const { reports, ended } = await ran(['-r', '22', 'TCP'], sceneOf({}, { troubles: [UNKEPT] }))
    expect(reports.map(({ type }) => type)).toEqual(['external-address', 'mapped', 'notice'])
    expect(reports.at(-1)).toEqual({
      type: 'notice',
      kind: 'nonce-key-not-kept',
      error: { code: 'TRANSPORT', message: UNKEPT.message },
    })
    expect(ended).toBe(0)
  })

  it('is reported even if the command failed', async () => {
    const answers = { map: () => refusedBy('pcp', 8) }
    const { reports, ended } = await ran(['-r', '22', 'TCP'], sceneOf(answers, { troubles: [UNKEPT] }))
    expect([reports.map(({ type }) => type), ended]).toEqual([['map-failed', 'notice'], 2])
  })

  it('is nothing in most runs', () => {
    expect([...troublesOf(sceneOf({}).chosen)]).toEqual([])
  })
})

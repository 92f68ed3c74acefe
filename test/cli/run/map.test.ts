/** -r, -a and -n over PCP and NAT-PMP, on a gateway that is nothing but answers. */
import { describe, expect, it } from 'vitest'
import type { Report } from '../../../src/cli/report.ts'
import { map } from '../../../src/cli/run/map.ts'
import { InvalidArgumentError, NoReplyError, NotConfirmedError, RefusedError } from '../../../src/domain/errors.ts'
import type { MappingRequest, TransportProtocol } from '../../../src/domain/port-mapping.ts'
import { type Answers, granted, outcome, type Scene, sceneOf } from '../../support/fake-port-control.ts'

type MapCommand = Parameters<typeof map>[2]
type Asked = MapCommand['mappings'][number]

const SSH: Asked = {
  internalClient: 'local',
  internalPort: 22,
  externalPort: 22,
  protocol: 'TCP',
  lease: 'unlimited',
  remoteHost: '',
}

function both(common: Partial<Asked> = {}): Asked[] {
  return [
    { ...SSH, ...common, protocol: 'UDP' },
    { ...SSH, ...common, protocol: 'TCP', pairedWithPrevious: true },
  ]
}

async function mapped(
  mappings: readonly Asked[],
  answers: Answers = {},
  more: { any?: true } & Partial<Scene['chosen']> = {},
) {
  const { any = false, ...known } = more
  const scene = sceneOf(answers, known)
  const { reports, ended } = await outcome(
    map(scene.chosen, scene.context, { name: 'map', any, mappings }, 'ignored by PCP'),
  )
  return { reports, ended, calls: scene.gateway.calls, types: reports.map(({ type }) => type) }
}

function refusedBy(protocol: 'pcp' | 'nat-pmp', number: number): RefusedError {
  return new RefusedError({ protocol, action: 'MAP', number, standardName: 'x' })
}

const TAKEN = refusedBy('pcp', 11)

function otherPort(request: MappingRequest): NotConfirmedError {
  const message = 'external port 22 TCP is not available: 192.168.1.1:5351 offered 23 instead; -n takes what it offers'
  return new NotConfirmedError(granted(request, 23), message, { action: 'MAP', belongsToAnother: true })
}

/** Refuses that half of TCP+UDP. */
function refusing(protocol: TransportProtocol, error: Error = TAKEN): NonNullable<Answers['map']> {
  return (request) => (request.protocol === protocol ? error : granted(request))
}

function portsOf(reports: readonly Report[]): string[] {
  return reports.flatMap((each) =>
    each.type === 'mapped' ? [`${each.mapping.protocol} ${each.mapping.externalPort}`] : [],
  )
}

describe('the external address', () => {
  it('is reported once the port is mapped, because PCP gives it in that reply', async () => {
    const { types, calls, ended } = await mapped([SSH])
    expect(calls.map(({ name }) => name)).toEqual(['map', 'externalAddress'])
    expect([types, ended]).toEqual([['external-address', 'mapped'], 0])
  })

  it('is asked for once, however many ports are mapped', async () => {
    const { reports, calls } = await mapped([SSH, { ...SSH, externalPort: 80 }, ...both({ externalPort: 53 })])
    expect(calls.filter(({ name }) => name === 'externalAddress')).toHaveLength(1)
    expect(reports.filter(({ type }) => type === 'mapped')).toHaveLength(4)
    for (const each of reports) {
      if (each.type === 'mapped') expect(each.externalAddress).toBe('11.22.33.44')
    }
  })

  it('is not asked for if NAT-PMP has given it already', async () => {
    const { reports, calls } = await mapped([SSH], { protocol: 'nat-pmp' }, { externalAddress: '55.66.77.88' })
    expect(calls.map(({ name }) => name)).toEqual(['map'])
    expect(reports[0]).toEqual({ type: 'external-address', during: 'map', ok: true, address: '55.66.77.88' })
  })

  it('may fail, and the port is mapped all the same', async () => {
    const { reports, ended } = await mapped([SSH], { externalAddress: () => new NoReplyError('silence') })
    expect(reports).toMatchObject([
      { type: 'external-address', ok: false },
      { type: 'notice', kind: 'address-unknown', error: { message: 'silence' } },
      { type: 'mapped', externalAddress: '' },
    ])
    expect(ended).toBe(0)
  })

  it.each(['', '0.0.0.0', '::'])('is none if it is %j, which is said once', async (address) => {
    const { reports } = await mapped([SSH, { ...SSH, externalPort: 80 }], { externalAddress: () => address })
    const notices = reports.filter(({ type }) => type === 'notice')
    expect(notices).toEqual([{ type: 'notice', kind: 'address-not-public', address: '' }])
  })

  it('is not reported if no port could be mapped', async () => {
    const { types, calls } = await mapped([SSH], { map: () => TAKEN })
    expect([types, calls.map(({ name }) => name)]).toEqual([['map-failed'], ['map']])
  })

  it('gets one warning if it is not an internet address, at the first port that is mapped', async () => {
    const answers: Answers = {
      externalAddress: () => '10.0.0.1',
      map: (request) => (request.externalPort === 22 ? TAKEN : granted(request)),
    }
    const { types, reports } = await mapped([SSH, { ...SSH, externalPort: 80 }, { ...SSH, externalPort: 81 }], answers)
    const one = ['external-address', 'mapped']
    expect(types).toEqual(['map-failed', 'external-address', 'notice', 'mapped', ...one])
    expect(reports[2]).toEqual({ type: 'notice', kind: 'address-not-public', address: '10.0.0.1' })
  })
})

describe('a mapping', () => {
  it('is for this computer if @ is given, and carries the description and the lease that were given', async () => {
    const { calls } = await mapped([{ ...SSH, lease: { seconds: 60 } }])
    expect(calls[0]?.asked).toEqual({
      ...{ internalPort: 22, externalPort: 22, protocol: 'TCP', remoteHost: '', lease: { seconds: 60 } },
      ...{ internalClient: '192.168.1.10', description: 'ignored by PCP' },
    })
  })

  it('takes any port if 0 is asked for, even with -r', async () => {
    const { reports, calls } = await mapped([{ ...SSH, externalPort: 0 }], { mapAny: (each) => granted(each, 49_152) })
    expect(calls[0]).toMatchObject({ name: 'mapAny', asked: { externalPort: 0 } })
    expect(portsOf(reports)).toEqual(['TCP 49152'])
    expect(reports.at(-1)).toMatchObject({ asked: { externalPort: 0 } })
  })

  it('takes another port with -n, and no other with -r', async () => {
    const mapAny = (request: MappingRequest) => granted(request, 23)
    expect(portsOf((await mapped([SSH], { mapAny }, { any: true })).reports)).toEqual(['TCP 23'])
    const exactly = await mapped([SSH], { map: otherPort })
    expect([portsOf(exactly.reports), exactly.types, exactly.ended]).toEqual([[], ['map-failed'], 2])
  })

  it('is not reported as made if the gateway gave another port: over PCP and NAT-PMP nothing is left of it', async () => {
    for (const protocol of ['pcp', 'nat-pmp'] as const) {
      const { reports } = await mapped([SSH], { protocol, map: otherPort })
      expect(reports).toMatchObject([{ type: 'map-failed', via: protocol, error: { code: 'NOT_CONFIRMED' } }])
    }
  })

  it('that fails does not stop the next one, and it is exit 2', async () => {
    const map = (request: MappingRequest) => (request.externalPort === 22 ? TAKEN : granted(request))
    const { types, ended } = await mapped([SSH, { ...SSH, externalPort: 80 }], { map })
    expect([types, ended]).toEqual([['map-failed', 'external-address', 'mapped'], 2])
  })

  it('fails with a sentence if NAT-PMP cannot do that, with exit 1, because nothing was sent', async () => {
    const map = ({ internalClient }: MappingRequest) =>
      internalClient === '192.168.1.5' ? new InvalidArgumentError('for the computer that asks only') : undefined
    const answers: Answers = { protocol: 'nat-pmp', map: (request) => map(request) ?? granted(request) }
    const other = both({ internalClient: '192.168.1.5' })
    const { reports, ended } = await mapped(other, answers)
    expect(reports).toMatchObject([{ type: 'map-failed', via: 'nat-pmp', error: { code: 'INVALID_ARGUMENT' } }])
    expect(ended).toBe(1)
    expect((await mapped([SSH, ...other], answers)).ended).toBe(2)
  })

  it('for this computer needs a gateway that was asked over IPv4', async () => {
    const { reports, ended, calls } = await mapped([SSH], { localAddress: 'fe80::2' })
    expect([calls, ended]).toEqual([[], 2])
    expect(reports).toEqual([{ type: 'error', error: { kind: 'no-ipv4-address' } }])
    const named = await mapped([{ ...SSH, internalClient: '192.168.1.5' }], { localAddress: 'fe80::2' })
    expect(named.ended).toBe(0)
  })
})

describe('TCP+UDP over PCP and NAT-PMP', () => {
  it('is UDP and then TCP on the same port', async () => {
    const { reports, calls, ended } = await mapped(both())
    expect([portsOf(reports), ended]).toEqual([['UDP 22', 'TCP 22'], 0])
    expect(calls.map(({ name }) => name)).toEqual(['map', 'externalAddress', 'map'])
  })

  it('is any port for UDP if 0 is asked for, and that very port for TCP', async () => {
    const { reports, calls } = await mapped(both({ externalPort: 0 }), { mapAny: (each) => granted(each, 49_152) })
    expect(portsOf(reports)).toEqual(['UDP 49152', 'TCP 49152'])
    expect(calls.at(-1)).toMatchObject({ name: 'map', asked: { externalPort: 49_152, protocol: 'TCP' } })
  })

  it('is neither if UDP fails: TCP is not asked for', async () => {
    const { types, calls, ended } = await mapped(both(), { map: refusing('UDP') })
    expect([types, ended]).toEqual([['map-failed'], 2])
    expect(calls).toHaveLength(1)
  })

  it('is neither if TCP fails: UDP is closed again by its internal side, by which it is known', async () => {
    const answers: Answers = { map: refusing('TCP', refusedBy('pcp', 8)), mapAny: (each) => granted(each, 49_152) }
    const { types, calls, ended, reports } = await mapped(both({ externalPort: 0, internalPort: 1 }), answers)
    expect([types.slice(-2), ended]).toEqual([['map-failed', 'taken-back'], 2])
    const key = { externalPort: 49_152, protocol: 'UDP', remoteHost: '' }
    expect(calls.at(-1)).toEqual({
      name: 'unmap',
      asked: { ...key, internalClient: '192.168.1.10', internalPort: 1 },
    })
    expect(reports.at(-1)).toEqual({ type: 'taken-back', key })
  })

  it('is another common port if the one that was picked for UDP is taken for TCP', async () => {
    const answers: Answers = {
      map: (each) => (each.protocol === 'TCP' && each.externalPort === 49_152 ? TAKEN : granted(each)),
      mapAny: (each) => granted(each, 49_152),
    }
    const { reports, ended, types } = await mapped(both({ externalPort: 0 }), answers)
    const [first, ...pair] = portsOf(reports)
    const port = pair[0]?.split(' ')[1]
    expect([first, pair, ended]).toEqual(['UDP 49152', [`UDP ${port}`, `TCP ${port}`], 0])
    expect(types).toContain('taken-back')
  })

  it('gives up after three other ports', async () => {
    const answers: Answers = { map: refusing('TCP'), mapAny: (each) => granted(each, 49_152) }
    const { types, ended } = await mapped(both({ externalPort: 0 }), answers)
    expect([types.filter((type) => type === 'map-failed').length, types.at(-1), ended]).toEqual([4, 'taken-back', 2])
  })

  it('is any port with internal port 0, the same inside and outside, and that very port for TCP', async () => {
    const answers: Answers = { protocol: 'nat-pmp', mapAny: (each) => granted(each, 41_001) }
    const { reports, calls } = await mapped(both({ externalPort: 1, internalPort: 0 }), answers)
    expect(portsOf(reports)).toEqual(['UDP 41001', 'TCP 41001'])
    const asked = calls.flatMap((call) => (call.name === 'externalAddress' ? [] : [[call.name, call.asked]]))
    expect(asked).toMatchObject([
      ['mapAny', { protocol: 'UDP', internalPort: 0, externalPort: 1 }],
      ['map', { protocol: 'TCP', internalPort: 0, externalPort: 41_001 }],
    ])
  })

  it('leaves UDP to its lease if TCP fails and internal port 0 was asked for, which nothing can close', async () => {
    const failing = refusing('TCP', refusedBy('nat-pmp', 4))
    const answers: Answers = { protocol: 'nat-pmp', map: failing, mapAny: (each) => granted(each, 41_001) }
    const { reports, calls, ended } = await mapped(both({ externalPort: 1, internalPort: 0 }), answers)
    expect(reports.at(-1)).toEqual({
      type: 'notice',
      kind: 'ends-with-lease',
      key: { externalPort: 41_001, protocol: 'UDP', remoteHost: '' },
      endsWallMs: expect.any(Number),
    })
    expect(calls.map(({ name }) => name)).not.toContain('unmap')
    expect(ended).toBe(2)
  })

  it('says so if UDP cannot be taken back', async () => {
    const answers: Answers = { protocol: 'nat-pmp', map: refusing('TCP', refusedBy('nat-pmp', 4)) }
    const { reports } = await mapped(both(), { ...answers, unmap: () => refusedBy('nat-pmp', 2) })
    expect(reports.at(-1)).toMatchObject({
      type: 'unmap-failed',
      via: 'nat-pmp',
      key: { externalPort: 22, protocol: 'UDP' },
      error: { number: 2 },
    })
  })

  it('is tried on three other ports with -n if TCP is taken, each time both or neither', async () => {
    const { calls, ended, reports } = await mapped(both(), { map: refusing('TCP') }, { any: true })
    const tried = calls.map(({ name, asked }) => `${name} ${asked?.protocol ?? ''}`)
    const once = ['mapAny UDP', 'map TCP', 'unmap UDP']
    expect(tried.filter((each) => each !== 'externalAddress ')).toEqual([...once, ...once, ...once, ...once])
    expect(new Set(calls.flatMap(({ asked }) => asked?.externalPort ?? [])).size).toBe(4)
    expect(ended).toBe(2)
    expect(reports.at(-1)).toMatchObject({ type: 'taken-back' })
  })

  it.each([
    ['a refusal of PCP', TAKEN, 0],
    ['another port that was offered', otherPort({ ...SSH, internalClient: '192.168.1.10', description: '' }), 0],
    ['a refusal that has nothing to do with the port', refusedBy('pcp', 10), 2],
    ['out of resources of NAT-PMP', refusedBy('nat-pmp', 4), 2],
  ])('goes on to another port with -n after %s only if that may help', async (_, error, code) => {
    const map = (request: MappingRequest) =>
      request.protocol === 'TCP' && request.externalPort === 22 ? error : granted(request)
    const { ended, reports } = await mapped(both(), { map }, { any: true })
    expect(ended).toBe(code)
    expect(portsOf(reports)).toHaveLength(code === 0 ? 3 : 1)
  })

  it('names what is still open if the time runs out during the TCP half', async () => {
    const outOfTime = new NoReplyError('gave up after 1 s', { action: 'MAP' })
    const scene = sceneOf({
      map(request) {
        if (request.protocol === 'UDP') return granted(request)
        scene.controller.abort(outOfTime)
        return outOfTime
      },
    })
    const { reports, ended } = await outcome(
      map(scene.chosen, scene.context, { name: 'map', any: false, mappings: both() }, ''),
    )
    expect(ended).toBe(outOfTime)
    expect(reports.at(-1)).toMatchObject({ kind: 'still-open', key: { externalPort: 22, protocol: 'UDP' } })
  })
})

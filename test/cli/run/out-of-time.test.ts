import { describe, expect, it } from 'vitest'
import type { Chosen, RunContext } from '../../../src/cli/context.ts'
import { map, unmap } from '../../../src/cli/run/map.ts'
import { NoReplyError } from '../../../src/domain/errors.ts'
import type { IgdGateway } from '../../../src/domain/gateway.ts'
import type { MappingRequest, PortMapping } from '../../../src/domain/port-mapping.ts'
import { outcome, routerOf } from '../../support/fake-port-control.ts'

const OUT_OF_TIME = new NoReplyError('gave up after 1 s', { action: 'AddPortMapping' })
const COMMON = {
  internalClient: 'local',
  internalPort: 22,
  externalPort: 22,
  lease: 'unlimited',
  remoteHost: '',
} as const
const BOTH = {
  name: 'map',
  any: false,
  mappings: [
    { ...COMMON, protocol: 'UDP' },
    { ...COMMON, protocol: 'TCP', pairedWithPrevious: true },
  ],
} as const

function start(gateway: Partial<IgdGateway>): { chosen: Chosen; context: RunContext; controller: AbortController } {
  const controller = new AbortController()
  const whole = {
    protocol: 'igd',
    localAddress: '192.168.1.10',
    remembers: async () => false,
    ...gateway,
  } as IgdGateway
  const chosen = { gateway: whole, externalAddress: '11.22.33.44', router: routerOf(whole) } as Chosen
  return {
    chosen,
    context: { signal: controller.signal, interfaces: () => [] as const } as unknown as RunContext,
    controller,
  }
}

const made = (request: MappingRequest): PortMapping => ({ ...request, enabled: true, leaseSeconds: 0 })

describe('TCP+UDP when the time runs out', () => {
  it('during the TCP half reports both: what failed, and what is still open', async () => {
    const { chosen, context, controller } = start({
      async map(request) {
        if (request.protocol === 'UDP') return made(request)
        controller.abort(OUT_OF_TIME)
        throw OUT_OF_TIME
      },
    })
    const { reports, ended } = await outcome(map(chosen, context, BOTH, 'x'))
    expect(ended).toBe(OUT_OF_TIME)
    expect(reports.map(({ type }) => type).slice(-2)).toEqual(['map-failed', 'notice'])
    expect(reports.at(-1)).toMatchObject({ kind: 'still-open', key: { externalPort: 22, protocol: 'UDP' } })
  })

  it('in the moment in which it is done is done', async () => {
    const { chosen, context, controller } = start({
      async map(request) {
        if (request.protocol === 'TCP') controller.abort(OUT_OF_TIME)
        return made(request)
      },
    })
    const { reports, ended } = await outcome(map(chosen, context, BOTH, 'x'))
    expect(ended).toBe(0)
    expect(reports.map(({ type }) => type)).not.toContain('notice')
  })
})

describe('closing a port when the time runs out', () => {
  const command = {
    name: 'unmap',
    keys: [{ externalPort: 22, protocol: 'TCP', remoteHost: '' }],
    exitCodeOfFailure: 2,
  } as const

  it('names the port before it ends', async () => {
    const { chosen, context, controller } = start({
      async unmap() {
        controller.abort(OUT_OF_TIME)
        throw OUT_OF_TIME
      },
    })
    const { reports, ended } = await outcome(unmap(chosen, context, command))
    expect(ended).toBe(OUT_OF_TIME)
    expect(reports).toMatchObject([{ type: 'unmap-failed', key: { externalPort: 22 } }])
  })

  it('in the moment in which it is done is done', async () => {
    const { chosen, context, controller } = start({ unmap: async () => controller.abort(OUT_OF_TIME) })
    expect((await outcome(unmap(chosen, context, command))).ended).toBe(0)
  })
})

/** A port for one remote host only: some routers say yes and let everybody in. */
import { describe, expect, it } from 'vitest'
import { IgdServiceGateway } from '../../../src/client/igd/gateway.ts'
import type { ControlledService } from '../../../src/client/igd/services.ts'
import { SoapCaller } from '../../../src/client/igd/soap-caller.ts'
import { keptMappings } from '../../../src/client/mapping-memory.ts'
import type { MappingRequest } from '../../../src/domain/port-mapping.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import type { HttpRequest } from '../../../src/net/http/client.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { tag, WANIP1 } from '../../support/scripted-devices.ts'
import { soapFault, soapResponse } from '../../support/scripted-gateway.ts'
import { type ScriptedAnswer, ScriptedHttp } from '../../support/scripted-http.ts'

const CONNECTION: ControlledService = {
  service: 'WANConnection',
  serviceType: WANIP1,
  controlUrls: [new URL('http://192.168.1.1:5000/ctl')],
}
const FRIEND = '203.0.113.9'
const REQUEST: MappingRequest = {
  remoteHost: FRIEND,
  externalPort: 2222,
  protocol: 'TCP',
  internalClient: '192.168.1.10',
  internalPort: 22,
  description: 'ssh',
  lease: 'unlimited',
}

interface Behaviour {
  /** What the table shows as the remote host of the new mapping. */
  readonly shows?: string
  readonly client?: string
  readonly table?: number
  readonly deletes?: number
}

function routerThat({ shows = '', client = '192.168.1.10', table, deletes }: Behaviour) {
  const asked: string[] = []
  const target =
    tag('NewInternalPort', 22) + tag('NewInternalClient', client) + tag('NewEnabled', 1) + tag('NewLeaseDuration', 0)
  const answer = ({ action, body = '' }: HttpRequest): ScriptedAnswer => {
    const remoteHost = /<NewRemoteHost>(.*)<\/NewRemoteHost>/.exec(body)?.[1]
    if (!action.startsWith('Get')) asked.push(`${action} '${remoteHost}'`)
    const refused = (code: number): ScriptedAnswer => ({ status: 500, body: soapFault(code) })
    if (action === 'DeletePortMapping' && deletes !== undefined) return refused(deletes)
    if (action === 'AddAnyPortMapping') return { body: soapResponse(action, tag('NewReservedPort', 2222)) }
    if (action === 'GetSpecificPortMappingEntry')
      return { body: soapResponse(action, target.replace(client, '192.168.1.10')) }
    if (action !== 'GetGenericPortMappingEntry') return { body: soapResponse(action, '') }
    if (table !== undefined) return refused(table)
    const index = Number(/<NewPortMappingIndex>(.*)<\/NewPortMappingIndex>/.exec(body)?.[1])
    const row = (port: number, host: string): string =>
      tag('NewRemoteHost', host) + tag('NewExternalPort', port) + tag('NewProtocol', 'TCP') + target
    const rows = [row(80, ''), row(2222, shows)]
    return rows[index] === undefined ? refused(713) : { body: soapResponse(action, rows[index]) }
  }
  const clock = new FakeClock()
  const services = {
    connections: [CONNECTION],
    commonInterfaceConfig: undefined,
    firewallControl: undefined,
    presentationUrl: '',
  }
  const identity = async (): Promise<string> => 'uuid:1'
  const memory = keptMappings(memoryFiles(), clock, { address: '192.168.1.1', via: 'igd', identity })
  const caller = new SoapCaller(new ScriptedHttp(clock, answer), undefined)
  return { gateway: new IgdServiceGateway(caller, services, CONNECTION, '192.168.1.10', { memory }), asked, memory }
}

describe('a mapping for one remote host', () => {
  it.each(['map', 'mapAny'] as const)('is made if the table shows that host: %s', async (method) => {
    const { gateway, asked, memory } = routerThat({ shows: FRIEND })
    const mapping = await gateway[method](REQUEST)
    expect(mapping.isRemoteHostUnchecked).toBeUndefined()
    expect(asked).toEqual([`${method === 'map' ? 'AddPortMapping' : 'AddAnyPortMapping'} '${FRIEND}'`])
    expect(await memory.recall({ externalPort: 2222, protocol: 'TCP' })).toMatchObject({ remoteHost: FRIEND })
    expect(await gateway.remembers(REQUEST)).toBe(true)
    expect(await gateway.remembers({ ...REQUEST, remoteHost: '' })).toBe(false)
  })

  it.each(
    (['map', 'mapAny'] as const).flatMap((method) =>
      ['', '*', '0.0.0.0', '255.255.255.255'].map((shows) => [method, shows] as const),
    ),
  )('is closed again if the table shows everybody: %s, %j', async (method, shows) => {
    const { gateway, asked, memory } = routerThat({ shows })
    await expect(gateway[method](REQUEST)).rejects.toMatchObject({
      code: 'NOT_CONFIRMED',
      isClosedAgain: true,
      belongsToAnother: false,
      message:
        'external port 2222 TCP: the router shows it open to everybody, not to 203.0.113.9 only; it was closed again, ' +
        'and may have been open to everybody for that moment',
    })
    expect(asked.at(-1)).toBe("DeletePortMapping ''")
    expect(await memory.recall({ externalPort: 2222, protocol: 'TCP' })).toBeUndefined()
  })

  it('is named if it cannot be closed again', async () => {
    const { gateway } = routerThat({ deletes: 606 })
    const error = { isClosedAgain: false, message: expect.stringMatching(/closing it failed: .*606/) }
    await expect(gateway.map(REQUEST)).rejects.toMatchObject(error)
  })

  it.each<[string, Behaviour]>([
    ['the table cannot be read', { table: 401 }],
    ['the table shows a name', { shows: 'friend.example' }],
    ['the table shows another computer', { client: '192.168.1.66' }],
  ])('is made, and not known to be limited, if %s', async (_name, behaviour) => {
    const { gateway, asked } = routerThat(behaviour)
    expect(await gateway.map(REQUEST)).toMatchObject({ isRemoteHostUnchecked: true })
    expect(asked).toEqual([`AddPortMapping '${FRIEND}'`])
  })

  it('needs no look if there is none', async () => {
    const { gateway } = routerThat({ table: 401 })
    const mapping = await gateway.map({ ...REQUEST, remoteHost: '' })
    expect('isRemoteHostUnchecked' in mapping).toBe(false)
  })
})

/**
 * From which address an IGD is asked about a mapping. A router in secure mode lets an address open and close only what
 * leads to itself, so it is the address that the mapping leads to, if this computer has it.
 */
import { describe, expect, it } from 'vitest'
import { IgdServiceGateway } from '../../../src/client/igd/gateway.ts'
import type { ControlledService } from '../../../src/client/igd/services.ts'
import { SoapCaller } from '../../../src/client/igd/soap-caller.ts'
import { RefusedError } from '../../../src/domain/errors.ts'
import type { MappingRequest } from '../../../src/domain/port-mapping.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { tag, WANIP1 } from '../../support/scripted-devices.ts'
import { soapFault, soapResponse } from '../../support/scripted-gateway.ts'
import { type ScriptedAnswer, ScriptedHttp } from '../../support/scripted-http.ts'

const FIRST = '192.168.1.10'
const SECOND = '192.168.1.11'
const ANOTHERS = '192.168.1.66'

const KEY = { externalPort: 8000, protocol: 'TCP', remoteHost: '' } as const
const requestFor = (internalClient: string): MappingRequest => {
  return { ...KEY, internalClient, internalPort: 80, description: 'web', lease: 'unlimited' }
}

interface Habits {
  /** To whom the port leads at first. */
  readonly holder?: string
  /** Actions that it does not know. */
  readonly unknown?: readonly string[]
  /** The address to ask from that the user named. */
  readonly named?: string
}

/** A router in secure mode, with one port. */
function secureRouter({ holder, unknown = [], named }: Habits = {}) {
  let client = holder
  const refusal = (code: number): ScriptedAnswer => ({ status: 500, body: soapFault(code) })
  const http = new ScriptedHttp(new FakeClock(), ({ action, body = '', localAddress = FIRST }) => {
    const content = (text = ''): ScriptedAnswer => ({ body: soapResponse(action, text) })
    if (unknown.includes(action)) return refusal(401)
    if (action === 'AddPortMapping' || action === 'AddAnyPortMapping') {
      if (!body.includes(`<NewInternalClient>${localAddress}<`)) return refusal(718)
      client = localAddress
      return content(action === 'AddAnyPortMapping' ? tag('NewReservedPort', 8000) : '')
    }
    const isLooked = action === 'GetSpecificPortMappingEntry' || body.includes('<NewPortMappingIndex>0<')
    if (client === undefined || (action.startsWith('Get') && !isLooked)) return refusal(isLooked ? 714 : 713)
    const key = tag('NewRemoteHost', '') + tag('NewExternalPort', 8000) + tag('NewProtocol', 'TCP')
    const target = tag('NewInternalPort', 80) + tag('NewInternalClient', client) + tag('NewEnabled', 1)
    if (isLooked) return content(key + target + tag('NewPortMappingDescription', 'web') + tag('NewLeaseDuration', 0))
    if (client !== localAddress) return refusal(606)
    client = undefined
    return content()
  })
  const url = new URL('http://192.168.1.1:5000/ctl')
  const connection: ControlledService = { service: 'WANConnection', serviceType: WANIP1, controlUrls: [url] }
  const services = {
    connections: [connection],
    commonInterfaceConfig: undefined,
    firewallControl: undefined,
    presentationUrl: '',
  }
  const caller = new SoapCaller(http, undefined, { localAddress: named })
  const own = (): string[] => ['127.0.0.1', FIRST, SECOND]
  const gateway = new IgdServiceGateway(caller, services, connection, named ?? FIRST, { ownAddresses: own })
  const asked = (): string[] => {
    return http.seen.map(({ request: { action, localAddress = 'as usual' } }) => `${action} ${localAddress}`)
  }
  return { gateway, asked, holder: () => client }
}

describe('a mapping for another address of this computer', () => {
  it.each([
    ['map', 'AddPortMapping'],
    ['mapAny', 'AddAnyPortMapping'],
  ] as const)('is made by %s, and read back, from that address', async (method, action) => {
    const { gateway, asked } = secureRouter()
    expect(await gateway[method](requestFor(SECOND))).toMatchObject({ internalClient: SECOND, externalPort: 8000 })
    expect(asked()).toEqual([`${action} ${SECOND}`, `GetSpecificPortMappingEntry ${SECOND}`])
  })

  it('is made on another port from that address if the router cannot choose one', async () => {
    const { gateway, asked } = secureRouter({ unknown: ['AddAnyPortMapping'] })
    await gateway.mapAny(requestFor(SECOND))
    const actions = ['AddAnyPortMapping', 'AddPortMapping', 'GetSpecificPortMappingEntry']
    expect(asked()).toEqual(actions.map((action) => `${action} ${SECOND}`))
  })

  it('is read back in the table from that address', async () => {
    const { gateway, asked } = secureRouter({ unknown: ['GetSpecificPortMappingEntry'] })
    await gateway.map(requestFor(SECOND))
    expect(asked().at(-1)).toBe(`GetGenericPortMappingEntry ${SECOND}`)
  })

  it('is removed from that address if the caller knows whose it is', async () => {
    const { gateway, asked } = secureRouter({ holder: SECOND })
    await gateway.unmap({ ...KEY, internalClient: SECOND })
    expect(asked()).toEqual([`DeletePortMapping ${SECOND}`])
  })

  it('is removed from that address if the router refuses the usual one and shows it', async () => {
    const { gateway, asked, holder } = secureRouter({ holder: SECOND })
    await gateway.unmap(KEY)
    expect(asked()).toEqual([
      'DeletePortMapping as usual',
      'GetSpecificPortMappingEntry as usual',
      `DeletePortMapping ${SECOND}`,
    ])
    expect(holder()).toBeUndefined()
  })
})

describe('a mapping for an address that was named', () => {
  it('is made and removed from it', async () => {
    const { gateway, asked } = secureRouter({ named: SECOND })
    await gateway.map(requestFor(SECOND))
    await gateway.unmap(requestFor(SECOND))
    expect(asked().map((each) => each.split(' ')[1])).toEqual([SECOND, SECOND, SECOND])
  })

  it('is removed from the usual address if it is for that one', async () => {
    const { gateway, holder } = secureRouter({ named: SECOND, holder: FIRST })
    await gateway.unmap(KEY)
    expect(holder()).toBeUndefined()
  })
})

describe("another computer's mapping", () => {
  it('is asked for from the usual address', async () => {
    const { gateway, asked } = secureRouter()
    await expect(gateway.map(requestFor(ANOTHERS))).rejects.toMatchObject({ number: 718 })
    expect(asked()).toEqual(['AddPortMapping as usual'])
  })

  it('is not removed, and the refusal is told', async () => {
    const { gateway, asked, holder } = secureRouter({ holder: ANOTHERS })
    await expect(gateway.unmap(KEY)).rejects.toMatchObject({ number: 606, action: 'DeletePortMapping' })
    expect(asked()).toEqual(['DeletePortMapping as usual', 'GetSpecificPortMappingEntry as usual'])
    expect(holder()).toBe(ANOTHERS)
  })

  it('is refused as before if nobody can be asked whose it is', async () => {
    const unknown = ['GetSpecificPortMappingEntry', 'GetGenericPortMappingEntry']
    const { gateway } = secureRouter({ holder: SECOND, unknown })
    await expect(gateway.unmap(KEY)).rejects.toThrow(RefusedError)
  })
})

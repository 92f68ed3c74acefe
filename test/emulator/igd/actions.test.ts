import { describe, expect, it, vi } from 'vitest'
import { decodeWanted } from '../../../src/emulator/igd/actions.ts'
import { MappingTable } from '../../../src/emulator/tables/mapping-table.ts'
import { decodePortListing } from '../../../src/wire/port-listing.ts'
import { type Asked, ask, FACTS, KEY, MAPPING, makeResponder, outcome, RANGE, soapRequest, WHERE } from '../asking.ts'

describe('the facts', () => {
  it('are those of the connection, whose uptime counts from the start', () => {
    const responder = makeResponder({ startedMs: 1000 })
    expect(ask({ action: 'GetStatusInfo' }, responder, 4999)).toEqual({
      newconnectionstatus: 'Connected',
      newlastconnectionerror: 'ERROR_NONE',
      newuptime: '3',
    })
  })

  it('are those of the link, whose counters wrap at 32 bits', () => {
    const where = WHERE.WANCommonInterfaceConfig
    expect(ask({ action: 'GetCommonLinkProperties', ...where })).toMatchObject({
      newlayer1upstreammaxbitrate: '20000000',
      newlayer1downstreammaxbitrate: '100000000',
    })
    expect(ask({ action: 'GetTotalBytesReceived', ...where })).toEqual({ newtotalbytesreceived: '2' })
  })
})

describe('mapping actions', () => {
  it('map, show, list and delete', () => {
    const responder = makeResponder()
    expect(ask({ action: 'AddPortMapping', args: MAPPING }, responder)).toEqual({})
    const shown = { newinternalclient: '192.168.1.5', newportmappingdescription: 'web & co', newleaseduration: '3599' }
    expect(ask({ action: 'GetSpecificPortMappingEntry', args: KEY }, responder, 1000)).toMatchObject(shown)
    const index = (NewPortMappingIndex: string): Asked => ({
      action: 'GetGenericPortMappingEntry',
      args: { NewPortMappingIndex },
    })
    expect(ask(index('0'), responder, 1000)).toMatchObject({ newexternalport: '8080', ...shown })
    expect(ask(index('1'), responder)).toBe(713)
    expect(ask({ action: 'DeletePortMapping', args: KEY }, responder)).toEqual({})
    expect(ask({ action: 'DeletePortMapping', args: KEY }, responder)).toBe(714)
    expect(ask({ action: 'GetSpecificPortMappingEntry', args: KEY }, responder)).toBe(714)
  })

  it('map to other computers too, but answer 606 in secure mode', () => {
    const args = { ...MAPPING, NewInternalClient: '192.168.1.6' }
    expect(ask({ action: 'AddPortMapping', args })).toEqual({})
    const secure = makeResponder({ facts: { ...FACTS, secureMode: true } })
    expect(ask({ action: 'AddPortMapping', args }, secure)).toBe(606)
    expect(ask({ action: 'AddPortMapping', args: MAPPING }, secure)).toEqual({})
  })
})

describe('AddAnyPortMapping', () => {
  it('answers with the port, and in secure mode maps only to the computer that asks', () => {
    const responder = makeResponder({ facts: { ...FACTS, secureMode: true } })
    const any = (NewInternalClient: string, remoteAddress: string): Asked => ({
      action: 'AddAnyPortMapping',
      args: { ...MAPPING, NewInternalClient },
      remoteAddress,
    })
    expect(ask(any('192.168.1.5', '192.168.1.5'), responder)).toEqual({ newreservedport: '8080' })
    expect(ask(any('192.168.1.6', '192.168.1.6'), responder)).toEqual({ newreservedport: '8081' })
    expect(ask(any('192.168.1.5', '192.168.1.6'), responder)).toBe(606)
  })
})

describe('the range actions', () => {
  function listed(
    responder: ReturnType<typeof makeResponder>,
    changes: Readonly<Record<string, string>> = {},
  ): unknown {
    const result = ask({ action: 'GetListOfPortMappings', args: { ...RANGE, ...changes } }, responder)
    if (typeof result === 'number') return result
    return decodePortListing(result.newportlisting ?? '').map((entry) => entry.NewExternalPort)
  }
  function filled(): ReturnType<typeof makeResponder> {
    const responder = makeResponder()
    for (const [NewExternalPort, NewInternalClient] of [
      ['1', '192.168.1.5'],
      ['2', '192.168.1.6'],
      ['3', '192.168.1.5'],
    ] as const)
      ask({ action: 'AddPortMapping', args: { ...MAPPING, NewExternalPort, NewInternalClient } }, responder)
    return responder
  }

  it("list and delete everybody's mappings with NewManage 1, and with 0 only those of the computer that asks", () => {
    const responder = filled()
    const remove = (changes: object): unknown =>
      ask({ action: 'DeletePortMappingRange', args: { ...RANGE, ...changes } }, responder)
    expect(listed(responder)).toEqual(['1', '2', '3'])
    expect(listed(responder, { NewManage: '0' })).toEqual(['1', '3'])
    expect(listed(responder, { NewNumberOfPorts: '2' })).toEqual(['1', '2'])
    expect(remove({ NewManage: '0', NewEndPort: '2' })).toEqual({})
    expect(listed(responder)).toEqual(['2', '3'])
    expect(remove({})).toEqual({})
    expect(remove({})).toBe(730)
    expect(listed(responder)).toBe(730)
    expect(remove({ NewStartPort: '3', NewEndPort: '2' })).toBe(733)
    expect(listed(responder, { NewStartPort: '3', NewEndPort: '2' })).toBe(733)
  })

  it('send the listing as CDATA, which the text of a description cannot end', () => {
    const responder = makeResponder()
    const NewPortMappingDescription = ']]></NewPortListing><![CDATA[ $& <b> &amp;'
    ask({ action: 'AddPortMapping', args: { ...MAPPING, NewPortMappingDescription } }, responder)
    const reply = responder(soapRequest({ action: 'GetListOfPortMappings', args: RANGE }), 0)
    expect(reply.body).toContain('<NewPortListing><![CDATA[<p:PortMappingList ')
    const soap = outcome(reply, 'GetListOfPortMappings')
    const listing = typeof soap === 'number' ? '' : (soap.newportlisting ?? '')
    expect(decodePortListing(listing)).toMatchObject([{ NewDescription: NewPortMappingDescription }])
  })

  it('list 10 000 mappings in one pass', () => {
    const table = new MappingTable(10_000)
    for (let externalPort = 1; externalPort <= 10_000; externalPort++)
      table.add({ ...decodeWanted(MAPPING), externalPort }, 0)
    const passes = [vi.spyOn(Map.prototype, 'values'), vi.spyOn(Array.prototype, 'filter')]
    const reply = makeResponder({ table })(soapRequest({ action: 'GetListOfPortMappings', args: RANGE }), 0)
    const ofAll = passes.map((spy) => spy.mock.contexts.filter((each) => sizeOf(each) === 10_000).length)
    vi.restoreAllMocks()
    expect(ofAll).toEqual([0, 1])
    expect(reply.body.match(/<p:NewExternalPort>/g)).toHaveLength(10_000)
  })
})

const sizeOf = (collection: unknown): number =>
  collection instanceof Map ? collection.size : Array.isArray(collection) ? collection.length : 0

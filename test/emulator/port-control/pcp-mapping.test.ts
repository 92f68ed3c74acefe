import { describe, expect, it } from 'vitest'
import { MappingTable } from '../../../src/emulator/tables/mapping-table.ts'
import { PCP_RESULTS } from '../../../src/wire/pcp-result-codes.ts'
import { ask as askIgd, FACTS, MAPPING, makeResponder, makeState } from '../asking.ts'
import { CLIENT, NONCE, natPmpPort, OTHER, OTHER_NONCE, pcpMap, pcpResult, withOptions } from './port-control-asking.ts'

const { SUCCESS, NOT_AUTHORIZED, NO_RESOURCES, UNSUPP_PROTOCOL, MALFORMED_REQUEST, CANNOT_PROVIDE_EXTERNAL } =
  PCP_RESULTS
const PREFER_FAILURE = { kind: 'PREFER_FAILURE' } as const

describe('MAP over IPv4', () => {
  it('gives the suggested port if it is free, and says so in the response', () => {
    const state = makeState()
    expect(pcpMap(state, { nowMs: 5999 })).toEqual({
      kind: 'MAP-response',
      resultCode: SUCCESS,
      lifetimeSeconds: 3600,
      epochSeconds: 5,
      nonce: NONCE,
      protocol: 6,
      internalPort: 80,
      assignedExternalPort: 8080,
      assignedExternalAddress: '11.22.33.44',
      options: [],
    })
  })

  it.each([
    [1, 120],
    [120, 120],
    [7200, 7200],
    [86_400, 86_400],
    [0xffffffff, 86_400],
  ])('makes of a lifetime of %i s one of %i s', (lifetimeSeconds, granted) => {
    const state = makeState()
    expect(pcpMap(state, { lifetimeSeconds }).lifetimeSeconds).toBe(granted)
    expect(state.table.list(granted * 1000 - 1)).toHaveLength(1)
    expect(state.table.list(granted * 1000)).toEqual([])
  })

  it('is in the table of the IGD, with a description that says what it is', () => {
    const state = makeState()
    pcpMap(state)
    const responder = makeResponder(state)
    expect(
      askIgd({ action: 'GetGenericPortMappingEntry', args: { NewPortMappingIndex: '0' } }, responder),
    ).toMatchObject({
      newexternalport: '8080',
      newinternalclient: CLIENT,
      newportmappingdescription: 'PCP 80 TCP',
      newleaseduration: '3600',
    })
    expect(askIgd({ action: 'AddPortMapping', args: { ...MAPPING, NewInternalClient: OTHER } }, responder)).toBe(718)
  })

  it('gives the next port if the suggested one is taken, even by an IGD or for another remote host', () => {
    const state = makeState()
    askIgd({ action: 'AddPortMapping', args: { ...MAPPING, NewRemoteHost: '1.2.3.4' } }, makeResponder(state))
    expect(pcpMap(state, { from: OTHER }).assignedExternalPort).toBe(8081)
    expect(pcpMap(state).assignedExternalPort).toBe(8082)
    expect(pcpMap(state, { protocol: 17 }).assignedExternalPort).toBe(8080)
  })

  it('gives a dynamic port if none is suggested', () => {
    const state = makeState()
    expect(pcpMap(state, { suggestedExternalPort: 0 }).assignedExternalPort).toBe(49_152)
    expect(pcpMap(state, { suggestedExternalPort: 0, internalPort: 81 }).assignedExternalPort).toBe(49_153)
  })

  it('ignores the suggestion of another external address', () => {
    expect(pcpMap(makeState(), { suggestedExternalAddress: '8.8.8.8' }).assignedExternalAddress).toBe('11.22.33.44')
  })

  it('has no room if the table is full, and says that this may pass; a renewal needs none', () => {
    const state = makeState({ table: new MappingTable(1) })
    pcpMap(state)
    expect(pcpMap(state, { internalPort: 81 })).toMatchObject({ resultCode: NO_RESOURCES, lifetimeSeconds: 30 })
    expect(pcpResult(state)).toBe(SUCCESS)
    expect(pcpResult(state, { internalPort: 81, nowMs: 3_600_000 })).toBe(SUCCESS)
  })

  it('has no room if every port is taken', () => {
    const table = new MappingTable(70_000)
    const taken = { remoteHost: '', protocol: 'TCP', internalClient: OTHER, enabled: true, description: '' } as const
    for (let port = 1; port <= 65_535; port++)
      table.add({ ...taken, externalPort: port, internalPort: 1, leaseSeconds: 0 }, 0)
    expect(pcpResult(makeState({ table }))).toBe(NO_RESOURCES)
  })

  it.each([
    [1, 80],
    [255, 80],
    [6, 0],
    [17, 0],
    [0, 0],
  ])('maps neither other protocols nor all ports: protocol %i, port %i', (protocol, internalPort) => {
    expect(pcpMap(makeState(), { protocol, internalPort })).toMatchObject({
      resultCode: UNSUPP_PROTOCOL,
      lifetimeSeconds: 1800,
    })
  })

  it('treats a request for one port of all protocols as malformed', () => {
    expect(pcpResult(makeState(), { protocol: 0 })).toBe(MALFORMED_REQUEST)
    expect(pcpResult(makeState(), { protocol: 0, lifetimeSeconds: 0 })).toBe(MALFORMED_REQUEST)
  })

  it('maps the ports of PCP itself for nobody', () => {
    const state = makeState()
    for (const port of [5350, 5351]) {
      expect(pcpResult(state, { protocol: 17, internalPort: port })).toBe(NOT_AUTHORIZED)
      const suggested = { protocol: 17, internalPort: port + 100, suggestedExternalPort: port }
      expect(pcpResult(state, { ...suggested, options: [PREFER_FAILURE] })).toBe(CANNOT_PROVIDE_EXTERNAL)
      expect(pcpMap(state, suggested).assignedExternalPort).toBeGreaterThan(5351)
      expect(pcpMap(state, { internalPort: port, suggestedExternalPort: port }).assignedExternalPort).toBe(port)
    }
  })

  it('answers with a short-lived error if there is no connection', () => {
    const state = makeState({ facts: { ...FACTS, connectionStatus: 'Disconnected' } })
    expect(pcpMap(state)).toMatchObject({ resultCode: PCP_RESULTS.NETWORK_FAILURE, lifetimeSeconds: 30 })
    expect(pcpResult(state, { lifetimeSeconds: 0 })).toBe(SUCCESS)
  })
})

describe('renewal', () => {
  it('with the same nonce keeps the external port, whatever is suggested, and gets the new lifetime', () => {
    const state = makeState()
    pcpMap(state)
    const renewed = pcpMap(state, { suggestedExternalPort: 9000, lifetimeSeconds: 7200, nowMs: 1_800_000 })
    expect(renewed).toMatchObject({ resultCode: SUCCESS, assignedExternalPort: 8080, lifetimeSeconds: 7200 })
    expect(state.table.list(1_800_000)).toMatchObject([{ externalPort: 8080, leaseSeconds: 7200 }])
  })

  it('with another nonce is refused for as long as the mapping lives, and changes nothing', () => {
    const state = makeState()
    pcpMap(state)
    const refused = pcpMap(state, { nonce: OTHER_NONCE, lifetimeSeconds: 7200, nowMs: 600_000 })
    expect(refused).toMatchObject({ resultCode: NOT_AUTHORIZED, lifetimeSeconds: 3000, nonce: OTHER_NONCE })
    expect(state.table.list(600_000)).toMatchObject([{ nonce: NONCE, leaseSeconds: 3000 }])
    expect(pcpResult(state, { nonce: OTHER_NONCE, nowMs: 3_600_000 })).toBe(SUCCESS)
  })

  it('takes over a mapping of NAT-PMP, which has no nonce', () => {
    const state = makeState()
    natPmpPort(state, { protocol: 'TCP', internalPort: 80, suggestedExternalPort: 9000 })
    expect(pcpMap(state)).toMatchObject({ resultCode: SUCCESS, assignedExternalPort: 9000 })
    expect(state.table.list(0)).toMatchObject([{ madeBy: 'pcp', nonce: NONCE, description: 'PCP 80 TCP' }])
  })

  it('is a new mapping if client, port or protocol differ', () => {
    const state = makeState()
    pcpMap(state)
    expect(pcpMap(state, { from: OTHER, nonce: OTHER_NONCE }).assignedExternalPort).toBe(8081)
    expect(pcpMap(state, { internalPort: 81, nonce: OTHER_NONCE }).assignedExternalPort).toBe(8082)
    expect(pcpMap(state, { protocol: 17, nonce: OTHER_NONCE }).assignedExternalPort).toBe(8080)
    expect(state.table.list(0)).toHaveLength(4)
  })
})

describe('deletion', () => {
  const DELETE = { lifetimeSeconds: 0 }

  it('needs the nonce', () => {
    const state = makeState()
    pcpMap(state)
    expect(pcpMap(state, { ...DELETE, nonce: OTHER_NONCE, nowMs: 600_000 })).toMatchObject({
      resultCode: NOT_AUTHORIZED,
      lifetimeSeconds: 3000,
    })
    expect(state.table.list(0)).toHaveLength(1)
    expect(pcpMap(state, DELETE)).toMatchObject({ resultCode: SUCCESS, lifetimeSeconds: 0, internalPort: 80 })
    expect(state.table.list(0)).toEqual([])
  })

  it('of a mapping that does not exist is a success', () => {
    expect(pcpMap(makeState(), DELETE)).toMatchObject({ resultCode: SUCCESS, lifetimeSeconds: 0 })
  })

  it('of another client’s mapping deletes nothing', () => {
    const state = makeState()
    pcpMap(state)
    expect(pcpResult(state, { ...DELETE, from: OTHER })).toBe(SUCCESS)
    expect(state.table.list(0)).toHaveLength(1)
  })

  it('of a mapping of an IGD is not authorized', () => {
    const state = makeState()
    askIgd({ action: 'AddPortMapping', args: MAPPING }, makeResponder(state))
    expect(pcpResult(state, DELETE)).toBe(NOT_AUTHORIZED)
    expect(state.table.list(0)).toHaveLength(1)
  })

  it('with internal port 0 deletes all mappings with that client, protocol and nonce', () => {
    const state = makeState()
    const make = (asked: Parameters<typeof pcpMap>[1]): number =>
      pcpResult(state, { suggestedExternalPort: 0, ...asked })
    make({ internalPort: 1 })
    make({ internalPort: 2 })
    make({ internalPort: 3, nonce: OTHER_NONCE })
    make({ internalPort: 4, from: OTHER })
    make({ internalPort: 5, protocol: 17 })
    const left = (): number[] => state.table.list(0).map((entry) => entry.internalPort)
    expect(pcpResult(state, { ...DELETE, internalPort: 0 })).toBe(SUCCESS)
    expect(left()).toEqual([3, 4, 5])
    expect(pcpResult(state, { ...DELETE, internalPort: 0, protocol: 0 })).toBe(SUCCESS)
    expect(left()).toEqual([3, 4])
    expect(pcpResult(state, { ...DELETE, internalPort: 0, protocol: 50 })).toBe(UNSUPP_PROTOCOL)
    expect(pcpResult(state, { ...DELETE, protocol: 50 })).toBe(UNSUPP_PROTOCOL)
  })
})

describe('PREFER_FAILURE', () => {
  it('gives exactly what is suggested, and the response repeats the option', () => {
    const state = makeState()
    const asked = { suggestedExternalAddress: '11.22.33.44', ...withOptions(PREFER_FAILURE) }
    expect(pcpMap(state, asked)).toMatchObject({ resultCode: SUCCESS, options: [PREFER_FAILURE] })
    expect(pcpResult(state, asked)).toBe(SUCCESS)
  })

  it('gives nothing if the port is taken, or if the mapping has another one', () => {
    const state = makeState()
    pcpMap(state, { from: OTHER })
    const refused = { resultCode: CANNOT_PROVIDE_EXTERNAL, lifetimeSeconds: 30 }
    expect(pcpMap(state, withOptions(PREFER_FAILURE))).toMatchObject(refused)
    expect(state.table.list(0)).toHaveLength(1)
    expect(pcpMap(state, { from: OTHER, suggestedExternalPort: 9000, options: [PREFER_FAILURE] })).toMatchObject(
      refused,
    )
  })

  it('gives nothing if another external address is suggested', () => {
    const asked = { suggestedExternalAddress: '8.8.8.8', options: [PREFER_FAILURE] }
    expect(pcpResult(makeState(), asked)).toBe(CANNOT_PROVIDE_EXTERNAL)
  })

  it('is malformed in a deletion', () => {
    expect(pcpResult(makeState(), { lifetimeSeconds: 0, options: [PREFER_FAILURE] })).toBe(PCP_RESULTS.MALFORMED_OPTION)
  })
})

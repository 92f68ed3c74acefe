import { describe, expect, it } from 'vitest'
import { MalformedMessageError } from '../../../src/domain/errors.ts'
import {
  createNatPmpResponder,
  type NatPmpResponderOptions,
} from '../../../src/emulator/port-control/natpmp-responder.ts'
import { MappingTable } from '../../../src/emulator/tables/mapping-table.ts'
import { decodeNatPmpResponse, type NatPmpResponse } from '../../../src/wire/natpmp.ts'
import { ask as askIgd, FACTS, MAPPING, makeResponder, makeState } from '../asking.ts'
import { CLIENT, natPmpMap, natPmpPort, OTHER, pcpMap } from './port-control-asking.ts'

function ask(bytes: readonly number[], options: Partial<NatPmpResponderOptions> = {}, nowMs = 0): NatPmpResponse {
  const responder = createNatPmpResponder({ state: makeState(), ...options })
  return decodeNatPmpResponse(responder.answer(Uint8Array.from(bytes), CLIENT, nowMs))
}

describe('NAT-PMP', () => {
  it('answers with the external address, and the epoch in whole seconds since it began', () => {
    expect(ask([0, 0], { state: makeState({ startedMs: 1000 }) }, 60_999)).toEqual({
      kind: 'external-address-response',
      epochSeconds: 59,
      externalAddress: '11.22.33.44',
    })
  })

  it('answers network failure if the gateway has no connection', () => {
    const state = makeState({ facts: { ...FACTS, connectionStatus: 'Disconnected' } })
    expect(ask([0, 0], { state })).toMatchObject({ kind: 'error-response', resultCode: 3 })
    expect(natPmpPort(state)).toBe(-3)
  })

  it('maps the suggested port if it is free, for no longer than the client asks', () => {
    const state = makeState()
    expect(natPmpMap(state, { lifetimeSeconds: 60, nowMs: 5000 })).toEqual({
      kind: 'map-response',
      epochSeconds: 5,
      protocol: 'UDP',
      internalPort: 5000,
      mappedExternalPort: 5000,
      lifetimeSeconds: 60,
    })
    expect(natPmpMap(state, { lifetimeSeconds: 0xffffffff })).toMatchObject({ lifetimeSeconds: 86_400 })
  })

  it('shows its mapping to an IGD, and takes no port from an IGD mapping', () => {
    const state = makeState()
    const responder = makeResponder(state)
    natPmpMap(state)
    expect(
      askIgd({ action: 'GetGenericPortMappingEntry', args: { NewPortMappingIndex: '0' } }, responder),
    ).toMatchObject({
      newinternalclient: CLIENT,
      newportmappingdescription: 'NAT-PMP 5000 UDP',
    })
    askIgd({ action: 'AddPortMapping', args: MAPPING }, responder)
    expect(natPmpPort(state, { protocol: 'TCP', suggestedExternalPort: 8080 })).toBe(8081)
  })

  it('maps any port if 0 is suggested, and another one if the suggested one is taken', () => {
    const state = makeState()
    expect(natPmpPort(state, { suggestedExternalPort: 0 })).toBe(49_152)
    expect(natPmpPort(state, { internalPort: 1, suggestedExternalPort: 49_152 })).toBe(49_153)
  })

  it('keeps the external port of an existing mapping, whatever is suggested', () => {
    const state = makeState()
    natPmpMap(state)
    expect(natPmpMap(state, { suggestedExternalPort: 9000, lifetimeSeconds: 7200, nowMs: 1000 })).toMatchObject({
      mappedExternalPort: 5000,
      lifetimeSeconds: 7200,
    })
    expect(state.table.list(1000)).toMatchObject([{ externalPort: 5000, leaseSeconds: 7200 }])
  })

  it('keeps the same port of the other protocol for the same client', () => {
    const state = makeState()
    natPmpMap(state)
    expect(natPmpPort(state, { from: OTHER, protocol: 'TCP' })).toBe(5001)
    expect(pcpMap(state, { from: '192.168.1.7', suggestedExternalPort: 5000 }).assignedExternalPort).toBe(5002)
    expect(natPmpPort(state, { protocol: 'TCP' })).toBe(5000)
  })

  it('has no room if the table is full; a renewal needs none', () => {
    const state = makeState({ table: new MappingTable(1) })
    natPmpMap(state)
    expect(natPmpPort(state, { internalPort: 1 })).toBe(-4)
    expect(natPmpPort(state)).toBe(5000)
    expect(natPmpPort(state, { internalPort: 1, nowMs: 3_600_000 })).toBe(5000)
  })

  it('does not map the ports of NAT-PMP itself', () => {
    const state = makeState()
    for (const internalPort of [5350, 5351]) expect(natPmpPort(state, { internalPort })).toBe(-2)
    expect(natPmpPort(state, { suggestedExternalPort: 5351 })).toBe(5352)
  })

  it('answers an unknown opcode with 5, and another version with 1', () => {
    expect(ask([0, 3])).toMatchObject({ kind: 'error-response', opcode: 3, resultCode: 5 })
    const refused = createNatPmpResponder({ state: makeState() }).refuseVersion(Uint8Array.of(2, 1), 9000)
    expect([...refused]).toEqual([0, 129, 0, 1, 0, 0, 0, 9])
  })

  it('drops responses and messages of another length', () => {
    for (const bytes of [[], [0], [0, 128], [0, 0, 0], [0, 1], [0, 1, ...Array(11).fill(0)]]) {
      expect(() => ask(bytes)).toThrow(MalformedMessageError)
    }
  })

  it('refuses what refusalOf() names, with that result, and carries out the rest', () => {
    const state = makeState()
    const map = (opcode: number) => [0, opcode, 0, 0, 0, 80, 0, 80, 0, 0, 0, 60]
    const refusalOf = (operation: string) => (operation === 'map-udp' ? 4 : undefined)
    expect(ask([0, 0], { state, refusalOf: () => 3 })).toMatchObject({ opcode: 0, resultCode: 3 })
    expect(ask(map(1), { state, refusalOf })).toMatchObject({ opcode: 1, resultCode: 4, internalPort: 80 })
    expect(state.table.list(0)).toEqual([])
    expect(ask(map(2), { state, refusalOf })).toMatchObject({ protocol: 'TCP', mappedExternalPort: 80 })
  })
})

describe('deletion over NAT-PMP', () => {
  const DELETE = { lifetimeSeconds: 0, suggestedExternalPort: 0 }

  it('answers with port 0 and lifetime 0, even if there is nothing to delete', () => {
    const state = makeState()
    natPmpMap(state)
    for (let times = 0; times < 2; times++) {
      expect(natPmpMap(state, DELETE)).toMatchObject({ internalPort: 5000, mappedExternalPort: 0, lifetimeSeconds: 0 })
      expect(state.table.list(0)).toEqual([])
    }
  })

  it('deletes only mappings to the client that asks', () => {
    const state = makeState()
    natPmpMap(state)
    expect(natPmpPort(state, { ...DELETE, from: OTHER })).toBe(0)
    expect(state.table.list(0)).toHaveLength(1)
  })

  it('with internal port 0 deletes all NAT-PMP mappings of that client and protocol', () => {
    const state = makeState()
    natPmpMap(state)
    natPmpMap(state, { internalPort: 5001 })
    natPmpMap(state, { protocol: 'TCP' })
    natPmpMap(state, { from: OTHER, internalPort: 5002 })
    pcpMap(state, { protocol: 17, internalPort: 5003 })
    expect(natPmpPort(state, { ...DELETE, internalPort: 0 })).toBe(0)
    expect(state.table.list(0).map((entry) => [entry.protocol, entry.internalPort])).toEqual([
      ['TCP', 5000],
      ['UDP', 5002],
      ['UDP', 5003],
    ])
  })

  it('is not authorized for mappings of an IGD or PCP, and neither is a renewal of one of PCP', () => {
    const state = makeState()
    askIgd({ action: 'AddPortMapping', args: MAPPING }, makeResponder(state))
    expect(natPmpPort(state, { ...DELETE, protocol: 'TCP', internalPort: 80 })).toBe(-2)
    pcpMap(state, { protocol: 17, internalPort: 5000 })
    expect(natPmpPort(state, DELETE)).toBe(-2)
    expect(natPmpPort(state)).toBe(-2)
    expect(state.table.list(0)).toHaveLength(2)
  })
})

describe('NAT-PMP with internal port 0, as VPNs have it', () => {
  const SAME_PORT = { internalPort: 0, suggestedExternalPort: 1, lifetimeSeconds: 60 }

  it('gives a port of its own choosing, the same inside and outside, and the same one again', () => {
    const state = makeState()
    const given = { internalPort: 0, mappedExternalPort: 49_152, lifetimeSeconds: 60 }
    expect(natPmpMap(state, SAME_PORT)).toMatchObject(given)
    for (const suggestedExternalPort of [1, 49_152, 50_000])
      expect(natPmpMap(state, { ...SAME_PORT, suggestedExternalPort, nowMs: 30_000 })).toMatchObject(given)
    const ports = { internalPort: 49_152, externalPort: 49_152, internalClient: CLIENT }
    expect(state.table.list(89_999)).toMatchObject([ports])
    expect(state.table.list(90_000)).toEqual([])
  })

  it('gives the other protocol the same port, and another client another one', () => {
    const state = makeState()
    const port = natPmpPort(state, SAME_PORT)
    expect(natPmpPort(state, { ...SAME_PORT, protocol: 'TCP', suggestedExternalPort: port })).toBe(port)
    expect(natPmpPort(state, { ...SAME_PORT, from: OTHER, suggestedExternalPort: port })).toBe(port + 1)
  })

  it('gives a port that is suggested, after it has forgotten it', () => {
    expect(natPmpPort(makeState(), { ...SAME_PORT, suggestedExternalPort: 41_001 })).toBe(41_001)
  })
})

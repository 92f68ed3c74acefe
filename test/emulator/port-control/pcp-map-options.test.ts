import { describe, expect, it } from 'vitest'
import { MappingTable } from '../../../src/emulator/tables/mapping-table.ts'
import type { PcpOption } from '../../../src/wire/pcp-options.ts'
import { PCP_RESULTS } from '../../../src/wire/pcp-result-codes.ts'
import { FACTS, makeState } from '../asking.ts'
import { CLIENT, OTHER, pcpMap, pcpResult, withOptions } from './port-control-asking.ts'

const { SUCCESS, UNSUPP_OPTION, MALFORMED_OPTION, MALFORMED_REQUEST, EXCESSIVE_REMOTE_PEERS } = PCP_RESULTS

const forOther = (internalAddress = OTHER): PcpOption => ({ kind: 'THIRD_PARTY', internalAddress })
const filter = (remoteAddress: string, prefixLength = 128, remotePort = 0): PcpOption => ({
  kind: 'FILTER',
  prefixLength,
  remotePort,
  remoteAddress,
})
const unknown = (code: number): PcpOption => ({ kind: 'unknown', code, data: Uint8Array.of(1, 2, 3) })

describe('an unknown option', () => {
  it('is refused if it must be understood, and otherwise ignored', () => {
    const state = makeState()
    expect(pcpResult(state, withOptions(unknown(127)))).toBe(UNSUPP_OPTION)
    expect(pcpResult(state, withOptions(unknown(4)))).toBe(UNSUPP_OPTION)
    expect(state.table.list(0)).toEqual([])
    expect(pcpMap(state, withOptions(unknown(128), unknown(255)))).toMatchObject({ resultCode: SUCCESS, options: [] })
  })
})

describe('THIRD_PARTY', () => {
  it('maps for another client, renews and deletes', () => {
    const state = makeState()
    const asked = withOptions(forOther())
    expect(pcpMap(state, asked)).toMatchObject({
      resultCode: SUCCESS,
      assignedExternalPort: 8080,
      options: [forOther()],
    })
    expect(state.table.list(0)).toMatchObject([{ internalClient: OTHER }])
    expect(pcpMap(state, { from: OTHER })).toMatchObject({ resultCode: SUCCESS, assignedExternalPort: 8080 })
    expect(pcpResult(state, { ...asked, lifetimeSeconds: 0 })).toBe(SUCCESS)
    expect(state.table.list(0)).toEqual([])
  })

  it('counts as unknown if clients may map only to themselves', () => {
    const state = makeState({ facts: { ...FACTS, secureMode: true } })
    expect(pcpMap(state, withOptions(forOther()))).toMatchObject({ resultCode: UNSUPP_OPTION, lifetimeSeconds: 1800 })
    expect(pcpResult(state)).toBe(SUCCESS)
  })

  it('is malformed if there are two, or with an address that is nobody’s or the client’s own', () => {
    const state = makeState()
    expect(pcpResult(state, withOptions(forOther(), forOther()))).toBe(MALFORMED_OPTION)
    for (const address of ['0.0.0.0', '224.0.0.1', '2001:db8::5']) {
      expect(pcpResult(state, withOptions(forOther(address)))).toBe(MALFORMED_OPTION)
    }
    expect(pcpResult(state, withOptions(forOther(CLIENT)))).toBe(MALFORMED_REQUEST)
    expect(state.table.list(0)).toEqual([])
  })
})

describe('FILTER', () => {
  const remoteHosts = (state: ReturnType<typeof makeState>): string[] =>
    state.table.list(0).map((entry) => `${entry.externalPort} from ${entry.remoteHost}`)

  it('becomes the one remote host, and a renewal without FILTER keeps it', () => {
    const state = makeState()
    const asked = withOptions(filter('8.8.8.8'))
    expect(pcpMap(state, asked)).toMatchObject({ resultCode: SUCCESS, ...asked })
    expect(pcpResult(state, asked)).toBe(SUCCESS)
    expect(pcpResult(state)).toBe(SUCCESS)
    expect(remoteHosts(state)).toEqual(['8080 from 8.8.8.8'])
  })

  it('is added to a mapping without one, and removed by prefix length 0; the port stays', () => {
    const state = makeState()
    pcpMap(state)
    pcpMap(state, withOptions(filter('8.8.8.8')))
    expect(remoteHosts(state)).toEqual(['8080 from 8.8.8.8'])
    pcpMap(state, withOptions(filter('0.0.0.0', 0), filter('8.8.4.4')))
    expect(remoteHosts(state)).toEqual(['8080 from 8.8.4.4'])
    pcpMap(state, withOptions(filter('0.0.0.0', 0)))
    expect(remoteHosts(state)).toEqual(['8080 from '])
  })

  it.each<readonly [string, readonly PcpOption[]]>([
    ['a second host', [filter('8.8.8.8'), filter('8.8.4.4')]],
    ['a subnet', [filter('8.8.8.0', 120)]],
    ['a remote port', [filter('8.8.8.8', 128, 53)]],
  ])('is refused for %s', (_, options) => {
    const state = makeState()
    expect(pcpResult(state, { options })).toBe(EXCESSIVE_REMOTE_PEERS)
    expect(state.table.list(0)).toEqual([])
  })

  it('is refused for a second host, and the mapping stays as it was', () => {
    const state = makeState()
    pcpMap(state, withOptions(filter('8.8.8.8')))
    expect(pcpResult(state, withOptions(filter('8.8.4.4')))).toBe(EXCESSIVE_REMOTE_PEERS)
    expect(remoteHosts(state)).toEqual(['8080 from 8.8.8.8'])
  })

  it('is malformed with an address that is not a host of that family, and in a deletion', () => {
    expect(pcpResult(makeState(), withOptions(filter('2001:db8::1')))).toBe(MALFORMED_OPTION)
    expect(pcpResult(makeState(), withOptions(filter('224.0.0.1')))).toBe(MALFORMED_OPTION)
    expect(pcpResult(makeState(), { lifetimeSeconds: 0, ...withOptions(filter('8.8.8.8')) })).toBe(MALFORMED_OPTION)
  })

  it('loses nothing if there is no room for the changed mapping', () => {
    const state = makeState({ table: new MappingTable(1) })
    pcpMap(state)
    expect(pcpResult(state, withOptions(filter('8.8.8.8')))).toBe(PCP_RESULTS.NO_RESOURCES)
    expect(remoteHosts(state)).toEqual(['8080 from '])
  })
})

import { describe, expect, it } from 'vitest'
import { PinholeTable } from '../../../src/emulator/tables/pinhole-table.ts'
import type { PcpOption } from '../../../src/wire/pcp-options.ts'
import { PCP_RESULTS } from '../../../src/wire/pcp-result-codes.ts'
import { ask, FACTS, FIREWALL_CONTROL, FIREWALL1, makeResponder, makeState, PINHOLE } from '../asking.ts'
import { NONCE, OTHER_NONCE, type PcpMap, pcpMap, pcpResult } from './port-control-asking.ts'

const { SUCCESS, NOT_AUTHORIZED, NO_RESOURCES, CANNOT_PROVIDE_EXTERNAL, UNSUPP_OPTION } = PCP_RESULTS
const CLIENT6 = '2001:db8::5'
const OTHER6 = '2001:db8::6'
const asked = (changes: PcpMap = {}): PcpMap => ({ from: CLIENT6, suggestedExternalAddress: '::', ...changes })
const filter = (remoteAddress: string): PcpOption => ({
  kind: 'FILTER',
  prefixLength: 128,
  remotePort: 0,
  remoteAddress,
})

describe('MAP over IPv6', () => {
  it('opens a pinhole with the same address and port outside as inside, whatever is suggested', () => {
    const state = makeState()
    expect(pcpMap(state, asked())).toMatchObject({
      resultCode: SUCCESS,
      lifetimeSeconds: 3600,
      assignedExternalPort: 80,
      assignedExternalAddress: CLIENT6,
    })
    expect(state.pinholes.list(0)).toEqual([
      {
        id: 1,
        remoteHost: '',
        remotePort: 0,
        internalClient: CLIENT6,
        internalPort: 80,
        protocol: 6,
        leaseSeconds: 3600,
        nonce: NONCE,
      },
    ])
    expect(state.table.list(0)).toEqual([])
  })

  it('checks the nonce of a renewal and of a deletion', () => {
    const state = makeState()
    pcpMap(state, asked())
    expect(pcpMap(state, asked({ nonce: OTHER_NONCE, nowMs: 600_000 }))).toMatchObject({
      resultCode: NOT_AUTHORIZED,
      lifetimeSeconds: 3000,
    })
    expect(pcpResult(state, asked({ nonce: OTHER_NONCE, lifetimeSeconds: 0 }))).toBe(NOT_AUTHORIZED)
    expect(pcpMap(state, asked({ lifetimeSeconds: 7200 })).lifetimeSeconds).toBe(7200)
    expect(state.pinholes.list(0)).toMatchObject([{ id: 1, leaseSeconds: 7200 }])
    expect(pcpResult(state, asked({ lifetimeSeconds: 0 }))).toBe(SUCCESS)
    expect(state.pinholes.list(0)).toEqual([])
  })

  it("deletes all of the client's mappings with the nonce if the internal port is 0", () => {
    const state = makeState()
    pcpMap(state, asked())
    pcpMap(state, asked({ internalPort: 81, protocol: 17 }))
    pcpMap(state, asked({ internalPort: 82, nonce: OTHER_NONCE }))
    expect(pcpResult(state, asked({ protocol: 0, internalPort: 0, lifetimeSeconds: 0 }))).toBe(SUCCESS)
    expect(state.pinholes.list(0).map((pinhole) => pinhole.internalPort)).toEqual([82])
  })

  it('keeps its pinholes apart from those of an IGD, which it must not delete', () => {
    const state = makeState()
    const igd = { action: 'AddPinhole', args: PINHOLE, serviceType: FIREWALL1, target: FIREWALL_CONTROL }
    expect(ask({ ...igd, remoteAddress: CLIENT6 }, makeResponder(state))).toEqual({ uniqueid: '1' })
    const same = asked({ internalPort: 8080, options: [filter(PINHOLE.RemoteHost)] })
    expect(pcpResult(state, { ...same, options: [], lifetimeSeconds: 0 })).toBe(NOT_AUTHORIZED)
    expect(pcpResult(state, same)).toBe(SUCCESS)
    expect(state.pinholes.list(0).map(({ id, remoteHost }) => [id, remoteHost])).toEqual([
      [1, PINHOLE.RemoteHost],
      [2, PINHOLE.RemoteHost],
    ])
    expect(pcpResult(state, { ...same, options: [], lifetimeSeconds: 0 })).toBe(SUCCESS)
    expect(state.pinholes.list(0)).toMatchObject([{ id: 1 }])
  })

  it('changes the remote host for a filter', () => {
    const state = makeState()
    pcpMap(state, asked())
    expect(pcpResult(state, asked({ options: [filter('2001:db8:9::1')] }))).toBe(SUCCESS)
    expect(state.pinholes.list(0)).toMatchObject([{ remoteHost: '2001:db8:9::1' }])
    expect(pcpResult(state, asked({ internalPort: 81, options: [filter('8.8.8.8')] }))).toBe(
      PCP_RESULTS.MALFORMED_OPTION,
    )
  })

  it('refuses every other port and address with PREFER_FAILURE', () => {
    const state = makeState()
    const options: PcpOption[] = [{ kind: 'PREFER_FAILURE' }]
    expect(pcpResult(state, asked({ options }))).toBe(CANNOT_PROVIDE_EXTERNAL)
    const own = { suggestedExternalPort: 80, options }
    expect(pcpResult(state, asked({ ...own, suggestedExternalAddress: OTHER6 }))).toBe(CANNOT_PROVIDE_EXTERNAL)
    expect(pcpResult(state, asked({ ...own, suggestedExternalAddress: CLIENT6 }))).toBe(SUCCESS)
  })

  it('has no room if the firewall is full', () => {
    const state = makeState({ pinholes: new PinholeTable(1) })
    pcpMap(state, asked())
    expect(pcpResult(state, asked({ internalPort: 81 }))).toBe(NO_RESOURCES)
    expect(pcpResult(state, asked())).toBe(SUCCESS)
  })

  it('opens a pinhole to another client only for loopback, or if everybody may ask for that', () => {
    const options: PcpOption[] = [{ kind: 'THIRD_PARTY', internalAddress: OTHER6 }]
    expect(pcpResult(makeState(), asked({ options }))).toBe(UNSUPP_OPTION)
    expect(pcpResult(makeState(), asked({ from: '::1', options }))).toBe(SUCCESS)
    const open = makeState({ facts: { ...FACTS, pinholesOnlyForAsking: false } })
    expect(pcpResult(open, asked({ options }))).toBe(SUCCESS)
    const secure = makeState({ facts: { ...FACTS, secureMode: true } })
    expect(pcpResult(secure, asked({ from: '::1', options }))).toBe(UNSUPP_OPTION)
  })

  it.each([{ firewallEnabled: false }, { inboundPinholeAllowed: false }])('opens nothing with %j', (changes) => {
    expect(pcpResult(makeState({ facts: { ...FACTS, ...changes } }), asked())).toBe(NOT_AUTHORIZED)
  })

  it('needs no IPv4 connection', () => {
    expect(pcpResult(makeState({ facts: { ...FACTS, connectionStatus: 'Disconnected' } }), asked())).toBe(SUCCESS)
  })

  it('knows a link-local client without its zone', () => {
    const state = makeState()
    const response = pcpMap(state, asked({ from: 'fe80::5%lan0', clientAddress: 'fe80::5' }))
    expect(response).toMatchObject({ resultCode: SUCCESS, assignedExternalAddress: 'fe80::5' })
  })
})

import { describe, expect, it } from 'vitest'
import { MalformedMessageError } from '../../../src/domain/errors.ts'
import { createPcpResponder, type PcpResponderOptions } from '../../../src/emulator/port-control/pcp-responder.ts'
import { decodePcpResponse, encodePcpRequest, type PcpRequest, type PcpResponse } from '../../../src/wire/pcp.ts'
import { PCP_RESULTS } from '../../../src/wire/pcp-result-codes.ts'
import { makeState } from '../asking.ts'
import { CLIENT, mapRequest, OTHER } from './port-control-asking.ts'

const ANNOUNCE = { kind: 'ANNOUNCE-request', lifetimeSeconds: 0, clientAddress: CLIENT, options: [] } as const

function askBytes(bytes: Uint8Array, options: Partial<PcpResponderOptions> = {}, nowMs = 0): Uint8Array {
  return createPcpResponder({ state: makeState(), ...options }).answer(bytes, CLIENT, nowMs)
}

function ask(request: PcpRequest, options: Partial<PcpResponderOptions> = {}, nowMs = 0): PcpResponse {
  return decodePcpResponse(askBytes(encodePcpRequest(request), options, nowMs))
}

describe('PCP', () => {
  it('answers ANNOUNCE with the epoch, in whole seconds since it began', () => {
    const state = makeState({ startedMs: 1000 })
    expect(ask(ANNOUNCE, { state }, 60_999)).toEqual({
      kind: 'ANNOUNCE-response',
      resultCode: 0,
      lifetimeSeconds: 0,
      epochSeconds: 59,
    })
  })

  it('refuses an option of ANNOUNCE that must be understood', () => {
    expect(ask({ ...ANNOUNCE, options: [{ kind: 'PREFER_FAILURE' }] }).resultCode).toBe(PCP_RESULTS.UNSUPP_OPTION)
    expect(ask({ ...ANNOUNCE, options: [{ kind: 'unknown', code: 128, data: new Uint8Array() }] }).resultCode).toBe(0)
  })

  it('refuses a client address that is not the source, even with THIRD_PARTY: there is a NAT in between', () => {
    const mismatch = { resultCode: PCP_RESULTS.ADDRESS_MISMATCH, lifetimeSeconds: 1800 }
    expect(ask({ ...ANNOUNCE, clientAddress: OTHER })).toMatchObject(mismatch)
    expect(ask(mapRequest({ clientAddress: OTHER }))).toMatchObject(mismatch)
    expect(ask(mapRequest({ clientAddress: '::' }))).toMatchObject(mismatch)
    const options = [{ kind: 'THIRD_PARTY', internalAddress: '192.168.1.7' }] as const
    expect(ask(mapRequest({ clientAddress: OTHER, options }))).toMatchObject(mismatch)
  })

  it.each([1, 3, 255])('answers version %i with the version that it speaks, 2', (version) => {
    const bytes = encodePcpRequest(mapRequest())
    bytes[0] = version
    const reply = askBytes(bytes)
    expect([reply[0], reply[1], reply[3], reply.length]).toEqual([2, 0x81, PCP_RESULTS.UNSUPP_VERSION, 60])
    expect(askBytes(Uint8Array.of(version, 0))).toHaveLength(24)
  })

  it('does not support PEER or any later opcode', () => {
    const peer: PcpRequest = {
      ...mapRequest(),
      kind: 'PEER-request',
      remotePeerPort: 1,
      remotePeerAddress: '8.8.8.8',
    }
    expect(ask(peer)).toMatchObject({ kind: 'PEER-response', resultCode: PCP_RESULTS.UNSUPP_OPCODE })
    const bytes = encodePcpRequest(ANNOUNCE)
    bytes[1] = 3
    expect(decodePcpResponse(askBytes(bytes))).toMatchObject({ opcode: 3, resultCode: PCP_RESULTS.UNSUPP_OPCODE })
  })

  it('answers a truncated request as malformed, and drops responses and what is not a message', () => {
    const whole = encodePcpRequest(mapRequest())
    for (let length = 2; length < whole.length; length++) {
      const reply = askBytes(whole.subarray(0, length))
      expect([reply[3], reply.length % 4]).toEqual([PCP_RESULTS.MALFORMED_REQUEST, 0])
    }
    const response = whole.slice()
    response[1] = 0x81
    for (const dropped of [new Uint8Array(), whole.subarray(0, 1), response]) {
      expect(() => askBytes(dropped)).toThrow(MalformedMessageError)
    }
  })

  it('survives any single changed byte', () => {
    const state = makeState()
    const whole = encodePcpRequest(mapRequest({ options: [{ kind: 'THIRD_PARTY', internalAddress: OTHER }] }))
    for (let at = 2; at < whole.length; at++) {
      for (const value of [0, 1, 127, 128, 255]) {
        const changed = whole.slice()
        changed[at] = value
        expect(askBytes(changed, { state })[0]).toBe(2)
      }
    }
  })

  it('refuses what refusalOf() names, with that result, and carries out the rest', () => {
    const state = makeState()
    const refusalOf = (operation: string) => (operation === 'MAP' ? 8 : undefined)
    const refused = { kind: 'MAP-response', resultCode: 8, lifetimeSeconds: 30 }
    expect(ask(mapRequest(), { state, refusalOf })).toMatchObject(refused)
    expect(state.table.list(0)).toEqual([])
    expect(ask(ANNOUNCE, { state, refusalOf })).toMatchObject({ resultCode: 0 })
    expect(ask(ANNOUNCE, { refusalOf: () => 2 })).toMatchObject({ resultCode: 2, lifetimeSeconds: 1800 })
  })

  it('reports every request by its opcode, refused or not', () => {
    const seen: string[] = []
    const options = { onRequest: (name: string) => seen.push(name) }
    ask(ANNOUNCE, options)
    ask(mapRequest({ protocol: 1 }), options)
    askBytes(Uint8Array.of(1, 1), options)
    expect(seen).toEqual(['ANNOUNCE', 'MAP', 'other'])
  })
})

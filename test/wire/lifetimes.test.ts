/** A lifetime that does not fit in 32 bits is never written as another one. */
import { describe, expect, it } from 'vitest'
import { encodeNatPmpRequest, encodeNatPmpResponse } from '../../src/wire/natpmp.ts'
import { encodePcpErrorResponse, encodePcpRequest } from '../../src/wire/pcp.ts'

const TOO_MUCH = [2 ** 32, 2 ** 32 + 60, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY] as const

const ENCODERS: readonly (readonly [string, (seconds: number) => Uint8Array])[] = [
  [
    'the lifetime of a NAT-PMP request',
    (lifetimeSeconds) =>
      encodeNatPmpRequest({
        kind: 'map-request',
        protocol: 'TCP',
        internalPort: 1,
        suggestedExternalPort: 1,
        lifetimeSeconds,
      }),
  ],
  [
    'the lifetime of a NAT-PMP response',
    (lifetimeSeconds) =>
      encodeNatPmpResponse({
        kind: 'map-response',
        protocol: 'TCP',
        internalPort: 1,
        mappedExternalPort: 1,
        lifetimeSeconds,
        epochSeconds: 1,
      }),
  ],
  [
    'the epoch of a NAT-PMP response',
    (epochSeconds) =>
      encodeNatPmpResponse({ kind: 'external-address-response', externalAddress: '1.2.3.4', epochSeconds }),
  ],
  [
    'the lifetime of a PCP request',
    (lifetimeSeconds) =>
      encodePcpRequest({ kind: 'ANNOUNCE-request', lifetimeSeconds, clientAddress: '192.168.1.10', options: [] }),
  ],
  [
    'the lifetime of a PCP response',
    (lifetimeSeconds) =>
      encodePcpErrorResponse(new Uint8Array(24), { resultCode: 1, lifetimeSeconds, epochSeconds: 1 }),
  ],
  [
    'the epoch of a PCP response',
    (epochSeconds) => encodePcpErrorResponse(new Uint8Array(24), { resultCode: 1, lifetimeSeconds: 1, epochSeconds }),
  ],
]

describe.each(ENCODERS)('%s', (_, encode) => {
  it.each(TOO_MUCH)('is never written for %d', (seconds) => {
    expect(() => encode(seconds)).toThrow(RangeError)
  })

  it.each([0, 1, 2 ** 32 - 1])('may be %d', (seconds) => {
    expect(encode(seconds).length).toBeGreaterThan(0)
  })
})

import { describe, expect, it } from 'vitest'
import { MalformedMessageError } from '../../src/domain/errors.ts'
import {
  decodeNatPmpRequest,
  decodeNatPmpResponse,
  encodeNatPmpRequest,
  encodeNatPmpResponse,
  type NatPmpRequest,
  type NatPmpResponse,
  natPmpOpcode,
  natPmpResultName,
} from '../../src/wire/natpmp.ts'
import { bitFlips, bytesOf, kindOf, viewsOf } from '../support/hex-bytes.ts'
import { randomBytes, randomFrom, truncations } from '../support/random.ts'

const map = (
  protocol: 'TCP' | 'UDP',
  internalPort: number,
  suggestedExternalPort: number,
  lifetimeSeconds: number,
): NatPmpRequest => ({ kind: 'map-request', protocol, internalPort, suggestedExternalPort, lifetimeSeconds })

/** RFC 6886 3.2 to 3.4. */
const REQUESTS: readonly (readonly [name: string, value: NatPmpRequest, hex: string])[] = [
  ['for the external address', { kind: 'external-address-request' }, '00 00'],
  ['to map a port of TCP', map('TCP', 1234, 1234, 1000), '00 02 0000 04d2 04d2 000003e8'],
  ['to map a port of UDP', map('UDP', 5000, 6000, 7200), '00 01 0000 1388 1770 00001c20'],
  ['to map to any external port', map('UDP', 1, 0, 60), '00 01 0000 0001 0000 0000003c'],
  ['to map with the greatest numbers', map('TCP', 65_535, 65_535, 2 ** 32 - 1), '00 02 0000 ffff ffff ffffffff'],
  ['to delete a mapping', map('TCP', 1234, 0, 0), '00 02 0000 04d2 0000 00000000'],
  ['to delete all mappings of UDP', map('UDP', 0, 0, 0), '00 01 0000 0000 0000 00000000'],
]

const EPOCH = { epochSeconds: 0x66fda1ee }
const address = (externalAddress: string): NatPmpResponse => ({
  kind: 'external-address-response',
  externalAddress,
  ...EPOCH,
})
const mapped = (
  protocol: 'TCP' | 'UDP',
  internalPort: number,
  mappedExternalPort: number,
  lifetimeSeconds: number,
): NatPmpResponse => ({ kind: 'map-response', protocol, internalPort, mappedExternalPort, lifetimeSeconds, ...EPOCH })
const refused = (opcode: number, resultCode: number, internalPort?: number): NatPmpResponse => ({
  kind: 'error-response',
  opcode,
  resultCode,
  internalPort,
  ...EPOCH,
})

/** RFC 6886 3.2 to 3.5. */
const RESPONSES: readonly (readonly [name: string, value: NatPmpResponse, hex: string])[] = [
  ['with the external address', address('203.0.113.7'), '00 80 0000 66fda1ee cb007107'],
  ['without an external address', address('0.0.0.0'), '00 80 0000 66fda1ee 00000000'],
  ['with the highest address', address('255.254.128.127'), '00 80 0000 66fda1ee fffe807f'],
  ['with a mapping of TCP', mapped('TCP', 1234, 1234, 500), '00 82 0000 66fda1ee 04d2 04d2 000001f4'],
  ['with a mapping of UDP', mapped('UDP', 5000, 6000, 7200), '00 81 0000 66fda1ee 1388 1770 00001c20'],
  ['with a lifetime of 136 years', mapped('UDP', 1, 2, 2 ** 32 - 1), '00 81 0000 66fda1ee 0001 0002 ffffffff'],
  ['that a mapping is deleted', mapped('TCP', 1234, 0, 0), '00 82 0000 66fda1ee 04d2 0000 00000000'],
  ['that the version is unsupported', refused(0, 1), '00 80 0001 66fda1ee'],
  ['that there is no network', refused(0, 3), '00 80 0003 66fda1ee'],
  ['that it is not authorized, short', refused(1, 2), '00 81 0002 66fda1ee'],
  ['that it is not authorized, long', refused(1, 2, 5000), '00 81 0002 66fda1ee 1388 0000 00000000'],
  ['that it is out of resources, short', refused(2, 4), '00 82 0004 66fda1ee'],
  ['that it is out of resources, long', refused(2, 4, 1234), '00 82 0004 66fda1ee 04d2 0000 00000000'],
  ['that the opcode is unsupported', refused(3, 5), '00 83 0005 66fda1ee'],
  ['with the greatest opcode and result', refused(127, 65_535), '00 ff ffff 66fda1ee'],
]

const REQUEST_KINDS = ['external-address-request', 'map-request', 'unsupported-request'] as const
const RESPONSE_KINDS = ['external-address-response', 'map-response', 'error-response'] as const
const EVERY = [...REQUESTS, ...RESPONSES].map(([name, , hex]) => [name, bytesOf(hex)] as const)

const requestKind = (bytes: Uint8Array) => kindOf(decodeNatPmpRequest, bytes, REQUEST_KINDS)
const responseKind = (bytes: Uint8Array) => kindOf(decodeNatPmpResponse, bytes, RESPONSE_KINDS)

describe('a NAT-PMP request', () => {
  it.each(REQUESTS)('%s is written', (_name, value, hex) => {
    expect(encodeNatPmpRequest(value)).toEqual(bytesOf(hex))
  })

  it.each(REQUESTS)('%s is read, wherever its bytes are', (_name, value, hex) => {
    for (const bytes of [bytesOf(hex), ...viewsOf(bytesOf(hex))]) {
      expect(decodeNatPmpRequest(bytes)).toStrictEqual(value)
    }
  })

  it.each(REQUESTS)('%s is malformed if its end is missing, or if more follows', (_name, _value, hex) => {
    for (const part of [...truncations(bytesOf(hex)), bytesOf(`${hex} 00`)]) {
      expect(() => decodeNatPmpRequest(part)).toThrow(MalformedMessageError)
    }
  })

  it.each(REQUESTS)('%s has the opcode by which its response is known', (_name, value, hex) => {
    expect(natPmpOpcode(value)).toBe(bytesOf(hex)[1])
  })

  it('may have anything in its reserved field', () => {
    expect(decodeNatPmpRequest(bytesOf('00 02 ffff 04d2 04d2 000003e8'))).toEqual(map('TCP', 1234, 1234, 1000))
  })

  it.each([
    ['PCP', '02 00', 2, 0],
    ['PCP, in full', `02 01 0000 ${'00'.repeat(56)}`, 2, 1],
    ['version 1', '01 02 0000 04d2 04d2 000003e8', 1, 2],
    ['version 255', 'ff 7f', 255, 127],
    ['opcode 3', '00 03', 0, 3],
    ['opcode 127', '00 7f 0000', 0, 127],
  ])('of %s must be answered with an error', (_name, hex, version, opcode) => {
    expect(decodeNatPmpRequest(bytesOf(hex))).toEqual({ kind: 'unsupported-request', version, opcode })
  })

  it.each([...RESPONSES.map(([, , hex]) => hex), '02 80', '00 80', '00 ff', 'ff ff'])(
    'is not a response, which is to be ignored: %s',
    (hex) => expect(() => decodeNatPmpRequest(bytesOf(hex))).toThrow(MalformedMessageError),
  )
})

describe('a NAT-PMP response', () => {
  it.each(RESPONSES)('%s is written', (_name, value, hex) => {
    expect(encodeNatPmpResponse(value)).toEqual(bytesOf(hex))
  })

  it.each(RESPONSES)('%s is read, wherever its bytes are', (_name, value, hex) => {
    for (const bytes of [bytesOf(hex), ...viewsOf(bytesOf(hex))]) {
      expect(decodeNatPmpResponse(bytes)).toStrictEqual(value)
    }
  })

  it.each(RESPONSES.filter(([, { kind }]) => kind !== 'error-response'))(
    '%s is malformed if its end is missing',
    (_name, _value, hex) => {
      for (const part of truncations(bytesOf(hex))) {
        expect(() => decodeNatPmpResponse(part)).toThrow(MalformedMessageError)
      }
    },
  )

  it.each(RESPONSES.filter(([, { kind }]) => kind === 'error-response'))(
    '%s is never a success if its end is missing, and is malformed below 8 bytes',
    (_name, _value, hex) => {
      for (const part of truncations(bytesOf(hex))) {
        expect(responseKind(part)).toBe(part.length < 8 ? 'malformed' : 'error-response')
      }
    },
  )

  it.each(RESPONSES.filter(([, , hex]) => bytesOf(hex).length > 8))('%s may be padded', (_name, value, hex) => {
    expect(decodeNatPmpResponse(bytesOf(`${hex} ffffffff ffffffff`))).toEqual(value)
  })

  it.each([
    ['in 12 bytes, about the external address', '00 80 0003 66fda1ee 00000000', refused(0, 3)],
    ['in 16 bytes, about the external address', '00 80 0003 66fda1ee 00000000 00000000', refused(0, 3)],
    ['in 12 bytes, about a mapping', '00 82 0004 66fda1ee 04d20000', refused(2, 4)],
    ['about a request of another version, as printed in RFC 6886 3.5', '00 00 0001 66fda1ee', refused(0, 1)],
  ])('may be an error %s', (_name, hex, value) => {
    expect(decodeNatPmpResponse(bytesOf(hex))).toEqual(value)
  })

  it.each([
    ['a success with an unknown opcode', '00 83 0000 66fda1ee 00000000 00000000'],
    ['a success in the short form', '00 82 0000 66fda1ee'],
    ['version 1', '01 82 0000 66fda1ee 04d2 04d2 000001f4'],
    ['PCP', '02 82 0000 66fda1ee 04d2 04d2 000001f4'],
    ['the four bytes of PCP with which some routers answer', '02 81 00 02'],
    ['PCP, refusing', `02 81 00 02 ${'00'.repeat(20)}`],
    ['opcode 0 without the 128, of another result', '00 00 0003 66fda1ee'],
    ['opcode 1 without the 128', '00 01 0001 66fda1ee'],
    ['the beginning of what RFC 6886 3.5 prints', '00 00 0001 66fda1'],
    ...REQUESTS.map(([name, , hex]) => [`a request ${name}`, hex]),
  ])('is not %s', (_name, hex) => {
    expect(() => decodeNatPmpResponse(bytesOf(hex))).toThrow(MalformedMessageError)
  })

  it('shows the bytes in its error, in hexadecimal digits', () => {
    expect(() => decodeNatPmpResponse(bytesOf('01 82 0000'))).toThrow(
      expect.objectContaining({ received: '01820000', expected: 'a NAT-PMP response of 8 bytes or more' }),
    )
  })
})

describe('whatever comes to the NAT-PMP port', () => {
  it.each(EVERY)('is a known message or malformed: a message %s with one wrong bit, or cut', (_name, bytes) => {
    for (const spoilt of [bytes, ...truncations(bytes), ...bitFlips(bytes)]) {
      requestKind(spoilt)
      responseKind(spoilt)
    }
  })

  it('is a known message or malformed: random bytes', () => {
    const random = randomFrom(6886)
    const seen = new Set<string>()
    for (let length = 0; length <= 1200; length++) {
      const noise = randomBytes(random, length)
      for (const bytes of [noise, Uint8Array.of(0, 128 + (length % 4), 0, length % 2, ...noise)]) {
        seen.add(requestKind(bytes)).add(responseKind(bytes))
      }
    }
    expect([...seen].sort()).toEqual([...RESPONSE_KINDS, 'malformed', 'unsupported-request'].sort())
  })
})

describe('a response without an address', () => {
  it('has the one of a gateway without one', () => {
    const response = { kind: 'external-address-response', epochSeconds: 7, externalAddress: '' } as const
    expect(decodeNatPmpResponse(encodeNatPmpResponse(response))).toEqual({ ...response, externalAddress: '0.0.0.0' })
  })
})

describe('the name of a NAT-PMP result', () => {
  it.each([
    [0, 'Success'],
    [1, 'Unsupported Version'],
    [2, 'Not Authorized/Refused'],
    [3, 'Network Failure'],
    [4, 'Out of resources'],
    [5, 'Unsupported opcode'],
    [6, 'unknown result code'],
    [65_535, 'unknown result code'],
  ])('%i is %s', (result, name) => expect(natPmpResultName(result)).toBe(name))
})

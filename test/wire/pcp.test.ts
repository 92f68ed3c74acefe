import { describe, expect, it } from 'vitest'
import { MalformedMessageError } from '../../src/domain/errors.ts'
import {
  decodePcpRequest,
  decodePcpResponse,
  encodePcpRequest,
  encodePcpResponse,
  type PcpRequest,
  type PcpResponse,
} from '../../src/wire/pcp.ts'
import { bitFlips, bytesOf, kindOf, viewsOf } from '../support/hex-bytes.ts'
import { randomBytes, randomFrom, truncations } from '../support/random.ts'

const NONCE = '0102030405060708090a0b0c'
const CLIENT = '00000000 00000000 0000ffff c0a80105'
const CLIENT_6 = '20010db8 00000000 00000000 00000005'
const ANY = '00000000 00000000 0000ffff 00000000'
const NOTHING = '00000000 00000000 00000000 00000000'
const EXTERNAL = '00000000 00000000 0000ffff cb007107'
const PEER = '00000000 00000000 0000ffff c6336409'
const PEER_6 = '20010db8 000000ff 00000000 00000009'
const MAP = `02010000 00000e10 ${CLIENT} ${NONCE} 06000000 04d2 10e1 ${ANY}`
const MAP_6 = `02010000 00000e10 ${CLIENT_6} ${NONCE} 06000000 04d2 10e1 ${CLIENT_6}`
const PREFER_FAILURE = '02000000'
const FILTER = '03000014 00800050 20010db8 000000ff 00000000 00000009'

const filter = { kind: 'FILTER', prefixLength: 128, remotePort: 80, remoteAddress: '2001:db8:0:ff::9' } as const
const four = { lifetimeSeconds: 3600, clientAddress: '192.168.1.5', options: [] }
const six = { lifetimeSeconds: 3600, clientAddress: '2001:db8::5', options: [] }
const asked = {
  nonce: NONCE,
  protocol: 6,
  internalPort: 1234,
  suggestedExternalPort: 4321,
  suggestedExternalAddress: '0.0.0.0',
}
const mapFour = { kind: 'MAP-request', ...four, ...asked } as const
const mapSix = { kind: 'MAP-request', ...six, ...asked, suggestedExternalAddress: '2001:db8::5' } as const

/** RFC 6887 7.1, 11.1, 12.1, 14.1; options 7.3, 13. */
const REQUESTS: readonly (readonly [name: string, value: PcpRequest, hex: string])[] = [
  ['ANNOUNCE', { kind: 'ANNOUNCE-request', ...four, lifetimeSeconds: 0 }, `02000000 00000000 ${CLIENT}`],
  [
    'ANNOUNCE with an option',
    { kind: 'ANNOUNCE-request', ...six, options: [{ kind: 'unknown', code: 130, data: bytesOf('ab') }] },
    `02000000 00000e10 ${CLIENT_6} 82000001 ab000000`,
  ],
  ['MAP of IPv4', mapFour, MAP],
  ['MAP of IPv6', mapSix, MAP_6],
  [
    'MAP with the greatest numbers',
    {
      ...mapFour,
      lifetimeSeconds: 2 ** 32 - 1,
      nonce: 'f'.repeat(24),
      protocol: 255,
      internalPort: 65_535,
      suggestedExternalPort: 65_534,
    },
    `02010000 ffffffff ${CLIENT} ${'f'.repeat(24)} ff000000 ffff fffe ${ANY}`,
  ],
  [
    'MAP that deletes',
    { ...mapFour, lifetimeSeconds: 0, suggestedExternalPort: 0 },
    `02010000 00000000 ${CLIENT} ${NONCE} 06000000 04d2 0000 ${ANY}`,
  ],
  [
    'MAP of everything',
    { ...mapFour, protocol: 0, internalPort: 0, suggestedExternalPort: 0, suggestedExternalAddress: '::' },
    `02010000 00000e10 ${CLIENT} ${NONCE} 00000000 0000 0000 ${NOTHING}`,
  ],
  ['MAP with PREFER_FAILURE', { ...mapFour, options: [{ kind: 'PREFER_FAILURE' }] }, `${MAP} ${PREFER_FAILURE}`],
  [
    'MAP with THIRD_PARTY',
    { ...mapFour, options: [{ kind: 'THIRD_PARTY', internalAddress: '192.168.1.9' }] },
    `${MAP} 01000010 00000000 00000000 0000ffff c0a80109`,
  ],
  ['MAP with FILTER', { ...mapSix, options: [filter] }, `${MAP_6} ${FILTER}`],
  [
    'MAP with several options, one of them unknown',
    {
      ...mapSix,
      options: [{ kind: 'PREFER_FAILURE' }, filter, { kind: 'unknown', code: 128, data: bytesOf('68656c6c6f') }],
    },
    `${MAP_6} ${PREFER_FAILURE} ${FILTER} 80000005 68656c6c 6f000000`,
  ],
  [
    'PEER of IPv4',
    {
      kind: 'PEER-request',
      ...four,
      ...asked,
      protocol: 17,
      remotePeerPort: 53,
      remotePeerAddress: '198.51.100.9',
    },
    `02020000 00000e10 ${CLIENT} ${NONCE} 11000000 04d2 10e1 ${ANY} 0035 0000 ${PEER}`,
  ],
  [
    'PEER of IPv6 with THIRD_PARTY',
    {
      kind: 'PEER-request',
      ...six,
      ...asked,
      suggestedExternalAddress: '::',
      remotePeerPort: 443,
      remotePeerAddress: '2001:db8:0:ff::9',
      options: [{ kind: 'THIRD_PARTY', internalAddress: '2001:db8::5' }],
    },
    `02020000 00000e10 ${CLIENT_6} ${NONCE} 06000000 04d2 10e1 ${NOTHING} 01bb 0000 ${PEER_6} 01000010 ${CLIENT_6}`,
  ],
]

const RESERVED = '000000000000000000000000'
const granted = { resultCode: 0, lifetimeSeconds: 3600, epochSeconds: 0x66fda1ee }
const given = {
  nonce: NONCE,
  protocol: 6,
  internalPort: 1234,
  assignedExternalPort: 4321,
  assignedExternalAddress: '203.0.113.7',
  options: [],
}
const mapped = { kind: 'MAP-response', ...granted, ...given } as const
const peer = {
  kind: 'PEER-response',
  ...granted,
  ...given,
  remotePeerPort: 53,
  remotePeerAddress: '198.51.100.9',
} as const

type Encoded = Exclude<PcpResponse, { kind: 'other-version-response' }>

/** RFC 6887 7.2, 11.1, 12.1, 14.1. */
const RESPONSES: readonly (readonly [name: string, value: Encoded, hex: string])[] = [
  ['ANNOUNCE', { kind: 'ANNOUNCE-response', ...granted, lifetimeSeconds: 0 }, `02800000 00000000 66fda1ee ${RESERVED}`],
  [
    'ANNOUNCE refused',
    { kind: 'ANNOUNCE-response', ...granted, resultCode: 2, lifetimeSeconds: 1800 },
    `02800002 00000708 66fda1ee ${RESERVED}`,
  ],
  ['MAP of IPv4', mapped, `02810000 00000e10 66fda1ee ${RESERVED} ${NONCE} 06000000 04d2 10e1 ${EXTERNAL}`],
  [
    'MAP of IPv6',
    { ...mapped, assignedExternalAddress: '2001:db8::5' },
    `02810000 00000e10 66fda1ee ${RESERVED} ${NONCE} 06000000 04d2 10e1 ${CLIENT_6}`,
  ],
  [
    'MAP deleted',
    { ...mapped, lifetimeSeconds: 0, assignedExternalPort: 0, assignedExternalAddress: '0.0.0.0' },
    `02810000 00000000 66fda1ee ${RESERVED} ${NONCE} 06000000 04d2 0000 ${ANY}`,
  ],
  [
    'MAP refused',
    { ...mapped, resultCode: 11, lifetimeSeconds: 30 },
    `0281000b 0000001e 66fda1ee ${RESERVED} ${NONCE} 06000000 04d2 10e1 ${EXTERNAL}`,
  ],
  [
    'MAP with the options that were obeyed',
    { ...mapped, options: [{ kind: 'PREFER_FAILURE' }, filter] },
    `02810000 00000e10 66fda1ee ${RESERVED} ${NONCE} 06000000 04d2 10e1 ${EXTERNAL} ${PREFER_FAILURE} ${FILTER}`,
  ],
  [
    'PEER of IPv4',
    peer,
    `02820000 00000e10 66fda1ee ${RESERVED} ${NONCE} 06000000 04d2 10e1 ${EXTERNAL} 0035 0000 ${PEER}`,
  ],
  [
    'PEER of IPv6',
    { ...peer, assignedExternalAddress: '2001:db8::5', remotePeerAddress: '2001:db8:0:ff::9' },
    `02820000 00000e10 66fda1ee ${RESERVED} ${NONCE} 06000000 04d2 10e1 ${CLIENT_6} 0035 0000 ${PEER_6}`,
  ],
  [
    'PEER refused',
    { ...peer, resultCode: 13 },
    `0282000d 00000e10 66fda1ee ${RESERVED} ${NONCE} 06000000 04d2 10e1 ${EXTERNAL} 0035 0000 ${PEER}`,
  ],
  [
    'MAP refused, without the rest',
    { kind: 'error-response', opcode: 1, ...granted, resultCode: 3 },
    `02810003 00000e10 66fda1ee ${RESERVED}`,
  ],
  [
    'to an opcode that is unknown',
    { kind: 'error-response', opcode: 127, ...granted, resultCode: 4 },
    `02ff0004 00000e10 66fda1ee ${RESERVED}`,
  ],
]

const REQUEST_KINDS = ['ANNOUNCE-request', 'MAP-request', 'PEER-request', 'bad-request'] as const
const RESPONSE_KINDS = [
  'ANNOUNCE-response',
  'MAP-response',
  'PEER-response',
  'error-response',
  'other-version-response',
] as const
const EVERY = [...REQUESTS, ...RESPONSES].map(([name, { kind }, hex]) => [`${kind}: ${name}`, bytesOf(hex)] as const)

describe('a PCP request', () => {
  it.each(REQUESTS)('%s is written', (_name, value, hex) => {
    expect(encodePcpRequest(value)).toEqual(bytesOf(hex))
  })

  it.each(REQUESTS)('%s is read, wherever its bytes are', (_name, value, hex) => {
    for (const bytes of [bytesOf(hex), ...viewsOf(bytesOf(hex))]) expect(decodePcpRequest(bytes)).toStrictEqual(value)
  })

  it.each(REQUESTS)('%s is not a response', (_name, _value, hex) => {
    expect(() => decodePcpResponse(bytesOf(hex))).toThrow(MalformedMessageError)
  })
})

describe('a PCP response', () => {
  it.each(RESPONSES)('%s is written', (_name, value, hex) => {
    expect(encodePcpResponse(value)).toEqual(bytesOf(hex))
  })

  it.each(RESPONSES)('%s is read, wherever its bytes are', (_name, value, hex) => {
    for (const bytes of [bytesOf(hex), ...viewsOf(bytesOf(hex))]) expect(decodePcpResponse(bytes)).toStrictEqual(value)
  })

  it.each(RESPONSES)('%s is not a request, and is dropped in silence', (_name, _value, hex) => {
    expect(() => decodePcpRequest(bytesOf(hex))).toThrow(MalformedMessageError)
  })
})

describe('whatever comes to the PCP port', () => {
  it.each(EVERY)('is a known message or malformed, with one wrong bit or cut: %s', (_name, bytes) => {
    for (const spoilt of [bytes, ...truncations(bytes), ...bitFlips(bytes)]) {
      kindOf(decodePcpRequest, spoilt, REQUEST_KINDS)
      kindOf(decodePcpResponse, spoilt, RESPONSE_KINDS)
    }
  })

  it('is a known message or malformed: random bytes', () => {
    const random = randomFrom(6887)
    const seen = new Set<string>()
    for (let length = 0; length <= 1200; length++) {
      const noise = randomBytes(random, length)
      const opcode = length % 5
      const heads = [[], [0, 128 + opcode, 0, 1], [2, opcode, 0, 0], [2, 128 + opcode, 0, 0], [2, 128 + opcode, 0, 8]]
      for (const head of heads) {
        const bytes = Uint8Array.of(...head, ...noise)
        for (const part of [bytes, bytes.subarray(0, bytes.length & ~3)]) {
          seen.add(kindOf(decodePcpRequest, part, REQUEST_KINDS))
          seen.add(kindOf(decodePcpResponse, part, RESPONSE_KINDS))
        }
      }
    }
    expect([...seen].sort()).toEqual([...REQUEST_KINDS, ...RESPONSE_KINDS, 'malformed'].sort())
  })
})

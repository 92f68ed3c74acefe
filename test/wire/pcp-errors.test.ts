/** Bad PCP messages, the answers to them, and the answers of servers with other versions. */
import { describe, expect, it } from 'vitest'
import { MalformedMessageError } from '../../src/domain/errors.ts'
import { decodeNatPmpRequest, decodeNatPmpResponse } from '../../src/wire/natpmp.ts'
import {
  decodePcpRequest,
  decodePcpResponse,
  encodePcpErrorResponse,
  encodePcpResponse,
  MAX_PCP_BYTES,
} from '../../src/wire/pcp.ts'
import { PCP_RESULTS } from '../../src/wire/pcp-result-codes.ts'
import { bytesOf, hexOf } from '../support/hex-bytes.ts'
import { truncations } from '../support/random.ts'

const NONCE = '0102030405060708090a0b0c'
const CLIENT = '00000000 00000000 0000ffff c0a80105'
const MAPPING = `${NONCE} 06000000 04d2 10e1 00000000 00000000 0000ffff 00000000`
const MAP = `02010000 00000e10 ${CLIENT} ${MAPPING}`
const PEER = `02020000 00000e10 ${CLIENT} ${MAPPING} 0035 0000 00000000 00000000 0000ffff c6336409`
const ANNOUNCE = `02000000 00000000 ${CLIENT}`

const plain = (hex: string): string => hex.replaceAll(' ', '')
const cut = (hex: string, length: number): string => plain(hex).slice(0, length * 2)
/** As many unknown options as the request needs to have this length. */
const ofLength = (length: number): string => plain(MAP) + '84000000'.repeat((length - 60) / 4)

describe('a bad PCP request', () => {
  it.each([
    ['of version 0, which is NAT-PMP', '0000', 0, 0, 'UNSUPP_VERSION'],
    ['of version 1', `01${plain(MAP).slice(2)}`, 1, 1, 'UNSUPP_VERSION'],
    ['of version 3, whatever follows', '037f', 3, 127, 'UNSUPP_VERSION'],
    ['of two bytes', '0201', 2, 1, 'MALFORMED_REQUEST'],
    ['of 20 bytes', cut(ANNOUNCE, 20), 2, 0, 'MALFORMED_REQUEST'],
    ['of 23 bytes', cut(ANNOUNCE, 23), 2, 0, 'MALFORMED_REQUEST'],
    ['of one byte more than a multiple of four', `${MAP} 00`, 2, 1, 'MALFORMED_REQUEST'],
    ['of two bytes more than a multiple of four', `${MAP} 0000`, 2, 1, 'MALFORMED_REQUEST'],
    ['of three bytes more than a multiple of four', `${MAP} 000000`, 2, 1, 'MALFORMED_REQUEST'],
    ['of more than 1100 bytes', ofLength(1104), 2, 1, 'MALFORMED_REQUEST'],
    ['of more than 1100 bytes, by one', `${ofLength(1100)}00`, 2, 1, 'MALFORMED_REQUEST'],
    ['with the opcode of RFC 7652', `0203${plain(MAP).slice(4)}`, 2, 3, 'UNSUPP_OPCODE'],
    ['with the greatest opcode', `027f${plain(ANNOUNCE).slice(4)}`, 2, 127, 'UNSUPP_OPCODE'],
    ['with an unknown opcode, too short', '027f0000', 2, 127, 'MALFORMED_REQUEST'],
    ['that is a MAP without its data', cut(MAP, 24), 2, 1, 'MALFORMED_REQUEST'],
    ['that is a MAP cut by four bytes', cut(MAP, 56), 2, 1, 'MALFORMED_REQUEST'],
    ['that is a PEER with the data of a MAP', cut(PEER, 60), 2, 2, 'MALFORMED_REQUEST'],
    ['that is a PEER cut by four bytes', cut(PEER, 76), 2, 2, 'MALFORMED_REQUEST'],
    ['with an option that is cut', `${MAP} 01000010 00000000`, 2, 1, 'MALFORMED_OPTION'],
    ['with an option longer than the request', `${MAP} 8400ffff`, 2, 1, 'MALFORMED_OPTION'],
    ['with THIRD_PARTY of four bytes', `${MAP} 01000004 c0a80109`, 2, 1, 'MALFORMED_OPTION'],
    ['with PREFER_FAILURE with data', `${MAP} 02000004 00000000`, 2, 1, 'MALFORMED_OPTION'],
    ['with a bad option behind a good one', `${MAP} 02000000 01000000`, 2, 1, 'MALFORMED_OPTION'],
    ['with a bad option in an ANNOUNCE', `${ANNOUNCE} 84000001`, 2, 0, 'MALFORMED_OPTION'],
    ['with a bad option in a PEER', `${PEER} 03000000`, 2, 2, 'MALFORMED_OPTION'],
  ] as const)('%s is to be answered with its code', (_name, hex, version, opcode, name) => {
    const resultCode = PCP_RESULTS[name]
    expect(decodePcpRequest(bytesOf(hex))).toEqual({ kind: 'bad-request', version, opcode, resultCode })
  })

  it.each(['', '02', '00', '0280', '02ff', `0281${plain(MAP).slice(4)}`, '0180', '0080000066fda1eecb007107'])(
    'is dropped in silence if it is a response or less than two bytes: %j',
    (hex) => expect(() => decodePcpRequest(bytesOf(hex))).toThrow(MalformedMessageError),
  )

  it('may have up to 1100 bytes, and unknown options are kept', () => {
    const request = decodePcpRequest(bytesOf(ofLength(MAX_PCP_BYTES)))
    expect(request).toMatchObject({ kind: 'MAP-request' })
    expect(request).toHaveProperty('options.length', (MAX_PCP_BYTES - 60) / 4)
    expect(request).toHaveProperty('options.259', { kind: 'unknown', code: 0x84, data: new Uint8Array() })
  })

  it('is not one whose reserved fields have something', () => {
    const reserved = plain(MAP).replace('02010000', '0201ffff').replace('06000000', '06ffffff')
    expect(decodePcpRequest(bytesOf(reserved))).toEqual(decodePcpRequest(bytesOf(MAP)))
  })
})

describe('an error that answers a PCP request', () => {
  const head = { resultCode: PCP_RESULTS.NOT_AUTHORIZED, lifetimeSeconds: 1800, epochSeconds: 0x66fda1ee }
  const HEAD = `02810002 00000708 66fda1ee ${'00'.repeat(12)}`
  const answer = (hex: string, resultCode: number = head.resultCode): string =>
    hexOf(encodePcpErrorResponse(bytesOf(hex), { ...head, resultCode }))

  it('repeats the request behind its own head', () => {
    expect(answer(`${MAP} 02000000`)).toBe(plain(`${HEAD} ${MAPPING} 02000000`))
  })

  it('has 0 in all reserved fields, whatever the request has there', () => {
    expect(answer(`0201ffff ffffffff ${'ff'.repeat(16)} ${MAPPING}`)).toBe(plain(`${HEAD} ${MAPPING}`))
  })

  it.each(['UNSUPP_VERSION', 'MALFORMED_REQUEST', 'UNSUPP_OPCODE', 'MALFORMED_OPTION'] as const)(
    'keeps the last 96 bits of the client address of a request that could not be parsed: %s',
    (name) => {
      const code = PCP_RESULTS[name]
      const expected = `028100${hexOf(Uint8Array.of(code))} 00000708 66fda1ee 00000000 0000ffff c0a80105 ${MAPPING}`
      expect(answer(`0201ffff ffffffff ${CLIENT} ${MAPPING}`, code)).toBe(plain(expected))
    },
  )

  it.each([
    ['nothing', '', '0280'],
    ['two bytes', '0201', '0281'],
    ['ten bytes of version 3', `0301 ${'ab'.repeat(8)}`, '0281'],
    ['23 bytes', `0202 ${'00'.repeat(21)}`, '0282'],
  ])('has a complete head for a request of %s', (_name, hex, start) => {
    expect(answer(hex)).toBe(plain(`${start}0002 00000708 66fda1ee ${'00'.repeat(12)}`))
  })

  it.each([
    [25, 28],
    [26, 28],
    [27, 28],
    [28, 28],
    [1097, 1100],
    [1099, 1100],
    [1100, 1100],
    [1101, 1100],
    [65_507, 1100],
  ])('is padded to four bytes and cut to 1100: %i bytes are answered with %i', (length, expected) => {
    const request = new Uint8Array(length).fill(0xab)
    const bytes = encodePcpErrorResponse(request, head)
    expect(bytes.length).toBe(expected)
    const kept = Math.min(length, expected)
    expect(bytes.subarray(24, kept)).toEqual(request.subarray(24, kept))
    expect(bytes.subarray(kept)).toEqual(new Uint8Array(expected - kept))
  })

  it('leaves the request as it was, and takes it from the middle of a buffer', () => {
    const buffer = Buffer.from(bytesOf(`ffffff ${MAP} ffffff`))
    expect(hexOf(encodePcpErrorResponse(buffer.subarray(3, 63), head))).toBe(plain(`${HEAD} ${MAPPING}`))
    expect(hexOf(buffer)).toBe(plain(`ffffff ${MAP} ffffff`))
  })

  it('is for the client a response to its own MAP, refused', () => {
    expect(decodePcpResponse(encodePcpErrorResponse(bytesOf(`${MAP} 02000000`), head))).toEqual({
      kind: 'MAP-response',
      ...head,
      nonce: NONCE,
      protocol: 6,
      internalPort: 1234,
      assignedExternalPort: 4321,
      assignedExternalAddress: '0.0.0.0',
      options: [{ kind: 'PREFER_FAILURE' }],
    })
  })

  it.each([
    ['MAP, cut', cut(MAP, 40), { kind: 'error-response', opcode: 1 }],
    ['PEER', PEER, { kind: 'PEER-response', nonce: NONCE, remotePeerPort: 53, remotePeerAddress: '198.51.100.9' }],
    ['ANNOUNCE', ANNOUNCE, { kind: 'ANNOUNCE-response' }],
    ['an unknown opcode', `027f${plain(MAP).slice(4)}`, { kind: 'error-response', opcode: 127 }],
    ['another version', `03${plain(MAP).slice(2)}`, { kind: 'MAP-response', nonce: NONCE }],
  ])('is read by the client as a refusal of %s', (_name, hex, expected) => {
    expect(decodePcpResponse(encodePcpErrorResponse(bytesOf(hex), head))).toMatchObject({ ...expected, ...head })
  })
})

describe('a bad PCP response', () => {
  const HEAD = `02810000 00000e10 66fda1ee ${'00'.repeat(12)}`
  const MAPPED = `${HEAD} ${MAPPING}`

  it.each([
    ['MAP', MAPPED],
    ['PEER', `0282${plain(MAPPED).slice(4)}${plain(PEER).slice(120)}`],
  ])('to %s is never a success if its end is missing', (_name, hex) => {
    for (const part of truncations(bytesOf(hex))) expect(() => decodePcpResponse(part)).toThrow(MalformedMessageError)
  })

  it.each(['MAP', 'PEER'])('to a refused %s is an error even if everything after the head is missing', (name) => {
    const value = { resultCode: 8, lifetimeSeconds: 30, epochSeconds: 7 }
    const request = bytesOf(name === 'MAP' ? MAP : PEER)
    for (const part of truncations(encodePcpErrorResponse(request, value))) {
      if (part.length < 24 || part.length % 4 !== 0) {
        expect(() => decodePcpResponse(part)).toThrow(MalformedMessageError)
      } else {
        expect(decodePcpResponse(part)).toEqual({ kind: 'error-response', opcode: name === 'MAP' ? 1 : 2, ...value })
      }
    }
  })

  it.each([
    ['of more than 1100 bytes', MAPPED + '84000000'.repeat(261)],
    ['of no multiple of four', `${MAPPED} 00`],
    ['of an unknown opcode that succeeded', `0283${plain(HEAD).slice(4)}`],
    ['of three bytes', '028100'],
    ['of the four bytes with which some routers answer NAT-PMP', '02810002'],
  ])('%s is malformed', (_name, hex) => {
    expect(() => decodePcpResponse(bytesOf(hex))).toThrow(MalformedMessageError)
  })

  it('may have options that cannot be read, or none, and the rest still counts', () => {
    const read = decodePcpResponse(bytesOf(MAPPED))
    expect(read).toMatchObject({ kind: 'MAP-response', options: [] })
    expect(decodePcpResponse(bytesOf(`${MAPPED} 01000010 00000000`))).toEqual(read)
    expect(decodePcpResponse(bytesOf(`${MAPPED} 01000004 00000000`))).toEqual(read)
  })

  it('may have anything in its reserved fields', () => {
    const reserved = `0281ff00 00000e10 66fda1ee ${'ff'.repeat(12)} ${MAPPING.replace('06000000', '06ffffff')}`
    expect(decodePcpResponse(bytesOf(reserved))).toEqual(decodePcpResponse(bytesOf(MAPPED)))
  })
})

describe('the answer of a server of another version to PCP', () => {
  it.each([
    ['NAT-PMP, 8 bytes', '00 80 0001 66fda1ee', 0, 1],
    ['NAT-PMP, 8 bytes, to MAP', '00 81 0001 66fda1ee', 1, 1],
    ['NAT-PMP, as printed in RFC 6886 3.5', '00 00 0001 66fda1ee', 0, 1],
    ['NAT-PMP, 12 bytes', '00 81 0001 66fda1ee 00000000', 1, 1],
    ['NAT-PMP, 16 bytes', '00 81 0001 66fda1ee 00000000 00000000', 1, 1],
    ['PCP, version 0', `00 81 0001 00000708 66fda1ee ${'00'.repeat(48)}`, 1, 1],
    // miniupnpd 2.3.1: not "unsupported version"
    ['MiniUPnPd to version 0', '00 80 0003 66fda1ee', 0, 3],
  ])('is recognized: %s', (_name, hex, opcode, resultCode) => {
    expect(decodePcpResponse(bytesOf(hex))).toEqual({ kind: 'other-version-response', opcode, resultCode })
  })

  it.each([
    ['version 1', `01 81 0001 00000708 66fda1ee ${'00'.repeat(48)}`],
    ['version 1, 4 bytes', '01 81 0001'],
    ['version 3', `03 80 0001 00000708 66fda1ee ${'00'.repeat(12)}`],
    ['version 1, as MiniUPnPd sends it', `01 81 0006 00000000 66fda1ee ${'00'.repeat(48)}`],
    ['version 255', 'ff 80 0001 66fda1ee'],
  ])('is garbage if the version has never been in use: %s', (_name, hex) => {
    expect(() => decodePcpResponse(bytesOf(hex))).toThrow(MalformedMessageError)
  })

  it.each(['00 80 0001 66fda1ee', '00 00 0001 66fda1ee', '00 81 0001 66fda1ee 00000000 00000000'])(
    'that is NAT-PMP is read as such too: %s',
    (hex) => {
      expect(decodeNatPmpResponse(bytesOf(hex))).toMatchObject({ kind: 'error-response', resultCode: 1 })
    },
  )

  it('of PCP to a NAT-PMP request is not a NAT-PMP response', () => {
    const head = { resultCode: PCP_RESULTS.NOT_AUTHORIZED, lifetimeSeconds: 0, epochSeconds: 1 }
    const answer = encodePcpResponse({ kind: 'error-response', opcode: 1, ...head })
    expect(() => decodeNatPmpResponse(answer)).toThrow(MalformedMessageError)
    expect(decodePcpResponse(answer)).toEqual({ kind: 'error-response', opcode: 1, ...head })
  })

  it('of NAT-PMP depends on the version of the request', () => {
    expect(decodeNatPmpRequest(bytesOf(MAP))).toEqual({ kind: 'unsupported-request', version: 2, opcode: 1 })
  })
})

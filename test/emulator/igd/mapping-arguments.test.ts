import { describe, expect, it } from 'vitest'
import {
  decodeKey,
  decodeNumberOfPorts,
  decodeRange,
  decodeWanted,
  encodeEntry,
  encodeListing,
  ui2,
} from '../../../src/emulator/igd/actions.ts'
import { decodePortListing } from '../../../src/wire/port-listing.ts'
import { KEY, MAPPING } from '../asking.ts'

const refusal = (errorCode: number): unknown => expect.objectContaining({ errorCode })

describe('the arguments of the mapping actions', () => {
  it('become values, and the same text again', () => {
    const wanted = decodeWanted(MAPPING)
    expect(wanted).toMatchObject({ remoteHost: '', externalPort: 8080, internalPort: 80, leaseSeconds: 3600 })
    expect(encodeEntry(wanted)).toEqual(MAPPING)
  })

  it.each([
    ['NewRemoteHost', 'example.org'],
    ['NewRemoteHost', '1.2.3.4.5'],
    ['NewExternalPort', ''],
    ['NewExternalPort', 'http'],
    ['NewExternalPort', '-1'],
    ['NewExternalPort', '0x50'],
    ['NewExternalPort', '80.5'],
    ['NewExternalPort', '65536'],
    ['NewProtocol', 'tcp'],
    ['NewProtocol', 'SCTP'],
    ['NewProtocol', ''],
    ['NewInternalPort', '1e3'],
    ['NewInternalPort', '99999999999999999999'],
    ['NewInternalClient', ''],
    ['NewInternalClient', '192.168.1'],
    ['NewInternalClient', '0.0.0.0'],
    ['NewInternalClient', '239.255.255.250'],
    ['NewInternalClient', '::1'],
    ['NewEnabled', ''],
    ['NewEnabled', '2'],
    ['NewPortMappingDescription', 'a\0b'],
    ['NewPortMappingDescription', '\x1b[31m'],
    ['NewLeaseDuration', ''],
    ['NewLeaseDuration', '-1'],
    ['NewLeaseDuration', '4294967296'],
  ])('are refused with 402 if %s is %j', (name, value) => {
    expect(() => decodeWanted({ ...MAPPING, [name]: value })).toThrow(refusal(402))
  })

  it('are refused with 605 if the description is too long', () => {
    const described = (length: number) => ({ ...MAPPING, NewPortMappingDescription: 'x'.repeat(length) })
    expect(decodeWanted(described(1024)).description).toHaveLength(1024)
    expect(() => decodeWanted(described(1025))).toThrow(refusal(605))
  })

  it('accept the older words for a boolean', () => {
    expect(decodeWanted({ ...MAPPING, NewEnabled: 'true' }).enabled).toBe(true)
    expect(decodeWanted({ ...MAPPING, NewEnabled: 'no' }).enabled).toBe(false)
  })

  it('accept port 0, the wildcard, and leave it to the table', () => {
    expect(decodeKey({ ...KEY, NewExternalPort: '0' }).externalPort).toBe(0)
    expect(decodeWanted({ ...MAPPING, NewInternalPort: '0' }).internalPort).toBe(0)
  })

  it('accept an index of 16 bits', () => {
    expect(ui2('65535')).toBe(65535)
    expect(() => ui2('65536')).toThrow(refusal(402))
  })
})

describe('the arguments of the range actions', () => {
  const RANGE = { NewStartPort: '80', NewEndPort: '90', NewProtocol: 'TCP', NewManage: '1' }

  it("mean everybody's mappings, but with NewManage 0 those of the computer that asks", () => {
    const range = { startPort: 80, endPort: 90, protocol: 'TCP' }
    expect(decodeRange(RANGE, '192.168.1.5')).toEqual({ ...range, internalClient: undefined })
    expect(decodeRange({ ...RANGE, NewManage: '0' }, '192.168.1.5')).toEqual({
      ...range,
      internalClient: '192.168.1.5',
    })
  })

  it('accept port 0, because upnpc up to 2.2.4 lists from there, and a range of one port', () => {
    expect(decodeRange({ ...RANGE, NewStartPort: '0', NewEndPort: '0' }, '')).toMatchObject({
      startPort: 0,
      endPort: 0,
    })
  })

  it('are refused with 733 if the range ends before it starts', () => {
    expect(() => decodeRange({ ...RANGE, NewStartPort: '91' }, '')).toThrow(refusal(733))
  })

  it.each([
    ['NewStartPort', '65536'],
    ['NewEndPort', ''],
    ['NewProtocol', 'SCTP'],
    ['NewManage', ''],
    ['NewManage', '2'],
  ])('are refused with 402 if %s is %j', (name, value) => {
    expect(() => decodeRange({ ...RANGE, [name]: value }, '')).toThrow(refusal(402))
  })

  it('limit the number of entries in a listing; 0 means all', () => {
    expect(decodeNumberOfPorts('3')).toBe(3)
    expect(decodeNumberOfPorts('0')).toBe(Number.POSITIVE_INFINITY)
    expect(() => decodeNumberOfPorts('-1')).toThrow(refusal(402))
  })

  it('show a mapping in a listing with the names of its schema', () => {
    const { NewPortMappingDescription, NewLeaseDuration, ...others } = MAPPING
    expect(decodePortListing(encodeListing([decodeWanted(MAPPING)]))).toEqual([
      { ...others, NewDescription: NewPortMappingDescription, NewLeaseTime: NewLeaseDuration },
    ])
  })
})

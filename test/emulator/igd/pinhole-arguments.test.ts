import { describe, expect, it } from 'vitest'
import { decodeOutboundPinhole, decodePinhole, decodePinholeLease, ui2 } from '../../../src/emulator/igd/actions.ts'
import { PINHOLE } from '../asking.ts'

const refusal = (errorCode: number): unknown => expect.objectContaining({ errorCode })

describe('the arguments of AddPinhole', () => {
  it('become values', () => {
    expect(decodePinhole(PINHOLE)).toEqual({
      remoteHost: '2001:db8:9::1',
      remotePort: 0,
      internalClient: '2001:db8::5',
      internalPort: 8080,
      protocol: 6,
      leaseSeconds: 3600,
    })
    expect(decodePinhole({ ...PINHOLE, RemoteHost: '', Protocol: '17' })).toMatchObject({
      remoteHost: '',
      protocol: 17,
    })
  })

  it.each([
    [402, 'RemoteHost', '1.2.3.4'],
    [402, 'RemoteHost', '*'],
    [402, 'RemoteHost', '::'],
    [402, 'RemoteHost', 'example.org'],
    [402, 'RemotePort', ''],
    [402, 'RemotePort', '65536'],
    [402, 'InternalClient', '192.168.1.5'],
    [402, 'InternalClient', 'fe80::1%eth0'],
    [402, 'InternalClient', 'ff02::1'],
    [402, 'InternalClient', '2001:db8:::5'],
    [708, 'InternalClient', ''],
    [708, 'InternalClient', '*'],
    [708, 'InternalClient', '::'],
    [402, 'InternalPort', 'http'],
    [706, 'InternalPort', '0'],
    [402, 'Protocol', 'TCP'],
    [402, 'Protocol', '-1'],
    [402, 'Protocol', '65536'],
    [705, 'Protocol', '0'],
    [705, 'Protocol', '58'],
    [707, 'Protocol', '65535'],
    [402, 'LeaseTime', ''],
    [402, 'LeaseTime', '-1'],
    [402, 'LeaseTime', '4294967296'],
    [601, 'LeaseTime', '0'],
    [601, 'LeaseTime', '86401'],
  ])('are refused with %i if %s is %j', (errorCode, name, value) => {
    expect(() => decodePinhole({ ...PINHOLE, [name]: value })).toThrow(refusal(errorCode))
  })
})

describe('the other arguments of the pinhole actions', () => {
  it('may have a wildcard for every part of a question about traffic except the protocol', () => {
    const { LeaseTime: _, ...parts } = PINHOLE
    const open = { ...parts, RemoteHost: '', InternalClient: '', InternalPort: '0' }
    expect(decodeOutboundPinhole(open)).toMatchObject({ remoteHost: '', internalClient: '', internalPort: 0 })
    expect(() => decodeOutboundPinhole({ ...parts, Protocol: '65535' })).toThrow(refusal(705))
    expect(() => decodeOutboundPinhole({ ...parts, Protocol: 'TCP' })).toThrow(refusal(402))
    expect(() => decodeOutboundPinhole({ ...parts, InternalClient: '1.2.3.4' })).toThrow(refusal(402))
  })

  it('accept a UniqueID of 16 bits, and a lease of 1 s to a day', () => {
    expect(ui2('65535')).toBe(65535)
    for (const id of ['', '65536', '-1', '1a']) expect(() => ui2(id)).toThrow(refusal(402))
    expect([decodePinholeLease('1'), decodePinholeLease('86400')]).toEqual([1, 86400])
  })
})

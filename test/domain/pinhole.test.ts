import { describe, expect, it } from 'vitest'
import { pinholeIdOf, pinholeTargetOf } from '../../src/domain/pinhole.ts'

describe('what a pinhole of PCP is known by', () => {
  it.each([
    ['TCP:[2001:db8::5]:8022', { protocol: 'TCP', internalClient: '2001:db8::5', internalPort: 8022 }],
    ['UDP:[2001:db8::5]:1', { protocol: 'UDP', internalClient: '2001:db8::5', internalPort: 1 }],
    ['TCP:[fd00::1:2]:65535', { protocol: 'TCP', internalClient: 'fd00::1:2', internalPort: 65_535 }],
    ['UDP:[1:2:3:4:5:6:7:8]:53', { protocol: 'UDP', internalClient: '1:2:3:4:5:6:7:8', internalPort: 53 }],
  ] as const)('%s is written and read', (id, target) => {
    expect(pinholeIdOf(target)).toBe(id)
    expect(pinholeTargetOf(id)).toEqual(target)
  })

  it('may have its protocol in lower case', () => {
    const target = { protocol: 'TCP', internalClient: '2001:db8::5', internalPort: 80 }
    expect(pinholeTargetOf('tcp:[2001:db8::5]:80')).toEqual(target)
    expect(pinholeTargetOf('Udp:[2001:db8::5]:80')).toEqual({ ...target, protocol: 'UDP' })
  })

  it.each([
    '',
    '5',
    '65535',
    'TCP',
    'TCP:2001:db8::5:80',
    'TCP:[2001:db8::5]',
    'TCP:[2001:db8::5]:',
    'TCP:[2001:db8::5]:0',
    'TCP:[2001:db8::5]:65536',
    'TCP:[2001:db8::5]:-1',
    'TCP:[2001:db8::5]:80.0',
    'TCP:[2001:db8::5]:0x50',
    'TCP:[2001:db8::5]:000080',
    'TCP:[2001:db8::5]:80 ',
    ' TCP:[2001:db8::5]:80',
    'TCP:[2001:db8::5]:80\n',
    'SCTP:[2001:db8::5]:80',
    '6:[2001:db8::5]:80',
    'TCP:[]:80',
    'TCP:[192.168.1.5]:80',
    'TCP:[::]:80',
    'TCP:[ff02::1]:80',
    'TCP:[fe80::1%eth0]:80',
    'TCP:[2001:db8::5]]:80',
    'TCP:[[2001:db8::5]:80',
    'TCP:[localhost]:80',
    `TCP:[${':'.repeat(10_000)}]:80`,
  ])('is not %j', (id) => expect(pinholeTargetOf(id)).toBeUndefined())
})

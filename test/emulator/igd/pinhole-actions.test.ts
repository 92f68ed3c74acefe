import { describe, expect, it } from 'vitest'
import type { GatewayFacts } from '../../../src/emulator.ts'
import { FACTS, FIREWALL_CONTROL, FIREWALL1, makeResponder, outcome, PINHOLE, soapRequest } from '../asking.ts'

type Ask = (action: string, args?: Readonly<Record<string, string>>, from?: string) => number | Record<string, string>

/** Calls one gateway, from loopback by default. */
function gateway(facts: Partial<GatewayFacts> = {}): Ask {
  const responder = makeResponder({ facts: { ...FACTS, ...facts } })
  return (action, args = {}, remoteAddress = '127.0.0.1') =>
    outcome(
      responder(soapRequest({ action, args, serviceType: FIREWALL1, target: FIREWALL_CONTROL, remoteAddress }), 0),
      action,
    )
}

const FIRST = { UniqueID: '1' }
const BY_ID = ['UpdatePinhole', 'DeletePinhole', 'GetPinholePackets', 'CheckPinholeWorking']
const { LeaseTime: _, ...TRAFFIC } = PINHOLE

describe('pinhole actions', () => {
  it('open, renew, check, count and close', () => {
    const ask = gateway()
    expect(ask('AddPinhole', PINHOLE)).toEqual({ uniqueid: '1' })
    expect(ask('AddPinhole', { ...PINHOLE, LeaseTime: '60' })).toEqual({ uniqueid: '1' })
    expect(ask('UpdatePinhole', { ...FIRST, NewLeaseTime: '86400' })).toEqual({})
    expect(ask('CheckPinholeWorking', FIRST)).toEqual({ isworking: '1' })
    expect(ask('GetPinholePackets', FIRST)).toEqual({ pinholepackets: '7' })
    expect(ask('DeletePinhole', FIRST)).toEqual({})
    for (const action of BY_ID) expect(ask(action, { ...FIRST, NewLeaseTime: '60' })).toBe(704)
  })

  it('refuse a lease of more than a day with 601, and a lease that is not a number with 402', () => {
    const ask = gateway()
    ask('AddPinhole', PINHOLE)
    expect(ask('UpdatePinhole', { ...FIRST, NewLeaseTime: '86401' })).toBe(601)
    expect(ask('UpdatePinhole', { ...FIRST, NewLeaseTime: 'long' })).toBe(402)
  })

  it('answer 709 if no traffic has gone through a pinhole, as nobody knows whether it works', () => {
    const ask = gateway({ pinholePackets: 0 })
    ask('AddPinhole', PINHOLE)
    expect(ask('CheckPinholeWorking', FIRST)).toBe(709)
    expect(ask('GetPinholePackets', FIRST)).toEqual({ pinholepackets: '0' })
  })

  it('say how long the firewall lets answers in', () => {
    expect(gateway()('GetOutboundPinholeTimeout', TRAFFIC)).toEqual({ outboundpinholetimeout: '120' })
    expect(gateway()('GetOutboundPinholeTimeout', { ...TRAFFIC, Protocol: '1' })).toBe(705)
  })
})

describe('a firewall', () => {
  it('that is off says so, and refuses everything else with 702', () => {
    const ask = gateway({ firewallEnabled: false })
    expect(ask('GetFirewallStatus')).toEqual({ firewallenabled: '0', inboundpinholeallowed: '1' })
    expect(ask('AddPinhole', PINHOLE)).toBe(702)
    expect(ask('GetOutboundPinholeTimeout', TRAFFIC)).toBe(702)
    for (const action of BY_ID) expect(ask(action, { ...FIRST, NewLeaseTime: '60' })).toBe(702)
  })

  it('that allows no pinholes says so, and refuses with 703, but still tells its timeout', () => {
    const ask = gateway({ inboundPinholeAllowed: false })
    expect(ask('GetFirewallStatus')).toEqual({ firewallenabled: '1', inboundpinholeallowed: '0' })
    expect(ask('AddPinhole', PINHOLE)).toBe(703)
    for (const action of BY_ID) expect(ask(action, { ...FIRST, NewLeaseTime: '60' })).toBe(703)
    expect(ask('GetOutboundPinholeTimeout', TRAFFIC)).toEqual({ outboundpinholetimeout: '120' })
  })
})

describe('permission for a pinhole', () => {
  it.each(['2001:db8::5', '2001:DB8:0:0::5', '127.0.0.1', '::1'])(
    'to 2001:db8::5 is given to a request from %s',
    (from) => {
      expect(gateway()('AddPinhole', PINHOLE, from)).toEqual({ uniqueid: '1' })
    },
  )

  it('to a link-local address is given to a request from it, whatever the zone', () => {
    expect(gateway()('AddPinhole', { ...PINHOLE, InternalClient: 'fe80::5' }, 'fe80::5%eth0')).toEqual({
      uniqueid: '1',
    })
  })

  it.each(['2001:db8::6', '192.168.1.5', '', 'fe80::5%2001:db8::5'])(
    'to 2001:db8::5 is not given to a request from %j',
    (from) => {
      const ask = gateway()
      expect(ask('AddPinhole', PINHOLE, from)).toBe(606)
      ask('AddPinhole', PINHOLE)
      for (const action of BY_ID) expect(ask(action, { ...FIRST, NewLeaseTime: '60' }, from)).toBe(606)
    },
  )

  it('is given to everybody if pinholesOnlyForAsking is off', () => {
    expect(gateway({ pinholesOnlyForAsking: false })('AddPinhole', PINHOLE, '192.168.1.5')).toEqual({ uniqueid: '1' })
  })
})

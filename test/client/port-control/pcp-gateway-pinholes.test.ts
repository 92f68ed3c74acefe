import { describe, expect, it } from 'vitest'
import { InvalidArgumentError } from '../../../src/domain/errors.ts'
import type { PinholeOpener } from '../../../src/domain/gateway.ts'
import type { TimedPinholeRequest } from '../../../src/domain/pinhole.ts'
import { bytesOf, hexOf } from '../../support/hex-bytes.ts'
import { mapReply, type PortControlAnswering, pcpError } from '../../support/port-control-replies.ts'
import { failureOf, pcp } from './gateway-asked.ts'

const OWN = '2001:db8::10'
const SERVER = '2001:db8::20'
const LINK_LOCAL = 'fe80::10%eth0'

/** TCP 8022 of another computer, from anywhere, for an hour. */
const REQUEST: TimedPinholeRequest = {
  remoteHost: '',
  remotePort: 0,
  internalClient: SERVER,
  internalPort: 8022,
  protocol: 6,
  leaseSeconds: 3600,
}

function firewall(answer?: PortControlAnswering) {
  const { gateway, another, ...net } = pcp(answer, {
    endpoint: { address: 'fe80::1%eth0', port: 5351 },
    localAddress: LINK_LOCAL,
    ownAddresses: () => ['192.168.1.10', LINK_LOCAL, OWN],
  })
  const pinholesOf = ({ pinholes }: { readonly pinholes: PinholeOpener | undefined }): PinholeOpener => {
    if (pinholes === undefined) throw new Error('no pinholes')
    return pinholes
  }
  return { ...net, gateway, pinholes: pinholesOf(gateway), another: () => pinholesOf(another()) }
}

describe('a pinhole over PCP', () => {
  it('is a mapping whose outside is the inside, and known by what it leads to', async () => {
    const { pinholes, asked, datagrams, nothingLeft } = firewall()
    expect(await pinholes.addPinhole(REQUEST)).toEqual({ id: 'TCP:[2001:db8::20]:8022', leaseSeconds: 3600 })
    expect(asked()).toMatchObject([
      {
        lifetimeSeconds: 3600,
        protocol: 6,
        internalPort: 8022,
        suggestedExternalPort: 8022,
        suggestedExternalAddress: SERVER,
      },
    ])
    expect(datagrams.requests[0]?.to).toBe('fe80::1%eth0:5351')
    nothingLeft()
  })

  it.each([0, -1, 0.5, 2 ** 32, 2 ** 32 + 60])(
    'cannot have a lease of %d s, and nothing is sent',
    async (leaseSeconds) => {
      const { pinholes, asked } = firewall()
      const id = 'TCP:[2001:db8::20]:8022'
      expect(await failureOf(pinholes.addPinhole({ ...REQUEST, leaseSeconds }))).toBeInstanceOf(InvalidArgumentError)
      expect(await failureOf(pinholes.updatePinhole(id, leaseSeconds))).toBeInstanceOf(InvalidArgumentError)
      expect(asked()).toEqual([])
    },
  )

  it('has the lease that was granted, which may be another one than was asked for', async () => {
    const { pinholes } = firewall((request) => mapReply(request, { lifetimeSeconds: 120 }))
    expect(await pinholes.addPinhole(REQUEST)).toMatchObject({ leaseSeconds: 120 })
    expect(await pinholes.updatePinhole('TCP:[2001:db8::20]:8022', 60)).toMatchObject({ leaseSeconds: 120 })
  })

  it('for another computer names it, and is asked for from this one, without a zone in the message', async () => {
    const { pinholes, asked, datagrams } = firewall()
    await pinholes.addPinhole(REQUEST)
    expect(datagrams.requests[0]?.from).toBe(LINK_LOCAL)
    expect(asked()).toMatchObject([
      { clientAddress: 'fe80::10', options: [{ kind: 'THIRD_PARTY', internalAddress: SERVER }] },
    ])
  })

  it.each([OWN, '2001:DB8:0::10'])(
    'for %s, which is ours, is asked for from that very address',
    async (internalClient) => {
      const { pinholes, asked, datagrams } = firewall()
      await pinholes.addPinhole({ ...REQUEST, internalClient })
      expect(datagrams.requests[0]?.from).toBe(OWN)
      expect(asked()).toMatchObject([{ clientAddress: OWN, suggestedExternalAddress: OWN, options: [] }])
    },
  )

  it('for one remote host and port has a filter, byte for byte', async () => {
    const { pinholes, datagrams } = firewall()
    const remote = { remoteHost: '2001:db8:f::1', remotePort: 4000 }
    await pinholes.addPinhole({ ...REQUEST, internalClient: OWN, protocol: 17, ...remote })
    const bytes = datagrams.requests[0]?.bytes ?? new Uint8Array()
    const own = '20010db8 0000 0000 0000 0000 0000 0010'
    expect(hexOf(bytes.subarray(0, 24))).toBe(hexOf(bytesOf(`02010000 00000e10 ${own}`)))
    expect(hexOf(bytes.subarray(36, 60))).toBe(hexOf(bytesOf(`11000000 1f56 1f56 ${own}`)))
    const filter = '03000014 00800fa0 20010db8 000f 0000 0000 0000 0000 0001'
    expect(hexOf(bytes.subarray(60))).toBe(hexOf(bytesOf(filter)))
  })

  it('for one remote host from any port has a filter for port 0', async () => {
    const { pinholes, asked } = firewall()
    await pinholes.addPinhole({ ...REQUEST, internalClient: OWN, remoteHost: '2001:db8:f::1' })
    const filter = { kind: 'FILTER', prefixLength: 128, remotePort: 0, remoteAddress: '2001:db8:f::1' }
    expect(asked()).toMatchObject([{ options: [filter] }])
  })

  it.each([
    ['any protocol', { protocol: 65_535 }],
    ['ICMP', { protocol: 58 }],
    ['any port', { internalPort: 0 }],
    ['one remote port of any host', { remotePort: 4000 }],
  ])('cannot be for %s, and is not asked for', async (_name, changes) => {
    const { pinholes, datagrams } = firewall()
    expect(await failureOf(pinholes.addPinhole({ ...REQUEST, ...changes }))).toBeInstanceOf(InvalidArgumentError)
    expect(datagrams.connections).toEqual([])
  })

  it('is refused where the gateway refuses, or grants nothing', async () => {
    const refusing = firewall((request) => pcpError(request, 2))
    expect(await failureOf(refusing.pinholes.addPinhole(REQUEST))).toMatchObject({ code: 'REFUSED', number: 2 })
    const empty = firewall((request) => mapReply(request, { lifetimeSeconds: 0 }))
    expect(await failureOf(empty.pinholes.addPinhole(REQUEST))).toMatchObject({ code: 'MALFORMED_MESSAGE' })
  })
})

describe('a pinhole that is known by what it leads to', () => {
  it('is updated and deleted by another process, with the same nonce', async () => {
    const { pinholes, another, asked } = firewall()
    const { id } = await pinholes.addPinhole({ ...REQUEST, internalClient: OWN, protocol: 17 })
    expect(id).toBe('UDP:[2001:db8::10]:8022')
    expect(await another().updatePinhole(id, 7200)).toEqual({ id, leaseSeconds: 7200 })
    await another().deletePinhole(id)
    const same = { protocol: 17, internalPort: 8022, suggestedExternalPort: 8022, suggestedExternalAddress: OWN }
    const nonce = asked()[0]?.nonce
    expect(asked()).toMatchObject([
      { ...same, nonce, lifetimeSeconds: 3600 },
      { ...same, nonce, lifetimeSeconds: 7200 },
      { ...same, nonce, lifetimeSeconds: 0 },
    ])
    expect(asked().flatMap(({ options }) => options)).toEqual([]) // filters stay as they are
  })

  it('has the same nonce however its address is written', async () => {
    const { pinholes, another, asked } = firewall()
    await pinholes.addPinhole({ ...REQUEST, internalClient: OWN })
    await another().deletePinhole('tcp:[2001:DB8:0::10]:8022')
    expect(new Set(asked().map(({ nonce }) => nonce)).size).toBe(1)
  })

  it('is that of another computer by THIRD_PARTY', async () => {
    const { pinholes, asked } = firewall()
    await pinholes.deletePinhole('TCP:[2001:db8::20]:8022')
    expect(asked()).toMatchObject([{ lifetimeSeconds: 0, options: [{ kind: 'THIRD_PARTY', internalAddress: SERVER }] }])
  })

  it.each([
    7,
    '7',
    'TCP:8022',
    'TCP:[192.168.1.10]:8022',
    'TCP:[fe80::1%eth0]:8022',
    'TCP:[::]:1',
    'ICMP:[2001:db8::5]:1',
  ])('is not %j', async (id) => {
    const { pinholes, datagrams } = firewall()
    for (const work of [pinholes.updatePinhole(id, 60), pinholes.deletePinhole(id)]) {
      const failure = await failureOf(work)
      expect(failure).toBeInstanceOf(InvalidArgumentError)
      expect(String(failure)).toContain('TCP:[2001:db8::5]:8022')
    }
    expect(datagrams.connections).toEqual([])
  })

  it('is refused where the gateway does not know it', async () => {
    const { pinholes } = firewall((request) => pcpError(request, 2))
    expect(await failureOf(pinholes.deletePinhole('TCP:[2001:db8::20]:8022'))).toMatchObject({ number: 2 })
  })
})

describe('the external address over IPv6', () => {
  it('is asked for with no address suggested', async () => {
    const granted = { assignedExternalPort: 9, assignedExternalAddress: OWN }
    const { gateway, asked, datagrams } = firewall((request) => mapReply(request, granted))
    expect(await gateway.externalAddress()).toBe(OWN)
    expect(asked()[0]).toMatchObject({ suggestedExternalAddress: '::', clientAddress: 'fe80::10', options: [] })
    expect(datagrams.requests[0]?.from).toBe(LINK_LOCAL)
  })
})

describe('pinholes over IPv4', () => {
  it('are none', () => {
    expect(pcp().gateway.pinholes).toBeUndefined()
  })
})

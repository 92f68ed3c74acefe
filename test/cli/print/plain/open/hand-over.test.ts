import { describe, expect, it } from 'vitest'
import { SERVERS, serverNamed } from '../../../../../src/cli/parse/server-table.ts'
import { UsageError } from '../../../../../src/cli/parse/words.ts'
import { endpointText, handOverLine } from '../../../../../src/cli/print/plain/open/hand-over.ts'

const IPV4 = '203.0.113.7'
const IPV6 = '2001:db8::7'

function line(protocol: string, internalPort: number, externalPort = internalPort, externalAddress = IPV4) {
  return handOverLine({ protocol, internalPort, externalPort, externalAddress })
}

describe('the line for somebody elsewhere', () => {
  it.each([
    ['TCP', 22, 22, 'ssh you@203.0.113.7'],
    ['TCP', 22, 2222, 'ssh -p 2222 you@203.0.113.7'],
    ['TCP', 80, 80, 'http://203.0.113.7/'],
    ['TCP', 80, 8080, 'http://203.0.113.7:8080/'],
    ['TCP', 8080, 8080, 'http://203.0.113.7:8080/'],
    ['TCP', 8080, 80, 'http://203.0.113.7/'],
    ['TCP', 3000, 3000, 'http://203.0.113.7:3000/'],
    ['TCP', 443, 443, 'https://203.0.113.7/'],
    ['TCP', 8443, 8443, 'https://203.0.113.7:8443/'],
    ['TCP', 25565, 25565, 'minecraft 203.0.113.7:25565'],
    ['UDP', 19132, 19133, 'minecraft bedrock: server 203.0.113.7, port 19133'],
    ['UDP', 51820, 51820, 'Endpoint = 203.0.113.7:51820'],
    ['UDP', 1194, 1194, 'remote 203.0.113.7 1194 udp'],
    ['UDP', 27015, 27015, 'connect 203.0.113.7:27015'],
    ['TCP', 8333, 8333, 'bitcoind -addnode=203.0.113.7:8333'],
    ['TCP', 3389, 3389, 'mstsc /v:203.0.113.7'],
    ['TCP+UDP', 25565, 25565, 'minecraft 203.0.113.7:25565'],
    ['TCP+UDP', 51820, 51820, 'Endpoint = 203.0.113.7:51820'],
  ])('of %s %i, outside %i, is %s', (protocol, inside, outside, expected) => {
    expect(line(protocol, inside, outside)).toBe(expected)
  })

  it.each([
    ['TCP', 22, 22, 'ssh you@2001:db8::7'],
    ['TCP', 80, 80, 'http://[2001:db8::7]/'],
    ['TCP', 8080, 8080, 'http://[2001:db8::7]:8080/'],
    ['TCP', 8333, 8333, 'bitcoind -addnode=[2001:db8::7]:8333'],
    ['UDP', 30000, 30000, 'luanti --go --address 2001:db8::7 --port 30000'],
  ])('of %s %i over IPv6 is %s', (protocol, inside, outside, expected) => {
    expect(line(protocol, inside, outside, IPV6)).toBe(expected)
  })

  it.each([
    ['TCP', 4711],
    ['UDP', 22],
    ['TCP', 51820],
    ['TCP', 0],
  ])('of %s %i is not known', (protocol, port) => {
    expect(line(protocol, port)).toBeUndefined()
  })

  it('is that of the server that was chosen, on any port of its protocol', () => {
    const open = { protocol: 'TCP', internalPort: 4711, externalPort: 4712, externalAddress: IPV4 }
    expect(handOverLine(open, serverNamed('--as', 'ssh'))).toBe('ssh -p 4712 you@203.0.113.7')
    expect(handOverLine(open, serverNamed('--as', 'HTTP'))).toBe('http://203.0.113.7:4712/')
    expect(handOverLine({ ...open, protocol: 'UDP' }, serverNamed('--as', 'ssh'))).toBeUndefined()
    expect(handOverLine({ ...open, internalPort: 80 }, serverNamed('--as', 'ssh'))).toBe('ssh -p 4712 you@203.0.113.7')
  })

  it('has the address and the port that everybody understands beside it', () => {
    const open = { protocol: 'TCP', internalPort: 22, externalPort: 2222, externalAddress: IPV4 }
    expect(endpointText(open)).toBe('203.0.113.7:2222')
    expect(endpointText({ ...open, externalAddress: IPV6 })).toBe('[2001:db8::7]:2222')
  })
})

describe('the servers', () => {
  it('have one name and one port each', () => {
    const names = SERVERS.map(({ name }) => name)
    const ports = SERVERS.flatMap(({ protocol, ports }) => ports.map((port) => `${protocol} ${port}`))
    expect([new Set(names).size, new Set(ports).size]).toEqual([names.length, ports.length])
    expect(names.filter((name) => !/^[a-z][a-z\d-]*$/.test(name))).toEqual([])
  })

  it.each(SERVERS)('$name says where, on whatever port', ({ protocol, ports: [port] }) => {
    for (const [address, outside] of [
      [IPV4, 4711],
      [IPV6, 4711],
    ] as const) {
      const text = line(protocol, port, outside, address) ?? ''
      expect(text).toContain(address)
      expect(text).toContain('4711')
      expect(text).not.toMatch(/HOST|ADDRESS|PORT|[()]/)
    }
    expect(line(protocol, port)).not.toMatch(/[()]/)
  })

  it('are listed if there is none of that name', () => {
    expect(() => serverNamed('--as', 'gopher')).toThrow(UsageError)
    expect(() => serverNamed('--as', 'gopher')).toThrow(/^--as: 'gopher' is not one of bedrock, bitcoin, factorio, /)
  })
})

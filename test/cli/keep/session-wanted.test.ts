/** What is kept of a command line. */
import { describe, expect, it } from 'vitest'
import { wantedBy } from '../../../src/cli/keep/session.ts'
import { type GatewayInvocation, parseInvocation } from '../../../src/cli/parse/invocation.ts'
import type { GatewayProtocol } from '../../../src/domain/port-mapping.ts'
import type { KeptEither } from '../../../src/keeper/kept-pinhole.ts'
import { keptOf, type OtherRuns } from '../../../src/library/keeping/wanted-ports.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { SimulatedRouter } from '../../support/simulated-gateway.ts'

const NO_OTHERS: OtherRuns = {
  isOwn: () => Promise.resolve(false),
  isKeptElsewhere: () => Promise.resolve(false),
  isKeptByAnother: () => Promise.resolve(false),
  leftBehind: () => Promise.resolve(undefined),
}

function keptBy(argv: readonly string[], interfaces: readonly string[] = []): readonly KeptEither[] {
  const invocation = parseInvocation([...argv, '--keep']) as GatewayInvocation
  const ours = interfaces.map((address, at) => ({ name: `eth${at}`, address, netmask: '', loopback: false }))
  return keptOf(wantedBy(invocation), () => ours, NO_OTHERS)
}

async function made(kept: readonly KeptEither[], protocol: GatewayProtocol = 'igd', localAddress = '192.168.1.10') {
  const router = new SimulatedRouter(new FakeClock(), protocol)
  router.localAddress = localAddress
  const gateway = await router.open()
  for (const each of kept) await each.make(gateway, false)
  return router
}

describe('what is kept', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['-r', ['-r', '80', '8080', 'TCP', '53', 'UDP'], ['external port 8080 TCP', 'external port 53 UDP']],
    ['-r of both', ['-r', '22', 'TCP+UDP'], ['external port 22 UDP', 'external port 22 TCP']],
    ['the port of a VPN', ['--via', 'nat-pmp', '-r', '0', '1', 'UDP'], ['external port (any) UDP']],
    ['any port', ['--via', 'nat-pmp', '-r', '1', '0', 'TCP'], ['external port (any) TCP']],
    ['-a', ['-a', '@', '80', '8080', 'TCP'], ['external port 8080 TCP']],
    ['-A', ['-A', '', '0', '@', '22', 'TCP', '60'], ['pinhole for port 22 TCP']],
    ['-A for another', ['-A', '', '0', '2001:db8::7', '22', 'UDP', '60'], ['pinhole for port 22 UDP of 2001:db8::7']],
  ])('has a name for people: %s', (_, argv, names) => {
    expect(keptBy(argv).map(({ name }) => name)).toEqual(names)
  })

  it('is for this computer, whatever its address, or for the one that was named', async () => {
    expect((await made(keptBy(['-r', '80', '8080', 'TCP']))).table).toEqual(['8080/TCP -> 192.168.1.10:80'])
    const other = await made(keptBy(['-a', '192.168.1.77', '80', '8080', 'TCP']))
    expect(other.table).toEqual(['8080/TCP -> 192.168.1.77:80'])
  })

  it('of TCP+UDP is on one port, whichever the router gives', async () => {
    const kept = keptBy(['--via', 'nat-pmp', '-r', '1', '0', 'TCP+UDP'])
    const { table } = await made(kept, 'nat-pmp')
    const ports = new Set(table.map((line) => line.split('/')[0]))
    expect([table.length, ports.size]).toEqual([2, 1])
    expect(kept.map(({ name }) => name)).toEqual(
      [...ports].flatMap((p) => [`external port ${p} UDP`, `external port ${p} TCP`]),
    )
  })

  it('of a pinhole is for an address of this computer that the internet can reach', async () => {
    const addresses = ['fe80::1', 'fd00::1', '2a00::1']
    const { pinholes } = await made(keptBy(['-A', '', '0', '@', '22', 'TCP', '60'], addresses), 'igd', 'fe80::1%eth0')
    expect(pinholes).toEqual(['1: 22 -> 2a00::1'])
  })

  it('is nothing for other commands', () => {
    const invocation = parseInvocation(['-l']) as GatewayInvocation
    expect(wantedBy(invocation)).toEqual([])
  })
})

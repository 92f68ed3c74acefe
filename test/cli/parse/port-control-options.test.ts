/** --via, --gateway, --nonce, external port 0 and the IDs of PCP's pinholes -> what is asked, and over which protocol. */
import { describe, expect, it } from 'vitest'
import { type GatewayInvocation, parseInvocation } from '../../../src/cli/parse/invocation.ts'
import type { PortControlAsked } from '../../../src/cli/parse/option-values.ts'
import { UsageError } from '../../../src/cli/parse/words.ts'

type Line = readonly string[]

const AUTO: PortControlAsked = { via: 'auto', gateway: undefined, nonce: undefined, nonceFrom: undefined }
const NONCE = '00112233445566778899aaBB'
const SSH = ['-r', '22', 'TCP'] as const
const PCP_ID = 'TCP:[2001:db8::5]:8333'
const PINHOLE = ['-A', '', '0', '@', '22', 'TCP', '60'] as const

function invocationOf(argv: Line): GatewayInvocation {
  const invocation = parseInvocation(argv)
  if (invocation.kind !== 'gateway') throw new Error(`it is ${invocation.kind}`)
  return invocation
}

function complaintAbout(argv: Line): string {
  try {
    parseInvocation(argv)
  } catch (error) {
    if (error instanceof UsageError && !error.withUsage) return error.message
    throw error
  }
  return 'it was obeyed'
}

describe('which protocol the router is asked in', () => {
  it.each<[Line, Partial<PortControlAsked>]>([
    [[...SSH], {}],
    [[...SSH, '--via', 'auto'], {}],
    [['--via', 'igd', ...SSH], { via: 'igd' }],
    [['--via=pcp', ...SSH], { via: 'pcp' }],
    [[...SSH, '--via', 'nat-pmp'], { via: 'nat-pmp' }],
    [[...SSH, '--via', 'pcp', '--via', 'nat-pmp'], { via: 'nat-pmp' }],
    [['-l'], {}],
    [['-l', '--via', 'igd'], { via: 'igd' }],
    ...['pcp', 'nat-pmp'].flatMap((via) =>
      [
        SSH,
        ['-a', '@', '80', '80', 'TCP'],
        ['-n', '@', '80', '80', 'UDP'],
        ['-d', '22', 'TCP'],
        ['-f', '22', 'TCP'],
        ['-s'],
      ].map((line): [Line, Partial<PortControlAsked>] => [['--via', via, ...line], { via: via as 'pcp' }]),
    ),
    [['--via', 'pcp', ...PINHOLE], { via: 'pcp' }],
    [['--via', 'pcp', '--nonce', NONCE, ...SSH], { via: 'pcp', nonce: NONCE }],
    [['--via', 'pcp', '--nonce', '@a file', ...SSH], { via: 'pcp', nonceFrom: '@a file' }],
    [['--via', 'pcp', '--nonce', '-', ...SSH], { via: 'pcp', nonceFrom: '-' }],
    [['--via', 'pcp', '--nonce=-', ...SSH], { via: 'pcp', nonceFrom: '-' }],
    [['-6', '--via', 'pcp', '-s'], { via: 'pcp' }],
  ])('%j', (argv, asked) => {
    expect(invocationOf(argv).portControl).toEqual({ ...AUTO, ...asked })
  })

  it.each([
    [['-D', PCP_ID]],
    [['-D', PCP_ID, 'UDP:[2001:db8::5]:8333']],
    [['--via', 'pcp', '-D', PCP_ID]],
    [['-U', PCP_ID, '60']],
    [['-U', PCP_ID, '60', '--nonce', NONCE]],
  ])('is PCP if a pinhole of PCP is named: %j', (argv) => {
    expect(invocationOf(argv).portControl.via).toBe('pcp')
  })

  it('is left open if a pinhole has a number, or is to be opened', () => {
    for (const argv of [['-D', '1', '2'], ['-U', '1', '60'], PINHOLE])
      expect(invocationOf(argv).portControl.via).toBe('auto')
  })
})

describe('a pinhole of PCP is known by what it leads to', () => {
  it.each([
    ['TCP:[2001:db8::5]:8333', 'TCP:[2001:db8::5]:8333'],
    ['udp:[2001:DB8::5]:1', 'UDP:[2001:DB8::5]:1'],
    ['Tcp:[::1]:65535', 'TCP:[::1]:65535'],
  ])('%s', (word, id) => {
    expect(invocationOf(['-D', word]).command).toEqual({ name: 'delete-pinholes', ids: [id] })
    expect(invocationOf(['-U', word, '60']).command).toEqual({ name: 'update-pinhole', id, leaseSeconds: 60 })
  })

  it.each([
    'TCP:[2001:db8::5]:0',
    'TCP:[2001:db8::5]:65536',
    'TCP:[2001:db8::5]',
    'TCP:2001:db8::5:8333',
    'TCP:[fe80::1%eth0]:22',
    'TCP:[192.168.1.5]:22',
    'TCP:[ff02::1]:22',
    'SCTP:[2001:db8::5]:22',
    'TCP:[]:22',
    ` ${PCP_ID}`,
  ])('and by nothing that is not one: %j', (word) => {
    const why = `'${word}' is not a pinhole ID: give a number, or for PCP TCP:[2001:db8::5]:8333`
    expect(complaintAbout(['-D', word])).toBe(`-D: ${why}`)
    expect(complaintAbout(['-U', word, '60'])).toBe(`-U: ${why}`)
  })

  it('is not closed together with one of UPnP', () => {
    const why = (one: string, other: string): string =>
      `-D: '${one}' is a pinhole of one protocol and '${other}' of another: close them one by one`
    expect(complaintAbout(['-D', '1', PCP_ID])).toBe(why('1', PCP_ID))
    expect(complaintAbout(['-D', PCP_ID, PCP_ID, '1'])).toBe(why(PCP_ID, '1'))
  })
})

describe('whom --gateway names', () => {
  it.each([
    ['192.168.1.1', '192.168.1.1', 5351],
    ['192.168.1.1:1', '192.168.1.1', 1],
    ['192.168.1.1:65535', '192.168.1.1', 65_535],
    ['127.0.0.1:05351', '127.0.0.1', 5351],
    ['2001:db8::1', '2001:db8::1', 5351],
    ['2001:db8::1:5350', '2001:db8::1:5350', 5351],
    ['[2001:db8::1]', '2001:db8::1', 5351],
    ['[2001:db8::1]:5350', '2001:db8::1', 5350],
    ['::1', '::1', 5351],
    ['fe80::1%upnp0', 'fe80::1%upnp0', 5351],
    ['[fe80::1%upnp0]', 'fe80::1%upnp0', 5351],
    ['[fe80::1%upnp0]:5350', 'fe80::1%upnp0', 5350],
  ])('%s', (word, address, port) => {
    expect(invocationOf(['--gateway', word, '-s']).portControl).toEqual({ ...AUTO, gateway: { address, port } })
  })

  it.each([
    ...['router', 'router.lan:5351', '', '0.0.0.0', '224.0.0.1', '255.255.255.255', '192.168.1', '010.1.1.1'],
    ...['192.168.1.1:', '192.168.1.1:x', '192.168.1.1 ', '192.168.1.1%eth0', 'https://192.168.1.1/', '-l', '--json'],
    ...['::', '[::]:5351', 'ff02::1', '[2001:db8::1', '2001:db8::1]', '[2001:db8::1]:', '[]', '[]:5351', ':5351'],
    ...['[2001:db8::1]5351', '2001:db8::g', 'x'.repeat(3000)],
  ])('is the address of a router and nothing else: %j', (word) => {
    expect(complaintAbout(['--gateway', word, '-s'])).toBe(
      `--gateway: '${word}' is not the address of a router: give one such as 192.168.1.1 or 192.168.1.1:5351`,
    )
  })

  it.each(['192.168.1.1:0', '192.168.1.1:65536', '[2001:db8::1]:0', '[2001:db8::1]:99999999999999'])(
    'is on a port that there is: %s',
    (word) => {
      const port = word.slice(word.lastIndexOf(':') + 1)
      expect(complaintAbout(['--gateway', word, '-s'])).toBe(
        `--gateway: '${port}' is not a port: give a number from 1 to 65535`,
      )
    },
  )
})

describe('external port 0', () => {
  it.each(['pcp', 'nat-pmp'])('is any port with --via %s', (via) => {
    for (const line of [
      ['-r', '22', '0', 'TCP'],
      ['-a', '@', '22', '0', 'TCP'],
      ['-n', '@', '22', '0', 'TCP'],
    ]) {
      expect(invocationOf(['--via', via, ...line]).command).toMatchObject({
        name: 'map',
        mappings: [{ internalPort: 22, externalPort: 0 }],
      })
    }
  })

  it('is nothing that could be closed', () => {
    const form = 'give a number from 1 to 65535'
    expect(complaintAbout(['--via', 'pcp', '-d', '0', 'TCP'])).toBe(`-d: '0' is not an external port: ${form}`)
    expect(complaintAbout(['--via', 'pcp', '-f', '0', 'TCP'])).toBe(`-f: '0' is not an external port: ${form}`)
    expect(complaintAbout(['--via', 'nat-pmp', '-d', '0', 'TCP'])).toBe(`-d: '0' is not an external port: ${form}`)
    expect(complaintAbout(['--via', 'nat-pmp', '-r', '22', '-1', 'TCP'])).toBe(
      "-r: '-1' is not an external port: give a number from 0 to 65535",
    )
  })

  it.each([[[]], [['--via', 'auto']], [['--via', 'igd']]])('is every port at once to some UPnP routers: %j', (via) => {
    const why = 'external port 0 (any port) works only with --via pcp or --via nat-pmp'
    expect(complaintAbout([...via, '-r', '22', '0', 'TCP'])).toBe(`-r: ${why}`)
    expect(complaintAbout([...via, '-r', '22', 'TCP', '22', '0', 'UDP'])).toBe(`-r: ${why}`)
  })
})

describe('internal port 0, the same port inside and outside', () => {
  const VIA = ['--via', 'nat-pmp'] as const
  const what = 'internal port 0 is for a VPN that gives one port, the same inside and outside'

  it('is asked for over NAT-PMP alone, with the external port that is suggested', () => {
    const { command, facts, portControl } = invocationOf([...VIA, '-r', '0', '1', 'TCP+UDP', '22', 'TCP'])
    expect([facts.protocols, portControl.via]).toEqual([['nat-pmp'], 'nat-pmp'])
    expect(command).toMatchObject({
      any: false,
      mappings: [
        { internalPort: 0, externalPort: 1, protocol: 'UDP' },
        { internalPort: 0, externalPort: 1, protocol: 'TCP', pairedWithPrevious: true },
        { internalPort: 22, externalPort: 22, protocol: 'TCP' },
      ],
    })
    const apart = invocationOf([...VIA, '-r', '0', '1', 'UDP', '0', '65535', 'TCP']).command
    expect(apart).toMatchObject({ mappings: [{ externalPort: 1 }, { externalPort: 65_535 }] })
  })

  it.each([[[]], [['--via', 'auto']], [['--via', 'igd']], [['--via', 'pcp']]])('is nothing to others: %j', (via) => {
    expect(complaintAbout([...via, '-r', '0', '1', 'TCP'])).toBe(`-r: ${what}: it works only with --via nat-pmp`)
    expect(complaintAbout([...via, '-r', '22', 'TCP', '0', '1', 'TCP'])).toMatch(/^-r: internal port 0 is /)
  })

  it('takes an external port to suggest', () => {
    const give = `-r: ${what}: give an external port to suggest: upnp-ts -r 0 1 TCP+UDP --via nat-pmp`
    expect(complaintAbout([...VIA, '-r', '0', 'TCP'])).toBe(give)
    expect(complaintAbout([...VIA, '-r', '0', '0', 'TCP'])).toBe(give)
    for (const word of ['65536', '1-4', '1x', '-1'])
      expect(complaintAbout([...VIA, '-r', '0', word, 'TCP'])).toMatch(/^-r: '.*' is not an external port: /)
  })

  it('is one port for each protocol', () => {
    const once = '-r: internal port 0 is one port for each protocol: give it once'
    expect(complaintAbout([...VIA, '-r', '0', '1', 'TCP', '0', '2', 'TCP'])).toBe(once)
    expect(complaintAbout([...VIA, '-r', '0', '1', 'TCP+UDP', '0', '2', 'UDP'])).toBe(once)
  })

  it.each([
    ['-a', '@', '0', '1', 'UDP'],
    ['-n', '@', '0', '1', 'UDP'],
    ['-r', '0-4', '1', 'UDP'],
    ['-r', '00', '1', 'UDP'],
  ])('is asked for with -r PORT alone: %s %s %s %s', (...words) => {
    expect(complaintAbout([...VIA, ...words])).toMatch(/ is not a port: give a number from 1 to 65535$/)
  })
})

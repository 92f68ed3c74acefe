/** Why nothing was found, in every situation: what was tried, and what the user can check. */
import { describe, expect, it } from 'vitest'
import { renderText } from '../../src/cli/print/text.ts'
import type { ReportedError, SearchSummary } from '../../src/cli/report.ts'
import { nothingFoundHint } from '../../src/domain/hints.ts'
import { NOTHING_FOUND, SILENT } from '../support/report-parts.ts'

type Tried = SearchSummary['portControl'][number]

const FIREWALL = 'and let UDP port 1900 through the firewall of this computer.'
const SWITCH_ON_UPNP = `Switch on UPnP in the settings of the router, ${FIREWALL}`
const SWITCH_ON_ONE = `Switch on UPnP, PCP or NAT-PMP in the settings of the router, ${FIREWALL}`
const HEAD = 'searched 4.0 s on eth0 (192.168.1.2); the router at 192.168.1.1 did not answer'
const VPN =
  'The gateway of a VPN speaks NAT-PMP only if that is switched on in its profile (ProtonVPN: +pmp after the user name).'
const LEAVE_OUT = 'Name another router with --gateway, or leave --via out.'

function hintAbout(changes: Partial<SearchSummary>): string {
  return nothingFoundHint({ ...NOTHING_FOUND, ...changes })
}

function tried(via: Tried['via'], error: Partial<ReportedError>, gateway = '192.168.1.1', port = 5351): Tried {
  return { via, gateway, port, error: { code: 'TRANSPORT', message: 'x', ...error } }
}

function refused(via: Tried['via'], number: number, name: string): Tried {
  return tried(via, { code: 'REFUSED', via, number, name })
}

const SILENCE = [tried('pcp', SILENT), tried('nat-pmp', SILENT)]
const NOBODY_THERE = { message: 'ANNOUNCE: UDP port 5351 of 192.168.1.1: nothing listens there' }

describe('the hint that nothing was found, with --via auto and igd', () => {
  it.each(['auto', 'igd'] as const)('says how long and where it searched, whom it asked, and what to do: %s', (via) => {
    expect(hintAbout({ via })).toBe(`${HEAD}. ${SWITCH_ON_UPNP}`)
  })

  it('says how to use an IGD that another host told of', () => {
    const referral = { from: '192.168.1.3', location: 'http://192.168.1.4:5000/root.xml' }
    const told = '192.168.1.3 tells of an IGD on another host, http://192.168.1.4:5000/root.xml'
    expect(hintAbout({ referral })).toBe(`${HEAD}. ${told}: --any-host uses it, and so does -u, if it is the router.`)
  })

  it('says that there is no default gateway, and no time if there was none', () => {
    const interfaces = [
      { name: 'a', address: 'fe80::1' },
      { name: undefined, address: '10.0.0.1' },
    ]
    expect(hintAbout({ searchedMs: 99, interfaces, defaultGateways: [] })).toBe(
      `searched on a (IPv6), 10.0.0.1; this computer has no default gateway: --gateway names a router. ${SWITCH_ON_UPNP}`,
    )
    expect(hintAbout({ searchedMs: 100 })).toMatch(/^searched 0\.1 s on /)
  })

  it('says that no port needs to be opened if this computer has a public address itself', () => {
    const interfaces = [
      { name: 'docker0', address: '172.17.0.1' },
      { name: 'eth0', address: '11.22.33.50' },
    ]
    const hint =
      'no router answered, and this computer itself has the public address 11.22.33.50: no port needs to be opened. ' +
      'If nobody comes in, look at the firewall of this computer, and at that of its provider.'
    for (const via of ['auto', 'igd', 'pcp', 'nat-pmp'] as const) expect(hintAbout({ interfaces, via })).toBe(hint)
    expect(hintAbout({ interfaces, defaultGateways: [] })).toBe(hint)
    const answered = { via: 'pcp', gateway: '11.22.33.1' } as const
    expect(hintAbout({ interfaces, answered })).not.toContain('public')
    for (const address of ['2001:db8::5', '2a00::5', '100.64.0.7', '169.254.0.7'])
      expect(hintAbout({ interfaces: [{ name: 'eth0', address }] })).not.toContain('public')
  })

  it('names at most four interfaces', () => {
    const interfaces = Array.from({ length: 16 }, (_, at) => ({ name: undefined, address: `10.0.${at}.1` }))
    expect(hintAbout({ interfaces: interfaces.slice(0, 4) })).toContain('on 10.0.0.1, 10.0.1.1, 10.0.2.1, 10.0.3.1;')
    expect(hintAbout({ interfaces })).toContain('on 10.0.0.1, 10.0.1.1, 10.0.2.1, 10.0.3.1, \u2026;')
  })

  it('is another one if there was nothing to search on', () => {
    const NO_NETWORK = 'this computer has no network address to search from; is the network up?'
    expect(hintAbout({ interfaces: [] })).toBe(NO_NETWORK)
    expect(hintAbout({ interfaces: [], portControl: SILENCE })).toBe(NO_NETWORK)
  })

  it.each(['auto', 'igd', 'pcp', 'nat-pmp'] as const)('says that there is only IPv6, and what it has: %s', (via) => {
    const hint = hintAbout({ via, interfaces: [], defaultGateways: [], lacksIPv4: true })
    expect(hint).toMatch(/no IPv4 address, .*-6 -A/)
  })

  it('says what came of asking over PCP and NAT-PMP', () => {
    expect(hintAbout({ portControl: SILENCE })).toBe(
      `${HEAD}; 192.168.1.1 does not answer PCP; 192.168.1.1 does not answer NAT-PMP. ${SWITCH_ON_ONE}`,
    )
    const silent = [tried('pcp', SILENT, 'fe80::1%eth0')]
    expect(hintAbout({ portControl: silent })).toBe(`${HEAD}; fe80::1%eth0 does not answer PCP. ${SWITCH_ON_ONE}`)
  })

  it('says only once that nobody listens, although two protocols were asked there', () => {
    const portControl = [tried('pcp', NOBODY_THERE), tried('nat-pmp', NOBODY_THERE)]
    expect(hintAbout({ portControl })).toBe(
      `${HEAD}; nothing listens on UDP port 5351 of 192.168.1.1 (PCP, NAT-PMP). ${SWITCH_ON_ONE}`,
    )
  })

  it('names every router that was asked', () => {
    const portControl = [tried('pcp', NOBODY_THERE), tried('pcp', NOBODY_THERE, '10.0.0.1', 5350)]
    expect(hintAbout({ portControl })).toContain(
      'nothing listens on UDP port 5351 of 192.168.1.1 (PCP, NAT-PMP); ' +
        'nothing listens on UDP port 5350 of 10.0.0.1 (PCP, NAT-PMP). ',
    )
  })

  it('explains a refusal, if it knows what that means', () => {
    const portControl = [refused('pcp', 12, 'ADDRESS_MISMATCH'), refused('nat-pmp', 99, 'unknown result code')]
    expect(hintAbout({ portControl })).toBe(
      `${HEAD}; 192.168.1.1 answers PCP with 12 (ADDRESS_MISMATCH): there is another NAT between this computer and the ` +
        'router (a container, a second router): run upnp-ts in front of that NAT; ' +
        `192.168.1.1 answers NAT-PMP with 99 (unknown result code). ${SWITCH_ON_ONE}`,
    )
  })

  it('gives any other reason as it is', () => {
    const portControl = [tried('pcp', { message: 'UDP port 5351 of 192.168.1.1: it cannot be reached (ENETUNREACH)' })]
    expect(hintAbout({ portControl })).toContain(
      '; PCP: UDP port 5351 of 192.168.1.1: it cannot be reached (ENETUNREACH). ',
    )
  })

  it.each([
    ['pcp', 'PCP'],
    ['nat-pmp', 'NAT-PMP'],
  ] as const)('says what a router can do that speaks %s, if the command is one for UPnP', (via, title) => {
    const answered = { via, gateway: '192.168.1.1' }
    expect(hintAbout({ answered, portControl: [refused('pcp', 1, 'UNSUPP_VERSION')] })).toBe(
      'searched 4.0 s on eth0 (192.168.1.2); no router answered over UPnP. ' +
        `192.168.1.1 speaks ${title}, which opens and closes ports (-r, -a, -n, -d), but only UPnP can do this: ` +
        'switch it on in the router.',
    )
    expect(hintAbout({ answered: { via, gateway: 'fe80::1%eth0' } })).toContain(
      `. fe80::1%eth0 speaks ${title}, which opens and closes pinholes (-A, -U, -D), but only UPnP can do this: `,
    )
  })
})

describe.each([
  ['pcp', 'PCP'],
  ['nat-pmp', 'NAT-PMP'],
] as const)('the hint that nothing was found, with --via %s', (via, title) => {
  const asking = (...portControl: Tried[]): string => hintAbout({ via, interfaces: [], portControl })

  it('is that there is nobody to ask', () => {
    expect(asking()).toBe('this computer has no default gateway to ask; name the router with --gateway')
  })

  it('says how long it asked whom, and what came of it', () => {
    const advice = via === 'pcp' ? LEAVE_OUT : `${VPN} ${LEAVE_OUT}`
    expect(asking(tried(via, SILENT))).toBe(`asked for 4.0 s: 192.168.1.1 does not answer ${title}. ${advice}`)
    expect(asking(tried(via, NOBODY_THERE))).toBe(
      `asked for 4.0 s: nothing listens on UDP port 5351 of 192.168.1.1 (${title}). ${advice}`,
    )
  })

  it('says no time if there was none', () => {
    expect(hintAbout({ via, searchedMs: 3, portControl: [tried(via, NOBODY_THERE)] })).toMatch(
      /^asked: nothing listens/,
    )
  })

  it('says which protocol to try instead, if the router speaks another version', () => {
    const other = via === 'pcp' ? 'nat-pmp' : 'pcp'
    expect(asking(refused(via, 1, 'UNSUPP_VERSION'))).toBe(
      `asked for 4.0 s: 192.168.1.1 answers ${title} with 1 (UNSUPP_VERSION): ` +
        `the router speaks another version of ${title}; try --via ${other}. ${LEAVE_OUT}`,
    )
  })

  it('follows a line that names the protocol', () => {
    const searched = { ...NOTHING_FOUND, via, portControl: [tried(via, SILENT)] }
    const error = { code: 'NO_GATEWAY', message: 'x' } as const
    expect(renderText({ type: 'error', error, searched }, '2.3.3')).toEqual([
      { stream: 'stderr', tone: 'bad', text: `No ${title} gateway found on the network !\n` },
      { stream: 'stderr', tone: 'hint', text: `hint: ${nothingFoundHint(searched)}\n` },
    ])
  })
})

describe('every hint that nothing was found', () => {
  const reasons = [SILENCE, [tried('pcp', NOBODY_THERE)], [refused('pcp', 2, 'NOT_AUTHORIZED')], []]

  it('ends once, and says something', () => {
    for (const via of ['auto', 'igd', 'pcp', 'nat-pmp'] as const) {
      for (const portControl of reasons) {
        for (const defaultGateways of [[], ['192.168.1.1']]) {
          const hint = hintAbout({ via, portControl, defaultGateways })
          expect(hint).toMatch(/^[a-z][^\n]{60,}[a-z.]$/)
          expect(hint).not.toMatch(/[.?!;:][.;:]|undefined| {2}/)
        }
      }
    }
  })
})

/** How the result codes of PCP and NAT-PMP are explained to a person who has heard of neither. */
import { describe, expect, it } from 'vitest'
import { parseInvocation } from '../../src/cli/parse/invocation.ts'
import type { ReportedError } from '../../src/cli/report.ts'
import { hintFor } from '../../src/domain/hints.ts'
import { NAT_PMP_RESULTS } from '../../src/wire/natpmp.ts'
import { PCP_RESULTS } from '../../src/wire/pcp-result-codes.ts'

function refused(via: 'pcp' | 'nat-pmp', number: number): ReportedError {
  return { code: 'REFUSED', message: 'refused', action: 'MAP', via, number, name: 'x', description: '' }
}

function hinted(via: 'pcp' | 'nat-pmp'): [number, string][] {
  return Array.from({ length: 1000 }, (_, number) => number).flatMap((number) => {
    const hint = hintFor(refused(via, number))
    return hint === undefined ? [] : [[number, hint]]
  })
}

const PCP = hinted('pcp')
const NAT_PMP = hinted('nat-pmp')

describe('a hint about a result code', () => {
  it('is there for every one of RFC 6887 7.4, and for the demand of RFC 7652', () => {
    const { SUCCESS, INITIATION, AUTHENTICATION_REQUIRED, ...others } = PCP_RESULTS
    const ofRfc6887 = Object.values(others).filter((number) => number < INITIATION)
    expect(PCP.map(([number]) => number)).toEqual([...ofRfc6887, AUTHENTICATION_REQUIRED])
  })

  it('is there for every one of RFC 6886 3.5', () => {
    const known = Object.values(NAT_PMP_RESULTS).filter((number) => number !== NAT_PMP_RESULTS.success)
    expect(NAT_PMP.map(([number]) => number)).toEqual(known)
  })

  it.each([...PCP, ...NAT_PMP])('is one sentence in plain words: %d %s', (_, hint) => {
    expect(hint).toMatch(/^[a-z][^\n]{20,200}[^.?!,;]$/)
    expect(hint).not.toMatch(/opcode|epoch|nonce|lifetime|\bMAP\b|ANNOUNCE|THIRD|PREFER|[A-Z]_[A-Z]|malformed/i)
  })

  it.each<['pcp' | 'nat-pmp', number, RegExp]>([
    ['pcp', PCP_RESULTS.UNSUPP_VERSION, /--via nat-pmp$/],
    ['pcp', PCP_RESULTS.NOT_AUTHORIZED, /does not let this computer open ports/],
    ['pcp', PCP_RESULTS.UNSUPP_OPCODE, /--via igd or --via nat-pmp$/],
    ['pcp', PCP_RESULTS.UNSUPP_OPTION, /only for the computer that asks.*--via igd$/],
    ['pcp', PCP_RESULTS.NETWORK_FAILURE, /no internet address/],
    ['pcp', PCP_RESULTS.NO_RESOURCES, /no room for another port/],
    ['pcp', PCP_RESULTS.USER_EX_QUOTA, /close one with -d$/],
    ['pcp', PCP_RESULTS.CANNOT_PROVIDE_EXTERNAL, /^somebody else has .*, or the rules .*-n$/],
    ['pcp', PCP_RESULTS.ADDRESS_MISMATCH, /another NAT between this computer and the router/],
    ['pcp', PCP_RESULTS.AUTHENTICATION_REQUIRED, /which upnp-ts does not do$/],
    ['nat-pmp', NAT_PMP_RESULTS.unsupportedVersion, /--via pcp$/],
    ['nat-pmp', NAT_PMP_RESULTS.notAuthorized, /does not let this computer open ports/],
    ['nat-pmp', NAT_PMP_RESULTS.networkFailure, /no internet address/],
    ['nat-pmp', NAT_PMP_RESULTS.outOfResources, /no room for another port/],
    ['nat-pmp', NAT_PMP_RESULTS.unsupportedOpcode, /--via pcp or --via igd$/],
  ])('says what it means and what to do: %s %d', (via, number, meaning) => {
    expect(hintFor(refused(via, number))).toMatch(meaning)
  })

  it('names only options that there are', () => {
    const advice = [...PCP, ...NAT_PMP].map(([, hint]) => hint).join(' ')
    expect(new Set(advice.match(/(?<= )-[a-z]\b/g))).toEqual(new Set(['-n', '-d']))
    const vias = new Set(advice.match(/--via [a-z-]+/g))
    expect(vias).toEqual(new Set(['--via igd', '--via pcp', '--via nat-pmp']))
    for (const via of vias) expect(parseInvocation(['-s', ...via.split(' ')])).toMatchObject({ kind: 'gateway' })
    expect(advice.match(/--(?!via )\w+/g)).toBeNull()
  })

  it('is not mixed up between the protocols', () => {
    const same: ReportedError = { code: 'REFUSED', message: 'refused', number: 4, via: 'igd' }
    expect(hintFor(same)).toBeUndefined()
    expect(hintFor(refused('pcp', 4))).not.toBe(hintFor(refused('nat-pmp', 4)))
    expect(hintFor({ ...refused('pcp', 718) })).toBeUndefined()
    expect(hintFor({ ...refused('nat-pmp', 11) })).toBeUndefined()
  })
})

/** What is in the way of a mapping: one sentence for a person, with the command that helps. */
import { describe, expect, it } from 'vitest'
import type { RefusalCause } from '../../src/cli/report.ts'
import { causeText } from '../../src/domain/refusal-text.ts'
import { ALL_REPORTS, ASKED, MAPPING, REFUSED } from '../support/reports.ts'

const sentence = (cause: RefusalCause, number = 718, asked = ASKED): string =>
  causeText(cause, { asked, error: { ...REFUSED, number } })
const differs = (changes: Partial<typeof MAPPING>, isForThisComputer = true): RefusalCause => ({
  ...{ kind: 'port-differs', mapping: { ...MAPPING, ...changes }, isForThisComputer },
})

describe('what is in the way', () => {
  it.each<[string, RefusalCause]>([
    [
      "external port 8080 TCP already leads to 192.168.1.5:80 ('web & co'); take another external port, or, if that was this computer, -d 8080 TCP closes it",
      { kind: 'port-taken', mapping: MAPPING },
    ],
    [
      'external port 8080 TCP already leads to mypc:; take another external port, or, if that was this computer, -d 8080 TCP 1.2.3.4 closes it',
      {
        kind: 'port-taken',
        mapping: {
          ...MAPPING,
          internalClient: 'mypc',
          internalPort: undefined,
          description: '',
          remoteHost: '1.2.3.4',
        },
      },
    ],
    [
      "external port 8080 TCP already leads to port 81 of this computer ('web & co'): -d 8080 TCP closes it, then try again",
      differs({ internalPort: 81 }),
    ],
    [
      "external port 8080 TCP already leads to port 81 of 192.168.1.5 ('web & co'): -d 8080 TCP closes it, then try again",
      differs({ internalPort: 81 }, false),
    ],
    [
      "external port 8080 TCP already leads to port 80 of this computer ('web & co'), but switched off: -d 8080 TCP closes it, then try again",
      differs({ enabled: false }),
    ],
    [
      "external port 8080 TCP already leads to port 80 of this computer ('web & co'), but for 1.2.3.4 only: -d 8080 TCP 1.2.3.4 closes it, then try again",
      differs({ remoteHost: '1.2.3.4' }),
    ],
    [
      "port 22000 of this computer is already open at external port 54000 TCP ('syncthing'), and the router seems to open it only once: use that, or close it with -d 54000 TCP and try again",
      {
        kind: 'open-elsewhere',
        mapping: { ...MAPPING, internalPort: 22_000, externalPort: 54_000, description: 'syncthing' },
        isForThisComputer: true,
      },
    ],
    [
      'the router shows nobody at external port 8080 TCP: it may keep that port for itself or for the provider; try another external port',
      { kind: 'nobody-shown', isForThisComputer: true },
    ],
    [
      'the router shows nobody at external port 8080 TCP: it may open ports only for the computer that asks; run upnp-ts on 192.168.1.5 itself',
      { kind: 'nobody-shown', isForThisComputer: false },
    ],
    [
      "11.22.33.44 is the router's own address, and a port has to lead to a computer at home: give -a its address, or @ for this one",
      { kind: 'client-is-router', address: '11.22.33.44' },
    ],
    [
      'the router 192.168.77.1 is not on the network of this computer (172.17.0.2): if another NAT is between them (a container, WSL2), the port leads nowhere; use the network of the host, or its address with -a',
      { kind: 'another-nat', gatewayAddress: '192.168.77.1', localAddress: '172.17.0.2' },
    ],
  ])('%s', (text, cause) => {
    expect(sentence(cause)).toBe(text)
  })

  it('is said of everybody if a remote host was asked for', () => {
    const asked = { ...ASKED, remoteHost: '1.2.3.4' }
    expect(sentence(differs({}), 718, asked)).toContain("('web & co'), and for everybody: -d 8080 TCP closes it")
  })

  it('is said of the port that would do if the router wants the same one outside and inside', () => {
    expect(sentence({ kind: 'port-taken', mapping: MAPPING }, 724)).toMatch(
      /^this router wants the same port outside and inside, and external port 8080 TCP already leads to /,
    )
  })

  it('has no word of the standard', () => {
    for (const report of ALL_REPORTS) {
      if (report.type !== 'map-failed' || report.cause === undefined) continue
      expect(causeText(report.cause, report)).not.toMatch(/SOAP|IGD|SSDP|XML|\bNew[A-Z]|PortMapping|internal client/)
    }
  })
})

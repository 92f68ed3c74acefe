/** What is worth knowing beside the answer: the sentence of each kind. */
import { describe, expect, it } from 'vitest'
import { emulatorText, errorOf, noticeText } from '../../../src/cli/print/notices.ts'
import type { Notice } from '../../../src/cli/report.ts'

const key = { externalPort: 22, protocol: 'UDP', remoteHost: '' } as const
const error = { code: 'TRANSPORT', message: 'why' } as const

describe('a notice', () => {
  it.each<[Notice, string]>([
    [{ kind: 'still-open', key }, 'external 22 UDP is still open: no time is left to close it'],
    [{ kind: 'pinhole-still-open', id: 7 }, 'pinhole 7 for UDP is still open: no time is left to close it'],
    [
      { kind: 'pinhole-taken-back', id: 7, closed: true },
      'the pinhole for UDP is closed again: TCP+UDP means both or neither',
    ],
    [
      { kind: 'pinhole-taken-back', id: 7, closed: false },
      'the pinhole for UDP could not be closed again: TCP+UDP means both or neither',
    ],
    [
      { kind: 'address-not-public', address: '' },
      'the router has no internet address: it is not connected, or it is behind another router',
    ],
    [
      { kind: 'address-not-public', address: '10.0.0.1' },
      '10.0.0.1, the address of the router, is not an internet address: another router or the NAT of the provider is in front of it, and a port has to be opened there too',
    ],
    [
      { kind: 'address-unknown', error },
      'the router does not tell its external address now (why); -s asks for it again',
    ],
    [{ kind: 'address-unknown' }, 'the router does not tell its external address now; -s asks for it again'],
    [
      { kind: 'ports-over-ipv4' },
      'ports are opened over IPv4 only, with -6 too; -6 -A "" 0 @ PORT PROTOCOL 3600 lets the IPv6 internet in',
    ],
    [
      { kind: 'too-many-for-list-at-once', count: 128 },
      'the router has more than 128 entries, and some (miniupnpd 2.3.1) break down if asked for them at once; asking for one entry after another',
    ],
    [
      { kind: 'port-not-chosen', error },
      'the router does not choose a port itself (why); asked it for one port after another',
    ],
    [
      { kind: 'deleted-unknown', via: 'pcp', key },
      'PCP says done even if nothing was open, and upnp-ts has no record of opening external 22 UDP that way; if it is still open, close it with the program that opened it',
    ],
    [{ kind: 'not-listed-at-once' }, 'the router cannot list everything at once; asking for one entry after another'],
    [
      { kind: 'listing-full', count: 1000 },
      'the router was asked for 1000 entries and may have more; -l lists them all',
    ],
    [{ kind: 'no-presentation-url' }, 'the router does not give the address of its web page'],
    [
      { kind: 'nonce-in-sight' },
      'every user of this computer can read a nonce on the command line: put it into a file that nobody else can read, and give --nonce @FILE, or - for standard input',
    ],
    [
      { kind: 'nonce-key-not-kept', error },
      'the key of this computer for PCP cannot be stored (why): another run of upnp-ts will not be able to close what this one opened; it closes when its lease ends',
    ],
    [
      { kind: 'started-without-ports', someOpen: true, afterMs: 1500 },
      'not every port was open within 1.5 s: the program starts anyway',
    ],
    [
      { kind: 'started-without-ports', someOpen: false, afterMs: 60_000 },
      'no port was open within 60 s: the program starts anyway',
    ],
    [
      { kind: 'lease-too-short', leaseSeconds: 2, renewedEverySeconds: 4 },
      'the router gives a lease of 2 s, and may be asked again only every 4 s: the port is closed in between; ' +
        '--lease with more seconds keeps it open',
    ],
    [{ kind: 'hook-failed', reason: 'not-started', error, willTryAgain: true }, '--on-change: why; trying again'],
    [
      { kind: 'hook-failed', reason: 'timeout', willTryAgain: false },
      '--on-change: the command took too long and was stopped',
    ],
    [
      { kind: 'hook-failed', reason: 'signal', signal: 'SIGKILL', willTryAgain: true },
      '--on-change: the command was stopped by SIGKILL; trying again',
    ],
    [
      { kind: 'hook-failed', reason: 'exit', exitStatus: 3, willTryAgain: true },
      '--on-change: the command failed with exit status 3; trying again',
    ],
    [{ kind: 'state-not-written', error, willTryAgain: true }, 'why; trying again'],
    [{ kind: 'state-not-written', error, willTryAgain: false }, 'why'],
  ])('is one sentence: $kind', (notice, sentence) => {
    expect(noticeText(notice)).toBe(sentence)
  })
})

describe('what keeps a command from being done', () => {
  it('is an error with a message', () => {
    expect(errorOf({ kind: 'no-ipv4-address' })).toEqual({
      code: 'INVALID_ARGUMENT',
      message:
        "ports are mapped over IPv4: give -u or --gateway the router's IPv4 address, or -a the IPv4 address of this computer",
    })
    expect(errorOf({ kind: 'program-not-started', someOpen: false, afterMs: 60_000 })).toEqual({
      code: 'NO_GATEWAY',
      message: 'no port was open within 60 s, and --require was given: the program does not start',
    })
  })

  it('stays as it is if it has a message already', () => {
    expect(errorOf(error)).toBe(error)
  })
})

describe('the emulated gateway', () => {
  const emulator = { type: 'emulator', descriptionUrl: 'http://a/', address: '127.0.0.1' } as const
  const all = { searchError: undefined, portControl: { address: '127.0.0.1', port: 5351 }, portControlError: undefined }

  it('says what it answers, and why it does not answer the rest', () => {
    expect(emulatorText({ ...emulator, ...all })).toBe(
      'It speaks PCP and NAT-PMP on UDP port 5351. It answers searches on 127.0.0.1; stop it with Ctrl-C.',
    )
    expect(emulatorText({ ...emulator, searchError: error, portControl: undefined, portControlError: error })).toBe(
      'It does not speak PCP or NAT-PMP (why). It does not answer searches (why): name it with -u. Stop it with Ctrl-C.',
    )
  })
})

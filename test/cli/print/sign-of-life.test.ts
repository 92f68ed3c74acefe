/** The sign of life: what it says and when, on a clock that stands still. */
import { describe, expect, it } from 'vitest'
import { type GatewayInvocation, parseInvocation } from '../../../src/cli/parse/invocation.ts'
import { SILENCE_MS, SignOfLife } from '../../../src/cli/print/sign-of-life.ts'
import type { Report } from '../../../src/cli/report.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { ASKED } from '../../support/reports.ts'
import { screenOf } from '../../support/screen.ts'

function invocationOf(line: string): GatewayInvocation {
  const invocation = parseInvocation(line.split(' ').map((word) => (word === '""' ? '' : word)))
  if (invocation.kind !== 'gateway') throw new Error(line)
  return invocation
}

interface Setting {
  readonly interfaces?: readonly string[]
  readonly columns?: number | undefined
  readonly isSeen?: boolean
}

function signOf(line: string, { interfaces = ['eth0'], columns = 80, isSeen = true }: Setting = {}) {
  const clock = new FakeClock()
  let output = ''
  let opened = 0
  let onSignal: (() => void) | undefined
  const write = (text: string): void => {
    output += text
  }
  const sign = new SignOfLife({
    clock,
    invocation: invocationOf(line),
    interfaces: () => interfaces,
    open: () => {
      opened++
      return Promise.resolve(isSeen ? { write } : undefined)
    },
    columns: () => columns,
    onEnd: (listener) => {
      onSignal = listener
      return () => {
        onSignal = undefined
      }
    },
  })
  return {
    clock,
    sign,
    print(text: string) {
      sign.erase()
      write(text)
    },
    interrupt: () => onSignal?.(),
    get isListening() {
      return onSignal !== undefined
    },
    get opened() {
      return opened
    },
    get output() {
      return output
    },
    get screen() {
      return screenOf(output, columns ?? 80)
    },
  }
}

const FOUND: Report = { type: 'local-address', address: '192.168.1.20' }
const MAPPED = { type: 'mapped', asked: ASKED, externalAddress: '' } as const
const ROW: Report = { type: 'mapping', index: 0, mapping: { ...ASKED, leaseSeconds: 0, enabled: true } }

function mapped(count: number): Report[] {
  return Array.from({ length: count }, () => ({ ...MAPPED, mapping: { ...ASKED, leaseSeconds: 0, enabled: true } }))
}

function failed(count: number): Report[] {
  const error = { code: 'NO_REPLY', message: '' } as const
  return Array.from({ length: count }, () => ({ type: 'map-failed', via: 'igd', asked: ASKED, error }))
}

function closed(externalPort: number, ...protocols: readonly ('TCP' | 'UDP')[]): Report[] {
  return protocols.map((protocol) => ({
    type: 'unmapped',
    via: 'igd',
    key: { externalPort, protocol, remoteHost: '' },
  }))
}

function notOpen(externalPort: number): Report[] {
  return [{ type: 'notice', kind: 'nothing-open', externalPort, protocols: ['TCP', 'UDP'] }]
}

describe('the sign of life', () => {
  it('says nothing for 300 ms, then what is waited for, and counts the seconds', async () => {
    const shown = signOf('-r 22 TCP')
    await shown.clock.advance(SILENCE_MS - 1)
    expect([shown.output, shown.opened]).toEqual(['', 0])
    await shown.clock.advance(1)
    expect(shown.screen).toEqual(['looking for a router on eth0 \u2026'])
    await shown.clock.advance(2000)
    expect(shown.screen).toEqual(['looking for a router on eth0 \u2026 2 s'])
    shown.sign.end()
    expect(shown.screen).toEqual([''])
    expect([shown.clock.pending, shown.isListening]).toEqual([0, false])
  })

  it('costs a command that is short one timer, and opens no stream', async () => {
    const shown = signOf('-l')
    expect(shown.clock.pending).toBe(1)
    shown.sign.end()
    await shown.clock.advance(10_000)
    expect([shown.output, shown.opened, shown.clock.pending]).toEqual(['', 0, 0])
  })

  it('is not there if nobody is to see it', async () => {
    const shown = signOf('-l', { isSeen: false })
    await shown.clock.advance(10_000)
    expect([shown.output, shown.clock.pending, shown.isListening]).toEqual(['', 0, false])
    shown.sign.end()
  })

  it('goes before anything is printed, and comes again after as much silence', async () => {
    const shown = signOf('-l')
    await shown.clock.advance(1000)
    shown.print('one\n')
    expect(shown.screen).toEqual(['one', ''])
    shown.sign.hear(FOUND)
    await shown.clock.advance(SILENCE_MS - 100)
    shown.print('two\n')
    await shown.clock.advance(SILENCE_MS - 100)
    expect(shown.screen).toEqual(['one', 'two', ''])
    await shown.clock.advance(500)
    expect(shown.screen).toEqual(['one', 'two', "reading the router's list \u2026"])
  })

  it('is erased at a signal, and does not come again', async () => {
    const shown = signOf('-l')
    await shown.clock.advance(1000)
    shown.interrupt()
    await shown.clock.advance(1000)
    expect(shown.screen).toEqual([''])
    expect(shown.isListening).toBe(false)
  })

  it('may end while it begins', async () => {
    const shown = signOf('-l')
    const advancing = shown.clock.advance(SILENCE_MS)
    shown.sign.end()
    await advancing
    expect([shown.output, shown.clock.pending]).toEqual(['', 0])
  })

  it('writes nothing that stands there already', async () => {
    const shown = signOf('-l')
    await shown.clock.advance(3300)
    expect(shown.output.match(/looking/g)).toHaveLength(4)
  })

  it.each<[string, Setting, string]>([
    ['-l', { interfaces: [] }, 'looking for a router'],
    ['-l', { interfaces: ['eth0', 'eth0'] }, 'looking for a router on eth0'],
    ['-l', { interfaces: ['eth0', 'wlan0'] }, 'looking for a router on eth0 and wlan0'],
    ['-l', { interfaces: ['a', 'b', 'c'] }, 'looking for a router on a, b and c'],
    ['-l', { interfaces: ['a', 'b', 'c', 'd'] }, 'looking for a router on 4 networks'],
    ['-l', { interfaces: ['\x1b[2J'] }, 'looking for a router on \\x1b[2J'],
    ['-m wlan0 -l', {}, 'looking for a router on wlan0'],
    ['-u http://192.168.1.1:5000/rootDesc.xml -l', {}, 'waiting for the router at 192.168.1.1'],
    ['-u http://[fe80::1%eth0]:80/ -l', {}, 'waiting for the router at [fe80::1]'],
    ['--gateway 192.168.1.1 -l', {}, 'waiting for the router at 192.168.1.1'],
    ['--emulate -l', {}, 'looking for the emulated router'],
  ])('says where it looks: %s %j', async (line, setting, text) => {
    const shown = signOf(line, setting)
    await shown.clock.advance(SILENCE_MS)
    expect(shown.screen).toEqual([`${text} \u2026`])
  })

  it.each<[string, readonly Report[], string]>([
    ['-r 25565 TCP', [FOUND], 'opening port 25565 \u2026 2 s'],
    ['-r 25565 TCP+UDP', [FOUND, ...mapped(1)], 'opening port 25565 \u2026 2 s'],
    ['-r 1 0 TCP --via pcp', [FOUND], 'opening a port \u2026 2 s'],
    ['-r 1000-1099 TCP', [FOUND], 'opened 0 of 100 ports \u2026 2 s'],
    ['-r 1000-1099 TCP', [FOUND, ...mapped(37)], 'opened 37 of 100 ports \u2026 2 s'],
    ['open 1000-1099', [FOUND, ...mapped(37), ...failed(2)], 'opened 37 of 100 ports, 2 not \u2026 2 s'],
    [
      'close 1000-1099',
      [FOUND, ...closed(1000, 'TCP', 'UDP'), ...closed(1001, 'TCP')],
      'closed 2 of 100 ports \u2026 2 s',
    ],
    ['close 1000-1099', [FOUND, ...notOpen(1000), ...closed(1001, 'TCP')], 'closed 1 of 100 ports, 1 not \u2026 2 s'],
    ['-r 25565 TCP', [FOUND, ...failed(1)], 'waiting for the router \u2026 2 s'],
    ['-r 25565 TCP', [FOUND, ...mapped(1)], 'waiting for the router \u2026 2 s'],
    ['-d 22 TCP', [FOUND], 'closing port 22 \u2026 2 s'],
    ['-f 22 TCP 80 TCP', [FOUND], 'closed 0 of 2 ports \u2026 2 s'],
    ['-6 -A "" 0 @ 8333 TCP 60', [FOUND], 'opening port 8333 \u2026 2 s'],
    ['-l', [FOUND], "reading the router's list \u2026 2 s"],
    ['-l', [FOUND, ROW], "reading the router's list \u2026 1 row"],
    ['-L', [FOUND, ...Array.from({ length: 120 }, () => ROW)], "reading the router's list \u2026 120 rows"],
    ['-s', [FOUND], 'waiting for the router \u2026 2 s'],
  ])('says what it waits for: %s after %j', async (line, reports, text) => {
    const shown = signOf(line)
    await shown.clock.advance(5000)
    for (const report of reports) shown.sign.hear(report)
    await shown.clock.advance(2250)
    expect(shown.screen).toEqual([text])
  })

  it.each([
    [60, '\u7f51'.repeat(60)],
    [60, 'x'.repeat(200)],
    [20, 'eth0'],
    [8, 'eth0'],
    [1, 'eth0'],
  ])('fits a terminal of %i columns, and still counts', async (columns, name) => {
    const shown = signOf('-l', { columns, interfaces: [name] })
    await shown.clock.advance(12_000)
    const [line = '', ...others] = shown.screen
    expect(others).toEqual([])
    expect([...line].reduce((sum, character) => sum + (character === '\u7f51' ? 2 : 1), 0)).toBeLessThan(columns)
    if (columns > 8) expect(line).toMatch(/\u2026 1[12] s$/)
  })

  it('takes a terminal that does not tell its width for one of 80 columns', async () => {
    const shown = signOf('-l', { columns: undefined, interfaces: ['x'.repeat(200)] })
    await shown.clock.advance(2500)
    expect(shown.screen).toHaveLength(1)
    expect(shown.screen[0]).toHaveLength(79)
  })
})

describe('with --keep', () => {
  const LOST = { name: 'external port 23 TCP', isPinhole: false, timeMs: 0, againInMs: 1 } as const
  const FAILED: Report = { type: 'keep-failed', ...LOST, error: { code: 'NO_REPLY', message: '' } }

  it.each<[string, readonly Report[]]>([
    ['every port is open', [FOUND, ...mapped(2)]],
    ['every port is open or could not be had', [FOUND, FAILED, FAILED, ...mapped(1)]],
    ['the program starts', [{ type: 'notice', kind: 'started-without-ports', someOpen: false, afterMs: 1 }]],
  ])('it is there until %s', async (_, reports) => {
    const shown = signOf('-r 22 TCP 23 TCP --keep')
    await shown.clock.advance(1000)
    for (const report of reports.slice(0, -1)) shown.sign.hear(report)
    await shown.clock.advance(1000)
    expect(shown.screen).not.toEqual([''])
    for (const report of reports.slice(-1)) shown.sign.hear(report)
    await shown.clock.advance(60_000)
    expect(shown.screen).toEqual([''])
    expect(shown.clock.pending).toBe(0)
  })

  it('it looks for a router again if that has gone', async () => {
    const shown = signOf('-r 22 TCP --keep')
    await shown.clock.advance(1000)
    shown.sign.hear(FOUND)
    shown.sign.hear({ type: 'gateway-lost', timeMs: 0, error: { code: 'NO_REPLY', message: '' } })
    await shown.clock.advance(1000)
    expect(shown.screen[0]).toMatch(/^looking for a router/)
  })
})

/** watch at an emulated gateway: lines, JSON, and the screen of a terminal. The clock moves only if the test moves it. */
import { afterEach, describe, expect, it } from 'vitest'
import { SHOWN_MS, WatchedRouter } from '../../../src/cli/print/plain/watch/screen.ts'
import type { Report } from '../../../src/cli/report.ts'
import { type Emulator, startEmulator } from '../../../src/emulator.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { runCli } from '../../support/run-cli.ts'

const closing: Emulator[] = []
afterEach(async () => {
  for (const emulator of closing.splice(0)) await emulator.close()
})

const OTHERS = { internalClient: '192.168.1.31', internalPort: 80, description: 'a web server' }

async function start(argv: readonly string[], size?: { readonly columns: number; readonly rows: number }) {
  const emulator = await startEmulator()
  closing.push(emulator)
  emulator.addMapping({ externalPort: 80, protocol: 'TCP', ...OTHERS })
  const clock = new FakeClock(Date.UTC(2026, 10, 30, 9, 14, 3))
  const signals = new Map<string, () => void>()
  const written = { text: '' }
  const stdout = {
    write: (text: string) => {
      written.text += text
    },
    on: () => {},
    isTTY: size !== undefined,
    ...size,
  }
  const ended = runCli(['watch', '-u', emulator.descriptionUrl, ...argv], {
    clock,
    stdout,
    onSignal: (names, listener) => {
      for (const name of names) signals.set(name, () => listener(name))
      return () => {
        for (const name of names) signals.delete(name)
      }
    },
  })
  /** Moves the clock a little at a time, because the gateway answers in real time. Returns how long it took. */
  const until = async (isSo: (text: string) => boolean) => {
    const beganMs = clock.monotonicMs()
    while (!isSo(written.text)) {
      await clock.advance(5)
      await new Promise((resolve) => setTimeout(resolve, 1))
      if (clock.monotonicMs() - beganMs > 4000)
        throw new Error(`never came: ${JSON.stringify(written.text.slice(-2000))}`)
    }
    return clock.monotonicMs() - beganMs
  }
  return { emulator, clock, signals, written, ended, until }
}

const stamps = (text: string): string => text.replaceAll(/^2026-11-30T09:1\d:\d\dZ/gm, 'T')

describe('watch without a terminal', () => {
  it('writes what is there, and a line for each change, until Ctrl-C', async () => {
    const { emulator, written, until, signals, ended } = await start([])
    await until((text) => text.includes('80 TCP'))
    expect(written.text).toMatch(/^2026-11-30T09:14:0\dZ = router 127\.0\.0\.1 speaks UPnP\n/)
    emulator.addMapping({ externalPort: 25565, protocol: 'TCP', ...OTHERS, description: 'a\u202eb' })
    expect(await until((text) => text.includes('25565'))).toBeLessThan(3000)
    await runCli(['-u', emulator.descriptionUrl, '-d', '25565', 'TCP'])
    expect(await until((text) => text.includes(' - '))).toBeLessThan(3000)
    await emulator.setExternalAddress('11.22.33.55')
    await until((text) => text.includes('11.22.33.55'))
    signals.get('SIGINT')?.()
    expect((await ended).exitCode).toBe(0)
    expect(stamps(written.text)).toBe(`T = router 127.0.0.1 speaks UPnP
T = connection Connected
T = address 11.22.33.44
T = 80 TCP -> 192.168.1.31:80 'a web server'
T + 25565 TCP -> 192.168.1.31:80 'a\\u202eb'
T - 25565 TCP -> 192.168.1.31:80 'a\\u202eb'
T ! address 11.22.33.44 -> 11.22.33.55
`)
  })

  it('writes the same as JSON', async () => {
    const { emulator, written, until, signals, ended } = await start(['--json'])
    await until((text) => text.includes('port-appeared'))
    await runCli(['-u', emulator.descriptionUrl, '-d', '80', 'TCP'])
    await until((text) => text.includes('port-gone'))
    signals.get('SIGTERM')?.()
    expect((await ended).exitCode).toBe(0)
    const rows = written.text
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text))
    expect(rows.map(({ type }) => type)).toEqual([
      ...[
        'gateway',
        'local-address',
        'router',
        'status',
        'external-address',
        'port-appeared',
        'listing-end',
        'port-gone',
      ],
    ])
    expect(rows.at(-1)).toEqual({
      ...{ type: 'port-gone', time: expect.stringMatching(/^2026-11-30T09:14:0\d\.\d{3}Z$/) },
      ...{ protocol: 'TCP', externalPort: 80, internalClient: '192.168.1.31', internalPort: 80 },
      ...{ description: 'a web server', remoteHost: '', leaseSeconds: expect.any(Number), enabled: true },
    })
    expect(rows.at(-3)).toMatchObject({ wasThere: true, externalPort: 80 })
  })

  it('ends after --timeout', async () => {
    const { written, until, ended, clock } = await start(['--timeout', '5000'])
    await until((text) => text.includes('80 TCP'))
    await clock.advance(5000)
    expect((await ended).exitCode).toBe(0)
    expect(written.text.split('\n')).toHaveLength(5)
  })

  it('says that there is no router', async () => {
    const { exitCode, stderr } = await runCli(['watch', '-u', 'http://127.0.0.1:1/x.xml', '--timeout', '2000'])
    expect(exitCode).toBe(1)
    expect(stderr).not.toBe('')
  })
})

describe('watch on a terminal', () => {
  it.each(['SIGINT', 'SIGTERM'])('has a screen of its own, and leaves it at %s', async (signal) => {
    const { emulator, written, until, signals, ended } = await start([], { columns: 80, rows: 24 })
    await until((text) => text.includes('80 TCP'))
    expect(written.text.startsWith('\x1b[?1049h\x1b[?25l\x1b[H')).toBe(true)
    emulator.addMapping({ externalPort: 25565, protocol: 'TCP', ...OTHERS })
    expect(await until((text) => / \+25565 TCP/.test(text))).toBeLessThan(3000)
    signals.get(signal)?.()
    expect((await ended).exitCode).toBe(0)
    expect(written.text.endsWith('\x1b[?25h\x1b[?1049l')).toBe(true)
    expect(written.text.match(/\x1b\[\?1049l/g)).toHaveLength(1)
    expect(signals.size).toBe(0)
  })

  it('does not draw for each row of a long table', async () => {
    const { emulator, written, until, signals, ended } = await start([], { columns: 80, rows: 24 })
    for (let externalPort = 1000; externalPort < 1100; externalPort++)
      emulator.addMapping({ externalPort, protocol: 'TCP', ...OTHERS })
    await until((text) => text.includes('101 ports are open'))
    expect(written.text.split('\x1b[H').length).toBeLessThan(20)
    signals.get('SIGINT')?.()
    await ended
  })

  it('draws anew for a window of another size', async () => {
    const { written, until, signals, ended } = await start([], { columns: 80, rows: 24 })
    await until((text) => text.includes('80 TCP'))
    written.text = ''
    signals.get('SIGWINCH')?.()
    expect(written.text).toContain('80 TCP')
    signals.get('SIGINT')?.()
    await ended
  })

  it('ends at Ctrl-C before a router is found, and has not touched the terminal', async () => {
    const { written, signals, ended, clock } = await start([], { columns: 80, rows: 24 })
    await clock.advance(0)
    signals.get('SIGINT')?.()
    expect([(await ended).exitCode, written.text]).toEqual([0, ''])
  })
})

describe('the screen', () => {
  const NOW = new Date(2026, 10, 30, 9, 14, 3).getTime()
  const mapping = (externalPort: number, isOwn = false, description = 'upnp-ts') => ({
    ...{ externalPort, protocol: 'TCP', internalPort: externalPort, description, leaseSeconds: 3600 },
    ...{ internalClient: isOwn ? '192.168.1.20' : '192.168.1.31', remoteHost: '', enabled: true },
  })
  function watched(...reports: readonly Report[]) {
    const router = new WatchedRouter()
    const first: readonly Report[] = [
      { type: 'local-address', address: '192.168.1.20' },
      { type: 'router', address: '192.168.1.1', protocols: ['igd', 'pcp'] },
      { type: 'external-address', during: 'status', ok: true, address: '203.0.113.7' },
    ]
    const read: Report = { type: 'listing-end', count: 0, endedBy: 'limit' }
    for (const report of [...first, ...reports, read]) router.hear(report, NOW)
    const at = (nowMs: number, width = 80, height = 24): string =>
      router
        .screen({ nowMs, width, height })
        .map(({ text }) => text)
        .join('\n')
    return { router, at }
  }

  it('marks what is own, new and gone, and forgets the marks after some seconds', () => {
    const { at } = watched(
      { type: 'port-appeared', timeMs: NOW, wasThere: true, mapping: mapping(22, true) },
      { type: 'port-appeared', timeMs: NOW, wasThere: true, mapping: mapping(80) },
      { type: 'port-appeared', timeMs: NOW, wasThere: false, mapping: mapping(25565, true) },
      { type: 'port-gone', timeMs: NOW, mapping: mapping(443) },
    )
    expect(at(NOW)).toBe(`  Your router          192.168.1.1, speaks UPnP and PCP
  Its address          203.0.113.7
  This computer        192.168.1.20

  Port       Leads to               Until         Opened by
 -  443 TCP  192.168.1.31:443       30 Nov 10:14  upnp-ts
*+25565 TCP  192.168.1.20:25565     30 Nov 10:14  upnp-ts
*    22 TCP  192.168.1.20:22        30 Nov 10:14  upnp-ts
     80 TCP  192.168.1.31:80        30 Nov 10:14  upnp-ts
3 ports are open, and 2 of them lead to this computer (*).
09:14:03   + new   - gone   Ctrl-C ends this`)
    expect(
      at(NOW + SHOWN_MS)
        .split('\n')
        .slice(5),
    ).toEqual([
      '*    22 TCP  192.168.1.20:22        30 Nov 10:14  upnp-ts',
      '* 25565 TCP  192.168.1.20:25565     30 Nov 10:14  upnp-ts',
      '     80 TCP  192.168.1.31:80        30 Nov 10:14  upnp-ts',
      '3 ports are open, and 2 of them lead to this computer (*).',
      '09:14:13   + new   - gone   Ctrl-C ends this',
    ])
  })

  it.each([60, 80, 200])('fits 300 rows into 24 lines of %i columns, what is new and own first', (columns) => {
    const long = '\u6e38\u620f'.repeat(60)
    const rows = Array.from({ length: 300 }, (_, at) => mapping(1000 + at, at === 200, long))
    const { at } = watched(
      ...rows.map((each): Report => ({ type: 'port-appeared', timeMs: NOW, wasThere: true, mapping: each })),
      { type: 'port-appeared', timeMs: NOW, wasThere: false, mapping: mapping(9999, false, long) },
    )
    const lines = at(NOW, columns).split('\n')
    expect(lines).toHaveLength(24)
    const wide = (line: string): number => [...line.matchAll(/\p{Script=Han}/gu)].length
    for (const each of lines) expect(each.length + wide(each)).toBeLessThan(columns)
    expect(lines[5]).toMatch(/^ \+ 9999 TCP/)
    expect(lines[6]).toMatch(/^\* {2}1200 TCP/)
    expect(lines.at(-3)).toBe('  and 285 more; upnp-ts list shows all of them')
  })

  it('says that the router does not answer, and what the router cannot tell', () => {
    const error = { code: 'NO_REPLY', message: 'no reply' } as const
    const { router, at } = watched({ type: 'gateway-lost', timeMs: NOW, error })
    expect(at(NOW)).toContain('                       does not answer since 09:14:03; looking for it\n')
    router.hear({ type: 'gateway-back', timeMs: NOW, address: '192.168.1.1', afterMs: 1 }, NOW)
    router.hear({ type: 'listing-failed', count: 0, error: { code: 'REFUSED', message: '606 NotAuthorized' } }, NOW)
    expect(at(NOW)).not.toContain('does not answer')
    expect(at(NOW)).toContain('The router does not say which ports it has open: 606 NotAuthorized.')
  })

  it('shows nothing of the router that could harm a terminal', () => {
    const { at } = watched({
      ...{ type: 'port-appeared', timeMs: NOW, wasThere: true },
      mapping: mapping(1, false, 'a\u009b31m\x1b[2J'),
    })
    expect(at(NOW)).toContain('a\\x9b31m\\x1b[2J')
  })
})

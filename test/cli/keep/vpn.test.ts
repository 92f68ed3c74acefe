/** The recipe for a VPN as a whole: what is sent to its gateway, what is told, and what can be done about the port. */
import { describe, expect, it } from 'vitest'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import { hexOf } from '../../support/hex-bytes.ts'
import {
  addressReply,
  answering,
  natPmpError,
  natPmpMapAsked,
  natPmpMapReply,
  type PortControlAnswering,
} from '../../support/port-control-replies.ts'
import { runCli } from '../../support/run-cli.ts'

const TUN0 = { name: 'tun0', address: '192.168.1.10', netmask: '255.255.255.255', loopback: false }
const VPN = ['--via', 'nat-pmp', '--gateway', '10.2.0.1'] as const
const RECIPE = [...VPN, '-r', '0', '1', 'TCP+UDP', '--lease', '60'] as const

/** A gateway that gives one port for 60 s. */
const givesPort = (request: Uint8Array): Uint8Array =>
  request[1] === 0 ? addressReply() : natPmpMapReply(request, { mappedExternalPort: 41_001, lifetimeSeconds: 60 })

/** Runs it until it ends; with --keep a signal ends it after that time. */
async function ran(argv: readonly string[], answer: PortControlAnswering, files = memoryFiles(), endsMs = 0) {
  const { clock, datagrams } = answering(answer)
  let end: (() => void) | undefined
  let isOver = false
  const running = runCli(argv, {
    clock,
    datagrams,
    files,
    interfaces: () => [TUN0],
    onSignal: (_, listener) => {
      end = () => listener('SIGTERM')
      return () => {}
    },
  }).finally(() => {
    isOver = true
  })
  for (let leftMs = endsMs; !isOver; leftMs -= end === undefined ? 0 : 500) {
    if (leftMs === 0) end?.()
    await clock.advance(500)
  }
  const maps = datagrams.requests.map(({ bytes }) => bytes).filter((bytes) => bytes.length === 12)
  return { ...(await running), hex: maps.map(hexOf), asked: maps.map(natPmpMapAsked) }
}

const FIRST = ['000100000000' + '0001' + '0000003c', '000200000000' + 'a029' + '0000003c']
const ON_41001 = /^external [\d.]+:41001 (TCP|UDP) is redirected to internal 192\.168\.1\.10:41001 \(duration=60\)$/gm

describe('the port that a VPN gives', () => {
  it('is asked for as natpmpc does, for UDP and then for TCP, and is the same inside and outside', async () => {
    const { stdout, exitCode, hex } = await ran(RECIPE, givesPort)
    expect([hex, exitCode]).toEqual([FIRST, 0])
    expect(stdout.match(ON_41001)).toHaveLength(2)
  })

  it('is kept with internal port 0 and the port that was given, and never deleted', async () => {
    const { stdout, stderr, exitCode, hex, asked } = await ran([...RECIPE, '--keep'], givesPort, undefined, 150_000)
    expect([hex.slice(0, 2), exitCode]).toEqual([FIRST, 0])
    expect(asked.length).toBeGreaterThan(8)
    for (const each of asked.slice(1))
      expect(each).toMatchObject({ internalPort: 0, suggestedExternalPort: 41_001, lifetimeSeconds: 60 })
    expect(stdout.match(ON_41001)).toHaveLength(2)
    const ends = (stdout + stderr).trimEnd().split('\n').slice(-2)
    for (const [at, protocol] of ['UDP', 'TCP'].entries())
      expect(ends[at]).toMatch(
        new RegExp(`Z external port 41001 ${protocol}: ends with its lease, \\S+Z at the latest`),
      )
  })

  it.each([
    ['the recipe', RECIPE],
    ['any external port', [...VPN, '-r', '1', '0', 'TCP+UDP', '--lease', '60']],
  ])('is another one at renewals now and then, with %s: one line for both', async (_, words) => {
    let looks = 0 // after every fourth one there is another port, but not before both are open
    const moving: PortControlAnswering = (request, { atMs }) => {
      if (request[1] === 0) looks++
      const mappedExternalPort = 41_001 + Math.floor(Math.max(0, looks - 6) / 4)
      const epochSeconds = 3600 + Math.floor(atMs / 1000) // one that stands still would look like a restart
      if (request[1] === 0) return addressReply(undefined, epochSeconds)
      return natPmpMapReply(request, { mappedExternalPort, lifetimeSeconds: 60, epochSeconds })
    }
    const { stdout, stderr } = await ran([...words, '--keep'], moving, undefined, 1_500_000)
    const lines = (stdout + stderr).split('\n').filter((line) => line.includes('the external port of'))
    const changes = lines.map((line) => /Z the external port of TCP\+UDP is (\d+) now, not (\d+)$/.exec(line)?.slice(1))
    expect(changes.length).toBeGreaterThan(1)
    expect(changes.map((change) => change?.[1])).toEqual(
      ['41001', ...changes.map((change) => change?.[0])].slice(0, -1),
    )
    expect(stdout + stderr).not.toMatch(/-n takes|cannot be had|is not available/)
  })

  it('has one internal port in JSON too, and the time of its end', async () => {
    const { stdout } = await ran([...RECIPE, '--keep', '--json'], givesPort, undefined, 150_000)
    const objects: Record<string, unknown>[] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    const ports = objects.filter(({ externalPort }) => externalPort === 41_001)
    expect(new Set(ports.map(({ internalPort }) => internalPort))).toEqual(new Set([41_001]))
    expect(objects.at(-1)).toMatchObject({ type: 'ends-with-lease', externalPort: 41_001, ends: expect.any(String) })
  })

  it.each([
    [['-d', '41001', 'UDP'], 2],
    [['-d', '41001', 'TCP+UDP'], 2],
    [['-f', '41001', 'TCP'], 3],
  ])('is not closed by %j, which says that it ends with its lease', async (words, code) => {
    const files = memoryFiles()
    await ran(RECIPE, givesPort, files)
    const { stderr, exitCode, asked } = await ran([...VPN, ...words], givesPort, files)
    expect([asked, exitCode]).toEqual([[], code])
    expect(stderr).toMatch(/^hint: external 41001 .* ends with its lease/)
  })

  it('stays open for UDP until its lease ends if TCP is refused, and that is said', async () => {
    const answer: PortControlAnswering = (request) => (request[1] === 2 ? natPmpError(2, 4) : givesPort(request))
    const { stderr, exitCode, asked } = await ran(RECIPE, answer)
    expect([asked.map(({ lifetimeSeconds }) => lifetimeSeconds), exitCode]).toEqual([[60, 60], 2])
    expect(stderr).toMatch(/hint: external 41001 UDP cannot be closed alone, .* it ends with its lease/)
  })

  it('is not to be had at other gateways, and the hint says so', async () => {
    const { stderr, exitCode } = await ran(RECIPE, (request) =>
      request[1] === 0 ? addressReply() : natPmpError(request[1] ?? 0, 2),
    )
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/^hint: this gateway does not understand internal port 0/m)
  })

  it('is waited for, with the same reason and advice as without --keep', async () => {
    const silent: PortControlAnswering = () => undefined
    const without = await ran(RECIPE, silent)
    const kept = await ran([...RECIPE, '--keep'], silent, undefined, 30_000)
    const why = '10.2.0.1 does not answer NAT-PMP'
    expect(without.stderr).toContain(`: ${why}. The gateway of a VPN speaks NAT-PMP only if`)
    expect(kept.stdout + kept.stderr).toContain(`Z no router: ${why}; looking until one is found\n`)
    expect(kept.stderr).toMatch(/^hint: The gateway of a VPN speaks NAT-PMP only if .*\+pmp/m)
    const { stdout } = await ran([...RECIPE, '--keep', '--json'], silent, undefined, 30_000)
    expect(JSON.parse(stdout.split('\n', 1)[0] ?? '')).toMatchObject({
      type: 'searching',
      searched: { via: 'nat-pmp', portControl: [{ gateway: '10.2.0.1', port: 5351, error: { code: 'NO_REPLY' } }] },
    })
  })
})

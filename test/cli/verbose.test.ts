import { describe, expect, it } from 'vitest'
import { type Datagrams, nodeDatagrams } from '../../src/net/datagrams.ts'
import { runCli } from '../support/run-cli.ts'

const LINE = /^\d{4}-\d\d-\d\dT[\d:.]+Z [><!] (SSDP|HTTP|PCP|NAT-PMP|UDP) \S/
const withoutPorts = (text: string): string => text.replaceAll(/127\.0\.0\.1:\d{4,5}/g, '127.0.0.1:PORT')

describe('--verbose', () => {
  it('shows a line for each message on stderr, and leaves stdout as it is', async () => {
    const quietly = await runCli(['--emulate', '--via', 'igd', '-r', '22', 'TCP'])
    const shown = await runCli(['--emulate', '--via', 'igd', '--verbose', '-r', '22', 'TCP'])
    expect(shown.exitCode).toBe(0)
    expect(withoutPorts(shown.stdout)).toBe(withoutPorts(quietly.stdout))
    const lines = shown.stderr.trimEnd().split('\n')
    expect(lines.filter((line) => !LINE.test(line))).toEqual([])
    const asked = lines.filter((line) => / > HTTP /.test(line)).map((line) => /\S+ \(\d+ bytes\)$/.exec(line)?.[0])
    expect(asked.map((each) => each?.split(' ')[0])).toEqual([
      'description',
      'GetStatusInfo',
      'GetExternalIPAddress',
      'AddPortMapping',
      'GetSpecificPortMappingEntry',
    ])
  })

  it('leaves the answer of a verb in plain words', async () => {
    const quietly = await runCli(['--emulate', '--via', 'igd', 'open', '22'])
    const shown = await runCli(['--emulate', '--via', 'igd', 'open', '22', '-v'])
    expect(shown.stdout).toBe(quietly.stdout)
    expect(shown.stdout).toMatch(/^Your router now lets port 22 TCP in\.\n/)
  })

  it('shows what was ignored for a defect, and the command goes on', async () => {
    let heard = 0
    const open: Datagrams['open'] = (options) =>
      nodeDatagrams.open({
        ...options,
        onMessage(datagram, from) {
          if (++heard <= 3) throw new TypeError('planted')
          options.onMessage(datagram, from)
        },
      })
    const words = ['--emulate', '--via', 'igd', '-l']
    const { exitCode, stderr } = await runCli([...words, '--verbose'], { datagrams: { ...nodeDatagrams, open } })
    expect(exitCode).toBe(0)
    const told = withoutPorts(stderr)
      .split('\n')
      .filter((line) => line.includes('ignored'))
    const line = 'ignored a datagram (127.0.0.1:PORT), for a defect of upnp-ts: TypeError: planted'
    expect(told.map((each) => each.replace(/^\S+Z /, ''))).toEqual([
      `! ${line} (1 so far)`,
      `! ${line} (2 so far)`,
      `3 times ${line}`,
    ])
    heard = 0
    expect((await runCli(words, { datagrams: { ...nodeDatagrams, open } })).stderr).toBe('')
  })

  it('shows why a gateway refuses, beside JSON too', async () => {
    const refused = await runCli([
      '--emulate',
      '--via',
      'pcp',
      '--quirk',
      'refuse=MAP:2',
      '--json',
      '--verbose',
      '-r',
      '22',
      'TCP',
    ])
    expect(refused.exitCode).toBe(2)
    expect(refused.stderr).toMatch(/ < PCP 127\.0\.0\.1:\d+ MAP: NOT_AUTHORIZED \(\d+ bytes\)\n$/)
    for (const line of refused.stdout.trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('type')
  })
})

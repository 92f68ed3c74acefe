/** watch at a real miniupnpd: a port that comes and goes from outside is told within 3 s. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { COMPUTER, Lab } from './lab.ts'

let lab: Lab
beforeAll(async () => {
  lab = await Lab.up()
})
afterAll(() => lab.down())

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test('watch tells what comes and goes', { timeout: 60_000 }, async () => {
  const watching = lab.upnpTs('watch', '--via', 'igd', '--timeout', '14000')
  await pause(4000)
  const openedMs = Date.now()
  await lab.upnpTs('-r', '25565', 'TCP', '--via', 'igd')
  await pause(4000)
  const closedMs = Date.now()
  await lab.upnpTs('-d', '25565', 'TCP', '--via', 'igd')
  const { stdout, exit } = await watching
  expect(exit).toBe(0)
  const lines = stdout.trimEnd().split('\n')
  expect(lines.map((line) => line.replace(/^\S+Z /, ''))).toEqual([
    expect.stringMatching(/^= router \S+ speaks UPnP/),
    '= connection Connected',
    expect.stringMatching(/^= address /),
    `+ 25565 TCP -> ${COMPUTER}:25565 'upnp-ts'`,
    `- 25565 TCP -> ${COMPUTER}:25565 'upnp-ts'`,
  ])
  const toldMs = lines.slice(-2).map((line) => Date.parse(line.split(' ')[0] ?? ''))
  // The times are whole seconds, rounded down.
  expect((toldMs[0] ?? Infinity) - openedMs).toBeLessThan(4000)
  expect((toldMs[1] ?? Infinity) - closedMs).toBeLessThan(4000)
})

/** How long it takes at a router that speaks no UPnP, before that is known and after. */
import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Lab } from './lab.ts'
import { doorsOf } from './router-doors.ts'
import { freshState, type HowToRun, labUp, type Ran, run, sh } from './router-lab.ts'

const FIRST_MS = 1700
const KNOWN_MS = 150
/** A busy machine only adds to a time, so the best one counts. */
const TRIES = 5

/** The version is the first byte of a request (RFC 6886 3.1, RFC 6887 7). */
const LANGUAGES = {
  PCP: 'nft insert rule inet filter input udp dport 5351 @th,64,8 0 drop',
  'NAT-PMP': 'nft insert rule inet filter input udp dport 5351 @th,64,8 2 drop',
} as const

async function startOfNodeMs(lab: Lab): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < TRIES; n++) times.push((await lab.on('computer', [process.execPath, '-e', '0'])).wallMs)
  return Math.min(...times)
}

/** That many minutes later, for the command alone. */
function later(lab: Lab, how: HowToRun, minutes: number): HowToRun {
  const file = `${lab.stateHome}-later-${minutes}.cjs`
  writeFileSync(file, `const now = Date.now; Date.now = () => now() + ${minutes * 60_000}\n`)
  return { ...how, env: { NODE_OPTIONS: `--require ${file}` } }
}

describe('a router that speaks no UPnP', { timeout: 60_000 }, () => {
  const vias = ['PCP', 'NAT-PMP'] as const

  test.for(vias)('but %s is used after 1.7 s at most, as long as nothing is known', async (via, { onTestFinished }) => {
    const lab = await labUp(onTestFinished, { upnp: false })
    await sh(lab, 'router', LANGUAGES[via])
    const timed = async (ran: Promise<Ran>): Promise<number> => {
      const { exit, wallMs, via: used } = await ran
      expect({ exit, used }).toEqual({ exit: 0, used: via })
      return wallMs
    }
    const times: { opening: number[]; closing: number[] } = { opening: [], closing: [] }
    for (const how of [{}, {}, { stateHome: freshState(lab) }]) {
      times.opening.push(await timed(run(lab, ['-r', '8000', 'TCP'], how)))
      times.closing.push(await timed(run(lab, ['-d', '8000', 'TCP'], how)))
      expect(await doorsOf(lab)).toEqual([])
    }
    console.log(`${via}, not known: -r ${times.opening.map(Math.round)} ms, -d ${times.closing.map(Math.round)} ms`)
    expect(Math.min(...times.opening)).toBeLessThan(FIRST_MS)
    expect(Math.min(...times.closing)).toBeLessThan(FIRST_MS)
  })

  test.for(vias)('but %s is used at once when that is known', async (via, { onTestFinished }) => {
    const lab = await labUp(onTestFinished, { upnp: false })
    await sh(lab, 'router', LANGUAGES[via])
    const how = { stateHome: freshState(lab) }
    await run(lab, ['-r', '8000', 'TCP'], how)
    await run(lab, ['-r', '8000', 'TCP'], later(lab, how, 11))
    const nodeMs = await startOfNodeMs(lab)
    const times: number[] = []
    for (let n = 0; n < TRIES; n++) {
      const { exit, via: used, wallMs } = await run(lab, ['-r', '8000', 'TCP'], later(lab, how, 12))
      expect({ exit, used }).toEqual({ exit: 0, used: via })
      times.push(wallMs)
    }
    console.log(`${via}, known: ${times.map(Math.round)} ms; Node's start: ${nodeMs.toFixed(0)} ms`)
    expect(Math.min(...times) - nodeMs).toBeLessThan(KNOWN_MS)
    const closed = await run(lab, ['-d', '8000', 'TCP'], later(lab, how, 13))
    expect({ exit: closed.exit, doors: await doorsOf(lab) }).toEqual({ exit: 0, doors: [] })
  })

  test('is asked for it again when UPnP is switched on', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished, { upnp: false })
    const how = { stateHome: freshState(lab) }
    for (const minutes of [0, 11]) {
      expect(await run(lab, ['-r', '8000', 'TCP'], later(lab, how, minutes))).toMatchObject({ via: 'PCP', exit: 0 })
    }
    await lab.reboot({ upnp: true })
    // It goes over PCP once more. It hears the IGD as long as it runs, so it has something to do.
    await run(lab, ['-r', '8000-8200', 'TCP'], later(lab, how, 12))
    expect(await run(lab, ['-r', '8000', 'TCP'], later(lab, how, 13))).toMatchObject({ via: 'IGD', exit: 0 })
    expect(await run(lab, ['-r', '8000', 'TCP'], later(lab, how, 26 * 60))).toMatchObject({ via: 'IGD', exit: 0 })
  })
})

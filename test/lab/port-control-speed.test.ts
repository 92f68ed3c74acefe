/**
 * That three protocols are asked costs nobody any time: where an IGD answers, `auto` takes no longer than `--via igd`;
 * where PCP alone does, a port is open within BEYOND_NODE_MS of Node's own start, on a machine where that takes 60 ms; a
 * slower one, or one with other work, is given as much more time for the work as its Node takes (see speed.test.ts).
 */
import { afterEach, describe, expect, test } from 'vitest'
import { Lab, type RouterOptions, upnpTsCommand } from './lab.ts'
import { leastOfSets, median } from './median.ts'
import { DELETED } from './port-control-text.ts'

const ROUNDS = 15
/** What two medians of the same thing differ by. */
const TOLERANCE_MS = 10
const TOLERANCE = 0.05
const BEYOND_NODE_MS = 200
/** The time for which an IGD is waited for is the same on every machine; what is left is work, as Node's start is. */
const GRACE_MS = 150
const REFERENCE_NODE_START_MS = 60

let lab: Lab

async function labUp(options: RouterOptions): Promise<void> {
  lab = await Lab.up(options)
}

afterEach(() => lab.down())

async function nodeStartMs(): Promise<number> {
  return (await lab.on('computer', [process.execPath, '-e', '0'])).wallMs
}

/** From its start to its end. */
async function statusMs(...options: string[]): Promise<number> {
  const { stdout, stderr, exit, wallMs } = await lab.upnpTs(...options, '-s')
  expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 })
  expect(stdout).toContain('Found valid IGD : ')
  return wallMs
}

/** From its start to the line that says that the port is open; it is closed again. */
async function openingMs(...options: string[]): Promise<number> {
  const startMs = performance.now()
  const opening = lab.spawn('computer', upnpTsCommand(...options, '-r', '22', 'TCP'))
  await opening.says(/ is redirected to internal /)
  const ms = performance.now() - startMs
  const { stdout, stderr, exit } = await opening.ends()
  expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 })
  expect(stdout).toContain('Found valid PCP gateway : ')
  expect((await lab.upnpTs('--via', 'pcp', '-d', '22', 'TCP')).stdout).toContain(DELETED.pcp)
  return ms
}

describe('the time that it takes', { timeout: 240_000 }, () => {
  test('is that of --via igd with auto, at an IGD that speaks PCP too: the median of alternating runs', async () => {
    await labUp({})
    await statusMs() // the first run of all reads the files
    const beyondTolerance = await leastOfSets(0, async () => {
      const times = { auto: [] as number[], igd: [] as number[] }
      for (let round = 0; round < ROUNDS; round++) {
        // Whoever goes second finds the machine as the first has left it.
        const inTurn = round % 2 === 0 ? (['auto', 'igd'] as const) : (['igd', 'auto'] as const)
        for (const via of inTurn) times[via].push(await statusMs('--via', via))
      }
      const [auto, igd] = [median(times.auto), median(times.igd)]
      console.log(`-s, median of ${ROUNDS}: auto ${auto.toFixed(1)} ms, --via igd ${igd.toFixed(1)} ms`)
      return auto - igd - Math.max(TOLERANCE_MS, igd * TOLERANCE)
    })
    expect(beyondTolerance).toBeLessThanOrEqual(0)
  })

  test('is short with auto where PCP alone answers: the median of alternating runs', async () => {
    await labUp({ upnp: false })
    await openingMs()
    const limitMs = BEYOND_NODE_MS - GRACE_MS
    const workMs = await leastOfSets(limitMs, async () => {
      const times = { auto: [] as number[], pcp: [] as number[], node: [] as number[] }
      for (let round = 0; round < ROUNDS; round++) {
        times.node.push(await nodeStartMs())
        times.auto.push(await openingMs())
        times.pcp.push(await openingMs('--via', 'pcp'))
      }
      const [auto, pcp, node] = [median(times.auto), median(times.pcp), median(times.node)]
      console.log(
        `-r until it is open, median of ${ROUNDS}: auto ${auto.toFixed(1)} ms, --via pcp ${pcp.toFixed(1)} ms, ` +
          `Node's start ${node.toFixed(1)} ms; beyond it auto ${(auto - node).toFixed(1)} ms`,
      )
      return (auto - node - GRACE_MS) * Math.min(1, REFERENCE_NODE_START_MS / node)
    })
    expect(workMs).toBeLessThanOrEqual(limitMs)
  })
})

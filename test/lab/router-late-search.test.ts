/**
 * A router that speaks UPnP, PCP and NAT-PMP, and answers a search any time within MX: the same protocol every time, and
 * "done" is done.
 */
import { describe, expect, test } from 'vitest'
import { COMPUTER, DESCRIPTION_URL, type Lab } from './lab.ts'
import { doorsOf } from './router-doors.ts'
import { answerSearchesAfter, freshState, labUp, type Ran, run } from './router-lab.ts'

const DELAYS_MS = [0, 100, 200, 300, 450, 600, 700, 800, 900, 1000]
const MEMORIES = ['kept', 'fresh'] as const
type Memory = (typeof MEMORIES)[number]

const asks = (lab: Lab, memory: Memory, ...argv: string[]): Promise<Ran> => {
  return run(lab, argv, memory === 'fresh' ? { stateHome: freshState(lab) } : {})
}

/** Does the same at every delay, and returns what came of it. */
async function atEveryDelay<T>(lab: Lab, work: () => Promise<T>): Promise<(T & { delayMs: number })[]> {
  const all: (T & { delayMs: number })[] = []
  for (const delayMs of DELAYS_MS) {
    const slow = await answerSearchesAfter(lab, delayMs)
    all.push({ delayMs, ...(await work()) })
    slow.kill('SIGKILL')
    await slow.ends()
  }
  return all
}

const atAll = <T>(each: T): (T & { delayMs: number })[] => DELAYS_MS.map((delayMs) => ({ delayMs, ...each }))

describe('a router whose answers to searches come after 0 to 1 s', { timeout: 180_000 }, () => {
  test.for(MEMORIES)(
    'is asked over UPnP by -r and -d, and both are true, with a memory that is %s',
    async (memory, { onTestFinished }) => {
      const lab = await labUp(onTestFinished)
      const came = await atEveryDelay(lab, async () => {
        const opened = await asks(lab, memory, '-r', '8000', 'TCP')
        const open = await doorsOf(lab)
        const closed = await asks(lab, memory, '-d', '8000', 'TCP')
        return { vias: [opened.via, closed.via], exits: [opened.exit, closed.exit], open, left: await doorsOf(lab) }
      })
      const open = [`TCP 8000 -> ${COMPUTER}:8000`]
      expect(came).toEqual(atAll({ vias: ['IGD', 'IGD'], exits: [0, 0], open, left: [] }))
    },
  )

  const MADE = MEMORIES.flatMap((memory) => (['igd', 'pcp', 'nat-pmp'] as const).map((via) => ({ memory, via })))
  test.for(MADE)(
    'closes what was opened over $via, with a memory that is $memory',
    async ({ memory, via }, { onTestFinished }) => {
      const lab = await labUp(onTestFinished)
      const came = await atEveryDelay(lab, async () => {
        expect((await asks(lab, memory, '--via', via, '-r', '8000', 'TCP')).exit).toBe(0)
        const { exit } = await asks(lab, memory, '-d', '8000', 'TCP')
        const left = await doorsOf(lab)
        if (left.length > 0) await run(lab, ['--via', 'igd', '-d', '8000', 'TCP'])
        return { exit, left }
      })
      expect(came).toEqual(atAll({ exit: 0, left: [] }))
    },
  )

  test('opens no port for one remote host only that it then shows open to everybody', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    const came = await atEveryDelay(lab, async () => {
      const { exit } = await asks(lab, 'fresh', '-a', '@', '8001', '8001', 'TCP', '600', '203.0.113.98')
      const { stdout } = await lab.upnpc('-u', DESCRIPTION_URL, '-l')
      return { exit, isOpen: stdout.includes(' 8001->') }
    })
    expect(came).toEqual(atAll({ exit: 2, isOpen: false }))
  })

  test.for(MEMORIES)(
    'never says that it closed what is open, if nothing was, with a memory that is %s',
    async (memory, { onTestFinished }) => {
      const lab = await labUp(onTestFinished)
      const came = await atEveryDelay(lab, async () => {
        const { exit, via } = await asks(lab, memory, '-d', '8002', 'TCP')
        return { exit, via }
      })
      expect(came).toEqual(atAll({ exit: 2, via: 'IGD' }))
    },
  )
})

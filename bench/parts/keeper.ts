/**
 * A thousand mappings that one process keeps: its memory, and its processor time when nothing happens. And what it takes
 * to open and close four times as many.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { upnpTsCommand } from '../../test/lab/lab.ts'
import { withGateways } from '../gateways.ts'
import { megabytes, processorSeconds, processUse } from '../process-use.ts'
import type { Part, Row, Surroundings } from '../row.ts'

const COUNT = 1000
const FIRST_PORT = 20_001
const MANY = 4 * COUNT
const MOST_TIMES = 5
const MOST_BYTES = 80e6
const MOST_OF_A_CORE = 0.01
/**
 * The keeper looks at the router 10, 30, 70 and 150 s after the last change, and every two minutes from then on. A look
 * asks for every mapping, and costs more than all the rest. The two minutes that are measured have one look in them, as
 * all later ones have.
 */
const SETTLING_MS = 90_000
const IDLE_MS = 120_000

export const keeper: Part = {
  name: 'keeper',
  needsLab: false,
  measure: (surroundings) =>
    withGateways({}, async (url) => [...(await rowsFor(url, surroundings)), await rowOfWork(url, surroundings)]),
}

function keeping(url: string, count: number, directory: string) {
  const words = Array.from({ length: count }, (_, at) => [`${FIRST_PORT + at}`, 'TCP']).flat()
  const [program = '', ...argv] = upnpTsCommand('-u', url, '--keep', '-r', ...words)
  const child = spawn(program, argv, {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env.PATH, XDG_STATE_HOME: directory },
  })
  return { child, ended: once(child, 'close') }
}

/** The processor time for opening and closing so many ports. */
async function workSeconds(url: string, count: number, directory: string): Promise<number> {
  const { child, ended } = keeping(url, count, directory)
  let seconds = 0
  try {
    await areOpen(child.stdout, count)
    child.stdout.on('data', () => {
      seconds = processorSeconds(child.pid ?? 0)
    })
  } finally {
    child.kill('SIGINT')
    await ended
  }
  return seconds
}

async function rowOfWork(url: string, { directory }: Surroundings): Promise<Row> {
  const few = await workSeconds(url, COUNT, directory)
  const many = await workSeconds(url, MANY, directory)
  return {
    what: `\`--keep -r\` with ${MANY} ports: processor for opening and closing, against ${COUNT}`,
    upnpTs: `${many.toFixed(1)} s, against ${few.toFixed(1)} s`,
    other: '',
    ratio: `${(many / few).toFixed(1)} times`,
    target: `under ${MOST_TIMES} times`,
    isMet: many < MOST_TIMES * few,
  }
}

async function rowsFor(url: string, { directory }: Surroundings): Promise<Row[]> {
  const { child, ended } = keeping(url, COUNT, directory)
  try {
    const openMs = await areOpen(child.stdout, COUNT)
    await sleep(SETTLING_MS)
    const pid = child.pid ?? 0
    const before = processorSeconds(pid)
    const startMs = performance.now()
    await sleep(IDLE_MS)
    const share = (processorSeconds(pid) - before) / ((performance.now() - startMs) / 1000)
    return rowsOf(openMs, processUse(pid), share)
  } finally {
    child.kill('SIGINT')
    await ended
  }
}

/** Waits until so many ports are open. Resolves with the time that it took, in milliseconds. */
async function areOpen(stdout: NodeJS.ReadableStream, count: number): Promise<number> {
  const startMs = performance.now()
  let open = 0
  const lines = createInterface({ input: stdout })
  for await (const line of lines) {
    if (/ is redirected to internal /.test(line)) open++
    if (open === count) break
  }
  if (open < count) throw new Error(`${open} of ${count} ports were opened`)
  stdout.resume() // further output must not fill the pipe
  return performance.now() - startMs
}

function rowsOf(openMs: number, use: ReturnType<typeof processUse>, share: number): Row[] {
  const what = `\`--keep -r\` with ${COUNT} ports`
  return [
    {
      what: `${what}: memory`,
      upnpTs: `${megabytes(use.residentBytes)} resident, ${megabytes(use.mostResidentBytes)} at most`,
      other: '',
      ratio: '',
      target: `under ${megabytes(MOST_BYTES)}`,
      isMet: use.residentBytes < MOST_BYTES,
    },
    {
      what: `${what}: processor, when idle`,
      upnpTs: `${(share * 100).toFixed(2)} % of a core (all open after ${(openMs / 1000).toFixed(1)} s)`,
      other: '',
      ratio: '',
      target: `under ${MOST_OF_A_CORE * 100} %`,
      isMet: share < MOST_OF_A_CORE,
    },
  ]
}

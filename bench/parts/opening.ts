/** One port, from the start of the program to its end, compared with upnpc and the port mappers on npm. */

import { COMPUTER, COMPUTER_SECOND, type Lab } from '../../test/lab/lab.ts'
import { installPortMappers, type PortMapper } from '../port-mappers.ts'
import { wallMs } from '../programs.ts'
import { alternate } from '../rounds.ts'
import { NO_TARGET, type Part, type Row, type Surroundings } from '../row.ts'
import { median, msText, ratioText } from '../spread.ts'

const PORT = 22
const IS_OPEN = /external 11\.22\.33\.44:22 TCP is redirected to internal/
/** Some programs use the second address of the computer. */
const LISTED = new RegExp(`TCP +${PORT}->(${COMPUTER}|${COMPUTER_SECOND}):${PORT} `)
const MOST_OF_A_MESSAGE = 80
/** There are many programs, and some are slow. */
const TIMES_THE_ROUNDS = 1 / 3

export const opening: Part = {
  name: 'opening',
  needsLab: true,
  async measure(surroundings) {
    const portMappers = await installPortMappers(surroundings)
    return [...(await rowsFor(2, portMappers, surroundings)), ...(await rowsFor(1, portMappers, surroundings))]
  },
}

function rowsFor(igd: 1 | 2, portMappers: readonly PortMapper[], { rounds, withLab }: Surroundings): Promise<Row[]> {
  return withLab({ igd }, async (lab) => {
    const failures: Record<string, string> = {}
    const runs: Record<string, () => Promise<number>> = {
      upnpTs: async () => wallMs(await lab.upnpTs('-r', `${PORT}`, 'TCP'), IS_OPEN),
      upnpc: async () => wallMs(await lab.upnpc('-r', `${PORT}`, 'TCP'), IS_OPEN),
    }
    for (const portMapper of portMappers) {
      const failure = await failureOf(lab, portMapper)
      if (failure !== undefined) failures[portMapper.title] = failure
      else runs[portMapper.title] = async () => wallMs(await portMapper.open(lab, PORT), /^/)
    }
    const all = await alternate(Math.ceil(rounds * TIMES_THE_ROUNDS), closing(lab, runs))
    return rowsOf(`\`-r ${PORT} TCP\`, with the search, IGD:${igd}`, all, failures)
  })
}

/** Undefined if the port is open afterwards, whatever the program says. */
async function failureOf(lab: Lab, portMapper: PortMapper): Promise<string | undefined> {
  const { exit, stderr } = await portMapper.open(lab, PORT)
  const { stdout } = await lab.upnpTs('-l')
  await close(lab)
  if (exit !== 0) return stderr.trim().slice(0, MOST_OF_A_MESSAGE)
  return LISTED.test(stdout) ? undefined : 'it says that the port is open, but it is not'
}

async function close(lab: Lab): Promise<void> {
  await lab.upnpTs('-d', `${PORT}`, 'TCP')
}

/** Closes the port after every run, so that no program finds it open already. */
function closing(lab: Lab, runs: Readonly<Record<string, () => Promise<number>>>) {
  const closed = Object.entries(runs).map(([name, run]) => {
    const both = async (): Promise<number> => {
      const ms = await run()
      await close(lab)
      return ms
    }
    return [name, both] as const
  })
  return Object.fromEntries(closed)
}

type ByName<T> = Readonly<Record<string, T>>

/** One row for each of the other programs, the fastest one first. */
function rowsOf(what: string, { upnpTs = [], ...others }: ByName<readonly number[]>, failures: ByName<string>): Row[] {
  const common = { what, upnpTs: msText(upnpTs), ...NO_TARGET }
  const fastestFirst = Object.entries(others).sort(([, a], [, b]) => median(a) - median(b))
  return [
    ...fastestFirst.map(([name, values]) => ({
      ...common,
      other: `${name}: ${msText(values)}`,
      ratio: `${ratioText(values, upnpTs)} times as fast`,
    })),
    ...Object.entries(failures).map(([name, why]) => ({ ...common, other: `${name}: fails (${why})`, ratio: '' })),
  ]
}

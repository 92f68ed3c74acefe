/** What asking in three protocols costs at an IGD (nothing), and how soon a port is open if PCP alone answers. */

import { type Lab, upnpTsCommand } from '../../test/lab/lab.ts'
import { saidMs, wallMs } from '../programs.ts'
import { alternate } from '../rounds.ts'
import type { Part, Row, Surroundings } from '../row.ts'
import { median, msText, ratioText } from '../spread.ts'

/** Two medians of the same thing differ by this much. */
const TIMES_VIA_IGD = 1.05
const BEYOND_NODE_MS = 200
const IS_FOUND = /Found valid IGD : /
const IS_OPEN = / is redirected to internal /

export const portControl: Part = {
  name: 'port-control',
  needsLab: true,
  measure: async (surroundings) => [await atAnIgd(surroundings), await atPcpAlone(surroundings)],
}

function atAnIgd({ rounds, withLab }: Surroundings): Promise<Row> {
  return withLab({}, async (lab) => {
    const statusMs = async (via: string): Promise<number> => wallMs(await lab.upnpTs('--via', via, '-s'), IS_FOUND)
    const times = await alternate(rounds, { auto: () => statusMs('auto'), igd: () => statusMs('igd') })
    return {
      what: '`-s` at an IGD that speaks PCP too',
      upnpTs: msText(times.auto),
      other: `\`--via igd\`: ${msText(times.igd)}`,
      ratio: ratioText(times.auto, times.igd),
      target: `at most ${TIMES_VIA_IGD.toFixed(2)}`,
      isMet: median(times.auto) / median(times.igd) <= TIMES_VIA_IGD,
    }
  })
}

function atPcpAlone({ rounds, withLab }: Surroundings): Promise<Row> {
  return withLab({ upnp: false }, async (lab) => {
    const times = await alternate(rounds, {
      auto: () => openingMs(lab, 'auto'),
      pcp: () => openingMs(lab, 'pcp'),
      node: async () => wallMs(await lab.on('computer', [process.execPath, '-e', '0']), /^$/),
    })
    const beyondMs = median(times.auto) - median(times.node)
    return {
      what: '`-r 22 TCP` until it is open, if PCP alone answers',
      upnpTs: msText(times.auto),
      other: `\`--via pcp\`: ${msText(times.pcp)}; Node's start ${msText(times.node)}`,
      ratio: `${beyondMs.toFixed(0)} ms beyond Node`,
      target: `at most ${BEYOND_NODE_MS} ms beyond Node`,
      isMet: beyondMs <= BEYOND_NODE_MS,
    }
  })
}

/** The time from the start of the program to the line that says that the port is open. Closes the port again. */
async function openingMs(lab: Lab, via: string): Promise<number> {
  const ms = await saidMs(lab.spawn('computer', upnpTsCommand('--via', via, '-r', '22', 'TCP')), IS_OPEN)
  wallMs(await lab.upnpTs('--via', 'pcp', '-d', '22', 'TCP'), /Found valid PCP gateway : /)
  return ms
}

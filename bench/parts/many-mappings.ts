/** A hundred mappings in one run on the lab's router, with its URL and with a search for it. */

import { DESCRIPTION_URL, type Lab } from '../../test/lab/lab.ts'
import { wallMs } from '../programs.ts'
import { alternate } from '../rounds.ts'
import type { Part, Row } from '../row.ts'
import { median, msText, ratioText } from '../spread.ts'

const COUNT = 100
const FIRST_PORT = 20_001
const LAST_PORT = FIRST_PORT + COUNT - 1
const WORDS = Array.from({ length: COUNT }, (_, at) => [`${FIRST_PORT + at}`, 'TCP']).flat()
const LAST_IS_OPEN = new RegExp(`external 11\\.22\\.33\\.44:${LAST_PORT} TCP is redirected to internal`)

export const manyMappings: Part = {
  name: 'many-mappings',
  needsLab: true,
  measure: ({ rounds, withLab }) =>
    withLab({}, async (lab) => [
      await rowFor(lab, rounds, 'at the router’s URL', ['-u', DESCRIPTION_URL]),
      await rowFor(lab, rounds, 'with the search', []),
    ]),
}

async function rowFor(lab: Lab, rounds: number, how: string, options: readonly string[]): Promise<Row> {
  const run = async (tool: 'upnpTs' | 'upnpc'): Promise<number> => {
    const ms = wallMs(await lab[tool](...options, '-r', ...WORDS), LAST_IS_OPEN)
    const closing = await lab.upnpTs('-u', DESCRIPTION_URL, '-N', `${FIRST_PORT}`, `${LAST_PORT}`, 'TCP')
    if (closing.exit !== 0) throw new Error(`the ports could not be closed again: ${closing.stderr}`)
    return ms
  }
  const times = await alternate(rounds, { upnpTs: () => run('upnpTs'), upnpc: () => run('upnpc') })
  return {
    what: `\`-r\` with ${COUNT} ports, ${how}`,
    upnpTs: msText(times.upnpTs),
    other: `upnpc: ${msText(times.upnpc)}`,
    ratio: `${ratioText(times.upnpc, times.upnpTs)} times as fast`,
    target: 'no slower',
    isMet: median(times.upnpTs) <= median(times.upnpc),
  }
}

/** A listing of 300 entries, from a gateway that takes 5 ms for every reply and from one that replies at once. */
import { withGateways } from '../gateways.ts'
import { nodeMs, upnpcMs, upnpTsMs } from '../programs.ts'
import { alternate } from '../rounds.ts'
import type { Part, Row, Surroundings } from '../row.ts'
import { median, msText, ratioText } from '../spread.ts'

const ENTRIES = 300
const LAST = new RegExp(`^ *${ENTRIES - 1} +TCP +${ENTRIES}->127\\.0\\.0\\.1:${ENTRIES} `, 'm')
const TIMES_AS_FAST = 4
const TIMES_UPNPC = 1.5

export const listing: Part = {
  name: 'listing',
  needsLab: false,
  measure: async (surroundings) => [await rowFor(5, surroundings), await rowFor(0, surroundings)],
}

function rowFor(replyDelayMs: number, { rounds }: Surroundings): Promise<Row> {
  return withGateways({ mappings: ENTRIES, replyDelayMs }, async (url) => {
    const times = await alternate(rounds, {
      upnpTs: () => upnpTsMs(LAST, '-u', url, '-l'),
      upnpc: () => upnpcMs(LAST, '-u', url, '-l'),
      node: nodeMs,
    })
    const [upnpTs, upnpc, node] = [median(times.upnpTs), median(times.upnpc), median(times.node)]
    const row = {
      what: `\`-u URL -l\`, ${ENTRIES} entries, ${replyDelayMs} ms per reply`,
      upnpTs: msText(times.upnpTs),
      other: `upnpc: ${msText(times.upnpc)}`,
      ratio: `${ratioText(times.upnpc, times.upnpTs)} times as fast`,
    }
    if (replyDelayMs > 0) {
      return { ...row, target: `${TIMES_AS_FAST} times as fast`, isMet: upnpc / upnpTs >= TIMES_AS_FAST }
    }
    const limitMs = TIMES_UPNPC * upnpc + node
    const target = `${TIMES_UPNPC} times upnpc and Node's start: ${limitMs.toFixed(0)} ms`
    return { ...row, target, isMet: upnpTs <= limitMs }
  })
}

/** The emulated gateway: many in one process, and a long listing whose entries cost no more than a short one's. */
import { withGateways } from '../gateways.ts'
import { megabytes } from '../process-use.ts'
import { nodeMs, upnpTsMs } from '../programs.ts'
import { alternate } from '../rounds.ts'
import { NO_TARGET, type Part, type Row } from '../row.ts'
import { median, msText } from '../spread.ts'

const GATEWAYS = 200
const [FEW, MANY] = [1000, 10_000]
/** If the cost of an entry grew with the listing, it would be ten times as high. */
const MOST_TIMES = 1.5
const MOST_ROUNDS = 5

export const emulator: Part = {
  name: 'emulator',
  needsLab: false,
  measure: async ({ rounds }) => [await gatewaysRow(), await listingRow(Math.min(rounds, MOST_ROUNDS))],
}

function gatewaysRow(): Promise<Row> {
  return withGateways({ count: GATEWAYS }, async (_, { startMs, rssBytes, rssBytesBefore, urls }) => {
    for (const url of [urls[0], urls[GATEWAYS - 1]]) await upnpTsMs(/Found valid IGD/, '-u', url ?? '', '-s')
    const each = (rssBytes - rssBytesBefore) / GATEWAYS
    return {
      what: `${GATEWAYS} emulated gateways in a process`,
      upnpTs: `all up in ${startMs.toFixed(0)} ms; ${megabytes(rssBytes)}, ${(each / 1e3).toFixed(0)} kB each`,
      other: '',
      ratio: '',
      ...NO_TARGET,
    }
  })
}

function listingRow(rounds: number): Promise<Row> {
  return withGateways({ mappings: FEW }, (few) =>
    withGateways({ mappings: MANY, maxMappings: MANY }, async (many) => {
      const list = (url: string, entries: number) =>
        upnpTsMs(new RegExp(`^ *${entries - 1} +TCP +${entries}->`, 'm'), '-u', url, '-l')
      const times = await alternate(rounds, { few: () => list(few, FEW), many: () => list(many, MANY), node: nodeMs })
      const start = median(times.node)
      const [eachOfFew, eachOfMany] = [(median(times.few) - start) / FEW, (median(times.many) - start) / MANY]
      return {
        what: `\`-u URL -l\`, ${MANY} entries of an emulated gateway`,
        upnpTs: `${msText(times.many)}, ${eachOfMany.toFixed(2)} ms per entry`,
        other: `${FEW} entries: ${msText(times.few)}, ${eachOfFew.toFixed(2)} ms per entry`,
        ratio: (eachOfMany / eachOfFew).toFixed(2),
        target: `at most ${MOST_TIMES}: not quadratic`,
        isMet: eachOfMany / eachOfFew <= MOST_TIMES,
      }
    }),
  )
}

/** What a short command costs beyond Node's own start: ratios of medians, all in one run. */

import { withGateways } from '../gateways.ts'
import { nodeMs, upnpTsMs } from '../programs.ts'
import { alternate } from '../rounds.ts'
import type { Part, Row } from '../row.ts'
import { median, msText, ratioText } from '../spread.ts'

const TARGETS = { version: 1.08, help: 1.15, status: 1.5 } as const
const WHAT = { version: '`--version`', help: '`--help`', status: '`-u URL -s`' } as const
/** The differences are small, and a round takes a quarter of a second. */
const TIMES_THE_ROUNDS = 3

export const startUp: Part = {
  name: 'start-up',
  needsLab: false,
  measure: ({ rounds }) =>
    withGateways({}, async (url) => {
      const times = await alternate(rounds * TIMES_THE_ROUNDS, {
        node: nodeMs,
        version: () => upnpTsMs(/^\d+\.\d+\.\d+/, '--version'),
        help: () => upnpTsMs(/--version/, '--help'),
        status: () => upnpTsMs(/ExternalIPAddress = 11\.22\.33\.44/, '-u', url, '-s'),
      })
      return (['version', 'help', 'status'] as const).map(
        (name): Row => ({
          what: WHAT[name],
          upnpTs: msText(times[name]),
          other: `\`node -e 0\`: ${msText(times.node)}`,
          ratio: ratioText(times[name], times.node),
          target: `at most ${TARGETS[name].toFixed(2)}`,
          isMet: median(times[name]) / median(times.node) <= TARGETS[name],
        }),
      )
    }),
}

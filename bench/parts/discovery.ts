/** `-s` and `-l` with the search, on the lab's router, and how soon that router is found. */

import { COMPUTER, type Lab, upnpTsCommand } from '../../test/lab/lab.ts'
import { saidMs, wallMs } from '../programs.ts'
import { alternate } from '../rounds.ts'
import { NO_TARGET, type Part, type Row } from '../row.ts'
import { median, msText, ratioText } from '../spread.ts'

const BEYOND_MS = 30
const DONE = /ExternalIPAddress = 11\.22\.33\.44/

/** Measures how long the router takes to answer a search: it waits on purpose. */
const SEARCH = `
  const message = 'M-SEARCH * HTTP/1.1\\r\\nHOST: 239.255.255.250:1900\\r\\nMAN: "ssdp:discover"\\r\\nMX: 2\\r\\n' +
    'ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\\r\\n\\r\\n'
  const socket = require('node:dgram').createSocket('udp4')
  socket.bind(0, '${COMPUTER}', () => {
    socket.setMulticastInterface('${COMPUTER}')
    const startMs = performance.now()
    socket.on('message', () => {
      console.log(performance.now() - startMs)
      socket.close()
    })
    socket.send(message, 1900, '239.255.255.250')
  })
`

async function routerDelayMs(lab: Lab): Promise<number> {
  return Number((await lab.on('computer', [process.execPath, '-e', SEARCH])).stdout)
}

/** The time from the start of the program to the line that names the router. */
async function foundMs(lab: Lab): Promise<number> {
  return saidMs(lab.spawn('computer', upnpTsCommand('-s')), /Found valid IGD : /)
}

export const discovery: Part = {
  name: 'discovery',
  needsLab: true,
  measure: ({ rounds, withLab }) =>
    withLab({}, async (lab) => {
      const found = await alternate(rounds * 2, {
        found: () => foundMs(lab),
        node: async () => wallMs(await lab.on('computer', [process.execPath, '-e', '0']), /^$/),
        router: () => routerDelayMs(lab),
      })
      return [foundRow(found), await commandRow(lab, '-s', rounds), await commandRow(lab, '-l', rounds)]
    }),
}

function foundRow(times: Record<'found' | 'node' | 'router', readonly number[]>): Row {
  const beyondMs = median(times.found) - median(times.node) - median(times.router)
  return {
    what: 'from the start to `Found valid IGD`',
    upnpTs: msText(times.found),
    other: `Node's start ${msText(times.node)}, the router's answer ${msText(times.router)}`,
    ratio: `${beyondMs.toFixed(0)} ms beyond both`,
    target: `at most ${BEYOND_MS} ms beyond both`,
    isMet: beyondMs <= BEYOND_MS,
  }
}

async function commandRow(lab: Lab, command: string, rounds: number): Promise<Row> {
  const times = await alternate(rounds, {
    upnpTs: async () => wallMs(await lab.upnpTs(command), DONE),
    upnpc: async () => wallMs(await lab.upnpc(command), DONE),
  })
  return {
    what: `\`${command}\`, with the search`,
    upnpTs: msText(times.upnpTs),
    other: `upnpc: ${msText(times.upnpc)}`,
    ratio: `${ratioText(times.upnpc, times.upnpTs)} times as fast`,
    ...NO_TARGET,
  }
}

/**
 * Runs emulated gateways in a process of their own, until standard input ends:
 *
 *   node gateways.js COUNT MAPPINGS OPTIONS
 *
 * Each gateway has MAPPINGS mappings. OPTIONS are those of startEmulator(), as JSON. The first line of output is JSON:
 * the gateways' `urls`, the time `startMs` in which all of them started, and the memory of the process with them
 * (`rssBytes`) and before them (`rssBytesBefore`).
 */
import { startEmulator } from '../dist/emulator.js'

const [count, mappings, options] = process.argv.slice(2).map((text) => JSON.parse(text))
const rssBytesBefore = process.memoryUsage.rss()
const startMs = performance.now()
const gateways = await Promise.all(Array.from({ length: count }, () => startEmulator(options)))
const tookMs = performance.now() - startMs
const rssBytes = process.memoryUsage.rss()

async function add(gateway, port) {
  const serviceType = 'urn:schemas-upnp-org:service:WANIPConnection:2'
  const values = {
    NewRemoteHost: '',
    NewExternalPort: port,
    NewProtocol: 'TCP',
    NewInternalPort: port,
    NewInternalClient: '127.0.0.1',
    NewEnabled: 1,
    NewPortMappingDescription: `program ${port}`,
    NewLeaseDuration: 604800,
  }
  const args = Object.entries(values).map(([name, value]) => `<${name}>${value}</${name}>`)
  const action = `<u:AddPortMapping xmlns:u="${serviceType}">${args.join('')}</u:AddPortMapping>`
  const envelope = 'http://schemas.xmlsoap.org/soap/envelope/'
  const reply = await fetch(new URL('/control/WANIPConnection', gateway.descriptionUrl), {
    method: 'POST',
    headers: { SOAPAction: `"${serviceType}#AddPortMapping"` },
    body: `<?xml version="1.0"?><s:Envelope xmlns:s="${envelope}"><s:Body>${action}</s:Body></s:Envelope>`,
  })
  if (!reply.ok) throw new Error(`AddPortMapping was answered ${reply.status}: ${await reply.text()}`)
  await reply.arrayBuffer()
}

const SIDE_BY_SIDE = 32
for (const gateway of gateways) {
  for (let port = 1; port <= mappings; port += SIDE_BY_SIDE) {
    const last = Math.min(port + SIDE_BY_SIDE - 1, mappings)
    await Promise.all(Array.from({ length: last - port + 1 }, (_, at) => add(gateway, port + at)))
  }
}

const urls = gateways.map(({ descriptionUrl }) => descriptionUrl)
process.stdout.write(`${JSON.stringify({ urls, startMs: tookMs, rssBytes, rssBytesBefore })}\n`)
process.stdin.resume().on('end', () => process.exit())

// Several ports at once: one search, one gateway, one keeper. Each opens or fails on its own.
import { openPorts } from 'upnp-ts'

const results = await openPorts([80, 443, { port: 5000, protocol: 'UDP' }])
for (const result of results) {
  if (result.status === 'rejected') console.log(`not open: ${result.reason.message}`)
  else console.log(`open: ${result.value.externalAddress}:${result.value.externalPort}`)
}
const ports = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))

process.once('SIGINT', () => Promise.all(ports.map((port) => port.close())))

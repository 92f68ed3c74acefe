// One port in both protocols: both on the same external port, or none.
import { openPort } from 'upnp-ts'

const port = await openPort(27015, { protocol: 'TCP+UDP', description: 'game server' })
for (const { protocol, externalAddress, externalPort } of port.endpoints)
  console.log(`${protocol} ${externalAddress}:${externalPort}`)

process.once('SIGINT', () => port.close())

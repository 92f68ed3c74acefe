// Opens what the router has to offer: the IPv4 mapping, the IPv6 pinhole, or both.
import { openPort } from 'upnp-ts'

const port = await openPort(8443, { family: 'both', description: 'https' })
for (const { family, externalAddress, externalPort } of port.endpoints)
  console.log(`IPv${family}: ${externalAddress} port ${externalPort}`)
for (const error of port.failures) console.log(`not open: ${error.message}`)

process.once('SIGINT', () => port.close())

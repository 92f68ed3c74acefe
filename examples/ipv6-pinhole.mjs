// Lets the internet in over IPv6: a pinhole in the router's firewall. Nothing is translated.
import { openPort } from 'upnp-ts'

const port = await openPort(8443, { family: 6, description: 'https' })
console.log(`https://[${port.externalAddress}]:${port.externalPort}/`)

process.once('SIGINT', () => port.close())

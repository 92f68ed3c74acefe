// Opens a port for a game server, and closes it when the program is asked to end.
import { openPort } from 'upnp-ts'

const port = await openPort(25565, { description: 'game server' })
console.log(`Friends connect to ${port.externalAddress}:${port.externalPort}`)

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => port.close())

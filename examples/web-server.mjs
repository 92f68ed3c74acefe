// A web server whose port is open while it runs. The router may give another port than the one that was asked for.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { openPort } from 'upnp-ts'

const server = createServer((_request, response) => response.end('hello\n')).listen(process.env.PORT ?? 8080)
await once(server, 'listening')
const address = server.address()
if (address === null || typeof address === 'string') throw new Error('the server has no port')
const port = await openPort(address.port, { externalPort: 'any', description: 'web server' })
console.log(`http://${port.externalAddress}:${port.externalPort}/`)

process.once('SIGINT', async () => {
  await port.close()
  server.close()
})

// Keeps a port open, and tells what becomes of it.
import { openPort } from 'upnp-ts'

const port = await openPort(8080, { description: 'kept open' })
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => port.close())

for await (const change of port.changes()) {
  const where = change.endpoints.map((each) => `${each.externalAddress}:${each.externalPort}`).join(' ')
  if (change.type === 'failed') console.log(`not open: ${change.error.message}; next try in ${change.retryInMs} ms`)
  else console.log(`${change.type} ${where}`.trim())
}
console.log('the end')

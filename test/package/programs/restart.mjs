/** The router restarts while a port is kept open, in each protocol. */
import assert from 'node:assert'
import { openPort } from 'upnp-ts'
import { startEmulator } from 'upnp-ts/emulator'

const OPEN_AGAIN_MS = 8000
const restored = []
for (const via of ['igd', 'pcp', 'nat-pmp']) {
  const router = await startEmulator({ uptimeSeconds: 100 })
  const port = await openPort(25565, { net: router.net, via, lease: 3600 })
  const changes = port.changes()
  const startMs = performance.now()
  router.forget()
  for await (const { type } of changes) if (type === 'restored') break
  assert(performance.now() - startMs < OPEN_AGAIN_MS)
  restored.push(...router.mappings().map(({ externalPort }) => `${via} ${externalPort}`))
  await port.close()
  await router.close()
}
console.log(JSON.stringify(restored))

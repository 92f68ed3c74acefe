// What can happen to a router, with node:test: it restarts, its address changes, the port is taken.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPort } from 'upnp-ts'
import { startEmulator } from 'upnp-ts/emulator'

test('after a restart the port is open again', async (t) => {
  const router = await startEmulator()
  t.after(() => router.close())
  const port = await openPort(25565, { net: router.net })
  const changes = port.changes()
  router.forget()
  for await (const { type } of changes) if (type === 'restored') break
  assert.equal(router.mappings().length, 1)
  await port.close()
})

test('another external address is told', async (t) => {
  const router = await startEmulator()
  t.after(() => router.close())
  const port = await openPort(25565, { net: router.net })
  const changes = port.changes()
  router.setExternalAddress('11.22.33.55')
  for await (const { type } of changes) if (type === 'moved') break
  assert.equal(port.externalAddress, '11.22.33.55')
  await port.close()
})

test('a port that another computer has is refused, or another one is given', async (t) => {
  const router = await startEmulator()
  t.after(() => router.close())
  router.addMapping({ externalPort: 25565, internalClient: '192.168.1.99' })
  await assert.rejects(openPort(25565, { net: router.net }), { code: 'REFUSED', isPortTaken: true })
  const port = await openPort(25565, { net: router.net, externalPort: 'any' })
  assert.notEqual(port.externalPort, 25565)
  await port.close()
})

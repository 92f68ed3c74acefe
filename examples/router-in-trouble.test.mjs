// What can happen to a router, with node:test: it restarts, its address changes, the port is taken.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { openPort } from 'upnp-ts'
import { startEmulator } from 'upnp-ts/emulator'

let router
beforeEach(async () => {
  router = await startEmulator()
})
afterEach(() => router.close())

/** The first change of that type. */
async function change(port, type) {
  for await (const each of port.changes()) if (each.type === type) return each
}

test('after a restart the port is open again', async () => {
  const port = await openPort(25565, { net: router.net })
  const restored = change(port, 'restored')
  router.forget()
  await restored
  assert.equal(router.mappings().length, 1)
  await port.close()
})

test('another external address is told', async () => {
  const port = await openPort(25565, { net: router.net })
  const moved = change(port, 'moved')
  router.setExternalAddress('11.22.33.55')
  assert.equal((await moved).endpoints[0].externalAddress, '11.22.33.55')
  await port.close()
})

test('a port that another computer has is refused, or another one is given', async () => {
  router.addMapping({ externalPort: 25565, internalClient: '192.168.1.99' })
  await assert.rejects(openPort(25565, { net: router.net }), { code: 'NOT_CONFIRMED' })
  const port = await openPort(25565, { net: router.net, externalPort: 'any' })
  assert.notEqual(port.externalPort, 25565)
  await port.close()
})

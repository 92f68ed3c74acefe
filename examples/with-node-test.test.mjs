// Tests with node:test: `node --test`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPort } from 'upnp-ts'
import { startEmulator } from 'upnp-ts/emulator'

test('the port is open at the router, and closed at the end', async () => {
  const router = await startEmulator()
  const port = await openPort(25565, { net: router.net })
  assert.deepEqual([port.externalAddress, router.mappings().length], ['11.22.33.44', 1])
  await port.close()
  assert.equal(router.mappings().length, 0)
  await router.close()
})

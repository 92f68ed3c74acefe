// Tests with Vitest: the router restarts, its address changes, and the port is taken.
import { openPort } from 'upnp-ts'
import { startEmulator } from 'upnp-ts/emulator'
import { expect, it, onTestFinished, vi } from 'vitest'

it('is open again after the router has restarted', async () => {
  const router = await startEmulator()
  onTestFinished(() => router.close())
  const port = await openPort(25565, { net: router.net })
  router.forget()
  expect(router.mappings()).toEqual([])
  await vi.waitUntil(() => router.mappings().length === 1, { timeout: 8000 })
  await port.close()
}, 10_000)

it('tells of another external address', async () => {
  const router = await startEmulator()
  onTestFinished(() => router.close())
  const port = await openPort(25565, { net: router.net })
  const changed = new Promise((resolve) => port.onChange(resolve))
  router.setExternalAddress('11.22.33.55')
  await changed
  expect(port.externalAddress).toBe('11.22.33.55')
  await port.close()
}, 10_000)

it('is refused, or gets another port, if another computer has it', async () => {
  const router = await startEmulator()
  onTestFinished(() => router.close())
  router.addMapping({ externalPort: 25565, internalClient: '192.168.1.99' })
  await expect(openPort(25565, { net: router.net })).rejects.toMatchObject({ code: 'REFUSED', isPortTaken: true })
  const port = await openPort(25565, { net: router.net, externalPort: 'any' })
  expect(port.externalPort).not.toBe(25565)
  await port.close()
})

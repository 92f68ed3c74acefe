/** What a program does with the package: it opens a port in each protocol on the emulated gateway, and closes it. */
import assert from 'node:assert'

/**
 * @param {Pick<typeof import('../../../src/index.ts'), 'findGateway' | 'openPort'>} library
 * @param {Pick<typeof import('../../../src/emulator.ts'), 'startEmulator'>} emulation
 * @returns {Promise<string[]>} the protocols
 */
export async function openAndClose({ findGateway, openPort }, { startEmulator }) {
  const emulator = await startEmulator()
  const { descriptionUrl: url, portControl } = emulator
  const router = `${portControl?.address}:${portControl?.port}`
  const externalPorts = () => emulator.mappings().map((row) => row.externalPort)
  await assert.rejects(findGateway({ url: 'ftp://192.168.1.1/' }), { name: 'InvalidArgumentError' })
  const protocols = []
  for (const where of [{ url }, { via: 'pcp', router }, { via: 'nat-pmp', router }]) {
    const port = await openPort(25565, where)
    const [{ via, internalClient }] = port.endpoints
    assert.deepEqual([port.externalPort, internalClient, externalPorts()], [25565, '127.0.0.1', [25565]])
    const { left } = await port.close()
    assert.deepEqual([left, externalPorts()], [[], []])
    protocols.push(via)
  }
  await emulator.close()
  return protocols
}

/** What a program does with the package: it opens a port in each protocol on the emulated gateway, and closes it. */
import assert from 'node:assert'

/**
 * @param {Pick<typeof import('../../../src/index.ts'), 'findGateway'>} library
 * @param {Pick<typeof import('../../../src/emulator.ts'), 'startEmulator'>} emulation
 * @returns {Promise<string[]>} the protocols
 */
export async function openAndClose({ findGateway }, { startEmulator }) {
  const emulator = await startEmulator()
  const { descriptionUrl: url, portControl } = emulator
  await assert.rejects(findGateway({ url: 'ftp://192.168.1.1/' }), { name: 'InvalidArgumentError' })
  const protocols = []
  for (const where of [{ url }, { via: 'pcp', portControl }, { via: 'nat-pmp', portControl }]) {
    const gateway = await findGateway(where)
    const { externalPort, internalClient } = await gateway.map({
      externalPort: 25565,
      internalPort: 25565,
      internalClient: gateway.localAddress,
      protocol: 'TCP',
      remoteHost: '',
      description: 'a game',
      lease: { seconds: 3600 },
    })
    assert.equal(internalClient, '127.0.0.1')
    assert.deepEqual(
      emulator.mappings().map((row) => row.externalPort),
      [25565],
    )
    await gateway.unmap({ externalPort, protocol: 'TCP', remoteHost: '' })
    assert.deepEqual(emulator.mappings(), [])
    protocols.push(gateway.protocol)
  }
  await emulator.close()
  return protocols
}

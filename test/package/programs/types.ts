/** The types of the package, used as a program in TypeScript does. */
import { findGateway, type Gateway, InvalidArgumentError, type OpenPort, openPort, PortMappingError } from 'upnp-ts'
import { type Emulator, startEmulator } from 'upnp-ts/emulator'
import { decodeSsdp, type SsdpMessage } from 'upnp-ts/wire'

export async function open(): Promise<string | undefined> {
  const emulator: Emulator = await startEmulator({ quirks: [{ name: 'igd1' }] })
  const gateway: Gateway = await findGateway({ url: emulator.descriptionUrl, signal: AbortSignal.timeout(1000) })
  await gateway.map({ internalPort: 22 })
  await using port: OpenPort = await openPort(25565, { protocol: 'TCP+UDP', lease: 3600 })
  for await (const change of port.changes()) {
    if (change.type !== 'failed') continue
    if (change.error.code === 'REFUSED') console.log(change.error.number.toFixed(), change.error.isPortTaken)
  }
  for (const error of port.failures) if (error.code === 'NO_GATEWAY') console.log(error.searched?.searchedMs)
  return port.externalAddress
}

export const codeOf = (error: unknown): string | undefined =>
  error instanceof PortMappingError && !(error instanceof InvalidArgumentError) ? error.code : undefined

export const message: SsdpMessage = decodeSsdp(new Uint8Array())

// @ts-expect-error a port is a number: so these are types, not any
export const wrong: Parameters<typeof startEmulator>[0] = { httpPort: '80' }

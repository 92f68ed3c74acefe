/** The types of the package, used as a program in TypeScript does. */
import { findGateway, type Gateway, InvalidArgumentError, type PortMapping, PortMappingError } from 'upnp-ts'
import { type Emulator, startEmulator } from 'upnp-ts/emulator'
import { decodeSsdp, type SsdpMessage } from 'upnp-ts/wire'

export async function open(): Promise<PortMapping> {
  const emulator: Emulator = await startEmulator({ quirks: [{ name: 'igd1' }] })
  const gateway: Gateway = await findGateway({ url: emulator.descriptionUrl, signal: AbortSignal.timeout(1000) })
  return gateway.map({
    externalPort: 22,
    protocol: 'TCP',
    remoteHost: '',
    internalClient: gateway.localAddress,
    internalPort: 22,
    description: 'ssh',
    lease: { seconds: 3600 },
  })
}

export const codeOf = (error: unknown): string | undefined =>
  error instanceof PortMappingError && !(error instanceof InvalidArgumentError) ? error.code : undefined

export const message: SsdpMessage = decodeSsdp(new Uint8Array())

// @ts-expect-error a port is a number: so these are types, not any
export const wrong: Parameters<typeof startEmulator>[0] = { httpPort: '80' }

/** The search of the library, on the network of an emulated gateway. */
import type { Gateway } from '../../src/domain/gateway.ts'
import type { GatewayProtocol } from '../../src/domain/port-mapping.ts'
import type { Emulator } from '../../src/emulator.ts'
import { searchGateway } from '../../src/library/search-gateway.ts'

export async function gatewayOn({ net }: Emulator, via: 'auto' | GatewayProtocol = 'auto'): Promise<Gateway> {
  const { found } = await searchGateway({ via, changes: true, minissdpdPath: '' }, net)
  if (found === undefined) throw new Error('no gateway was found')
  return found.gateway
}

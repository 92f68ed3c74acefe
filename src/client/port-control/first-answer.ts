/** What is needed once a gateway has answered over PCP or NAT-PMP; loaded then. */
import { PORT_CONTROL_PORT } from '../../domain/ports.js'
import type { Clock } from '../../net/clock.js'
import type { Datagrams } from '../../net/datagrams.js'
import { memoryFiles } from '../../net/files/memory-files.js'
import { decodePcpRequest, encodePcpResponse } from '../../wire/pcp.js'
import { keptMappings } from './mapping-memory.js'
import { derivedNonces } from './mapping-nonce.js'
import { PcpGateway } from './pcp-gateway.js'

export { fixedNonce } from './mapping-nonce.js'
export { NatPmpGateway } from './natpmp-gateway.js'
export { derivedNonces, keptMappings, PcpGateway }

/**
 * While there is time: maps a port on a gateway that does not exist, as search/first-answer.ts does with an IGD, so that all the
 * code has been compiled when it counts. Nothing is sent, nothing is kept.
 */
export async function rehearseMapping(clock: Clock): Promise<void> {
  const files = memoryFiles()
  const net = { clock, datagrams: { connect } }
  const endpoint = { address: '192.0.2.1', port: PORT_CONTROL_PORT }
  const [localAddress, epochSeconds, random, ownAddresses] = ['192.0.2.2', 0, () => 0.5, () => []]
  const memory = keptMappings(files, clock, 'rehearsal')
  const nonces = derivedNonces(files)
  const gateway = new PcpGateway({ net, endpoint, localAddress, epochSeconds, memory, nonces, ownAddresses, random })
  const [internalPort, lease] = [1, { seconds: 1 }] as const
  const key = { externalPort: 1, protocol: 'TCP', remoteHost: '' } as const
  await gateway.map({ ...key, internalClient: localAddress, internalPort, description: '', lease })
}

/** A gateway that grants whatever it is asked for. */
const connect: Datagrams['connect'] = async ({ onMessage, localAddress = '' }) => ({
  local: { address: localAddress, port: 1 },
  send(datagram) {
    const request = decodePcpRequest(datagram)
    if (request.kind !== 'MAP-request') return
    const { nonce, protocol, internalPort, suggestedExternalPort, lifetimeSeconds } = request
    const granted = { assignedExternalPort: suggestedExternalPort, assignedExternalAddress: '192.0.2.3', options: [] }
    const head = { resultCode: 0, lifetimeSeconds, epochSeconds: 0 }
    onMessage(encodePcpResponse({ kind: 'MAP-response', ...head, nonce, protocol, internalPort, ...granted }))
  },
  close() {},
})

/** A gateway of PCP or NAT-PMP that a script answers for, and what it was asked. */
import 'node:crypto' // loaded late there: here it is loaded already
import { expect } from 'vitest'
import { keptMappings } from '../../../src/client/mapping-memory.ts'
import type { PortControlOptions } from '../../../src/client/port-control/gateway-base.ts'
import { derivedNonces } from '../../../src/client/port-control/mapping-nonce.ts'
import { NatPmpGateway } from '../../../src/client/port-control/natpmp-gateway.ts'
import { PcpGateway } from '../../../src/client/port-control/pcp-gateway.ts'
import type { MappingRequest } from '../../../src/domain/port-mapping.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import { hexOf } from '../../support/hex-bytes.ts'
import {
  answering,
  type MapAsked,
  mapAsked,
  mapReply,
  type NatPmpMapAsked,
  natPmpMapAsked,
  natPmpMapReply,
  type PortControlAnswering,
} from '../../support/port-control-replies.ts'

export const CLIENT = '192.168.1.10'
export const OTHER_CLIENT = '192.168.1.20'

/** TCP 8080 to port 80 of this computer for an hour. */
export const REQUEST: MappingRequest = {
  externalPort: 8080,
  protocol: 'TCP',
  remoteHost: '',
  internalClient: CLIENT,
  internalPort: 80,
  description: 'web',
  lease: { seconds: 3600 },
}

/** The external address is not known before it is asked for. */
function network(answer: PortControlAnswering, via: 'pcp' | 'nat-pmp', changes: Partial<PortControlOptions>) {
  const { clock, datagrams } = answering(answer)
  const files = memoryFiles()
  const options: PortControlOptions = {
    net: { clock, datagrams },
    endpoint: { address: '192.168.1.1', port: 5351 },
    localAddress: CLIENT,
    epochSeconds: 3600,
    memory: keptMappings(files, clock, { address: 'gateway', via, identity: async () => '' }),
    nonces: derivedNonces(files),
    ownAddresses: () => [CLIENT],
    random: () => 0.5,
    ...changes,
  }
  return {
    clock,
    datagrams,
    options,
    hex: (): string[] => datagrams.requests.map(({ bytes }) => hexOf(bytes)),
    nothingLeft(): void {
      expect([clock.pending, datagrams.openCount], 'timers and sockets left').toEqual([0, 0])
    },
  }
}

/** A PCP server; grants what it is asked for unless it is told otherwise. */
export function pcp(
  answer: PortControlAnswering = (request) => mapReply(request),
  changes: Partial<PortControlOptions> = {},
) {
  const net = network(answer, 'pcp', changes)
  return {
    ...net,
    gateway: new PcpGateway(net.options),
    /** Another process of this user. */
    another: () => new PcpGateway(net.options),
    asked: (): MapAsked[] => net.datagrams.requests.map(mapAsked),
  }
}

export function natPmp(
  answer: PortControlAnswering = (request) => natPmpMapReply(request),
  changes: Partial<PortControlOptions> = {},
) {
  const net = network(answer, 'nat-pmp', changes)
  return {
    ...net,
    gateway: new NatPmpGateway(net.options),
    another: () => new NatPmpGateway(net.options),
    asked: (): NatPmpMapAsked[] => net.datagrams.requests.map(natPmpMapAsked),
  }
}

/** What a promise fails with. */
export function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (value) => ({ 'did not fail': value }),
    (error: unknown) => error,
  )
}

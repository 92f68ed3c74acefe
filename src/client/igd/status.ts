/**
 * What an IGD tells of its connection and of its line. (WANIPConnection:2 2.4.2 and 2.4.5, WANCommonInterfaceConfig:1 2.4)
 * Counters are the one thing that a gateway may not know without that being an error.
 */
import { PortMappingError } from '../../domain/errors.js'
import type { ConnectionStatus, LinkRates, TrafficCounters } from '../../domain/gateway.js'
import type { IgdActionName, InArguments, OutArguments } from '../../wire/igd-actions.js'
import { leadingNumber, type SoapArguments } from '../../wire/soap.js'
import { number, optionalText, text } from './soap-values.js'

/** Asks the service that has the action. */
export type Ask = <A extends IgdActionName>(action: A, values: InArguments<A>) => Promise<SoapArguments>

export async function askConnectionType(ask: Ask): Promise<string> {
  return text(await ask('GetConnectionTypeInfo', {}), 'GetConnectionTypeInfo', 'NewConnectionType')
}

export async function askStatus(ask: Ask): Promise<ConnectionStatus> {
  const action = 'GetStatusInfo'
  const reply = await ask(action, {})
  return {
    connectionStatus: text(reply, action, 'NewConnectionStatus'),
    lastConnectionError: optionalText<typeof action>(reply, 'NewLastConnectionError'),
    uptimeSeconds: number(reply, action, 'NewUptime'),
  }
}

export async function askLinkRates(ask: Ask): Promise<LinkRates> {
  const action = 'GetCommonLinkProperties'
  const reply = await ask(action, {})
  return {
    upstreamBitsPerSecond: number(reply, action, 'NewLayer1UpstreamMaxBitRate'),
    downstreamBitsPerSecond: number(reply, action, 'NewLayer1DownstreamMaxBitRate'),
  }
}

export async function askTrafficCounters(ask: Ask): Promise<TrafficCounters> {
  const [bytesSent, bytesReceived, packetsSent, packetsReceived] = await Promise.all([
    askCounter(ask, 'GetTotalBytesSent', 'NewTotalBytesSent'),
    askCounter(ask, 'GetTotalBytesReceived', 'NewTotalBytesReceived'),
    askCounter(ask, 'GetTotalPacketsSent', 'NewTotalPacketsSent'),
    askCounter(ask, 'GetTotalPacketsReceived', 'NewTotalPacketsReceived'),
  ])
  return { bytesSent, bytesReceived, packetsSent, packetsReceived }
}

type CounterAction = 'GetTotalBytesSent' | 'GetTotalBytesReceived' | 'GetTotalPacketsSent' | 'GetTotalPacketsReceived'

async function askCounter(
  ask: Ask,
  action: CounterAction,
  name: keyof OutArguments<CounterAction>,
): Promise<number | undefined> {
  try {
    return leadingNumber((await ask(action, {})).get(String(name).toLowerCase()) ?? '')
  } catch (error) {
    if (error instanceof PortMappingError) return undefined
    throw error
  }
}

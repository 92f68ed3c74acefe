/** Examines one device that answered: fetches its description and finds out whether it is a connected IGD. */
import { isLinkLocalIPv6, isReservedIPv4, splitZone } from '../../domain/address.js'
import {
  InvalidArgumentError,
  MalformedMessageError,
  NoGatewayError,
  PortMappingError,
  RefusedError,
  TransportError,
  unlessMalformed,
} from '../../domain/errors.js'
import type { ConnectionStatus } from '../../domain/gateway.js'
import { USER_AGENT } from '../../domain/version.js'
import type { HttpClient, HttpReply } from '../../net/http/client.js'
import { decodeDescription, type RootDescription } from '../../wire/description.js'
import { endsWithRoot } from '../../wire/xml.js'
import { IgdServiceGateway, isConnected } from '../igd/gateway.js'
import { igdServices } from '../igd/services.js'
import { DEFAULT_ANSWER_MS, SoapCaller, silenceWithin } from '../igd/soap-caller.js'
import type { MappingMemory } from '../mapping-memory.js'

export const MAX_DESCRIPTION_BYTES = 512 * 1024
const MAX_SHOWN_URL = 200

/**
 * connected: an IGD with a connection and a public external address. reserved: connected, but its external address does
 * not belong to the internet, so there is another NAT in front of it. disconnected: an IGD that says that it is not
 * connected. not-an-igd: some other UPnP device.
 */
export type CandidateKind = 'connected' | 'reserved' | 'disconnected' | 'not-an-igd'

export interface Candidate {
  readonly kind: CandidateKind
  readonly location: string
  /** The interface of the device's link-local addresses; empty if none is used. */
  readonly zone: string
  /** This computer's address on the way to the device. */
  readonly localAddress: string
  /** Undefined for not-an-igd. */
  readonly gateway: IgdServiceGateway | undefined
  /** The examination has learnt these already, so nobody has to ask again. */
  readonly status: ConnectionStatus | undefined
  readonly externalAddress: string | undefined
}

export interface ExamineContext {
  readonly http: HttpClient
  readonly signal: AbortSignal | undefined
  /** How long each whole answer may take. If undefined, DEFAULT_ANSWER_MS. */
  readonly answerMs?: number | undefined
  /** The same for the description, if the device may be no router. */
  readonly descriptionMs?: number | undefined
  /** The address to ask from, now and later. If undefined, the one on the way to the device. */
  readonly localAddress?: string | undefined
  /** What this user has mapped at the device with that address and UDN. */
  readonly memoryOf?: ((address: string, udn: string) => MappingMemory) | undefined
}

/** `zone` is that of a link-local host. @throws PortMappingError if the description cannot be fetched or read */
export async function examine(location: URL, context: ExamineContext, zone = ''): Promise<Candidate> {
  const { gateways, ...base } = await describe(location, context, zone)
  const others: Candidate[] = []
  for (const gateway of gateways) {
    const asked = { ...base, gateway, ...(await askConnection(gateway)) }
    if (asked.kind === 'connected') return asked
    others.push(asked)
  }
  const nothing = { kind: 'not-an-igd', gateway: undefined, status: undefined, externalAddress: undefined } as const
  return others.find(({ kind }) => kind === 'reserved') ?? others[0] ?? { ...base, ...nothing }
}

/**
 * The same for a device that the user named: only the description is asked for. `zone` is that of a link-local host.
 * @throws also InvalidArgumentError if such a host has no zone
 */
export async function describeGateway(
  location: URL,
  context: ExamineContext,
  zone = '',
): Promise<Pick<Candidate, 'location' | 'zone' | 'localAddress' | 'gateway'>> {
  if (zone === '' && isLinkLocalIPv6(location.hostname.slice(1, -1))) {
    const example = location.href.replace(']', '%25eth0]')
    throw new InvalidArgumentError(`${location.href} is link-local: name the interface too, as in ${example}`)
  }
  const { gateways, ...base } = await describe(location, context, zone)
  return { ...base, gateway: gateways[0] }
}

/** With a gateway for each connection. */
async function describe(location: URL, context: ExamineContext, zoneToAsk: string) {
  const { answerMs = DEFAULT_ANSWER_MS, descriptionMs = answerMs } = context
  let read: RootDescription | undefined
  const reply = await context.http.request({
    method: 'GET',
    url: location,
    zone: zoneToAsk,
    localAddress: context.localAddress,
    headers: [['User-Agent', USER_AGENT]],
    action: 'description',
    maxBodyBytes: MAX_DESCRIPTION_BYTES,
    timeoutMs: descriptionMs,
    silenceMs: silenceWithin(answerMs, 'question'),
    signal: context.signal,
    isComplete: endsWithRoot,
    isAnswer: ({ body }) => {
      read = unlessMalformed(() => decodeDescription(body))
      return read !== undefined
    },
  })
  const description = read ?? decode(reply, location)
  const { localAddress, remoteAddress } = reply
  const zone = zoneToAsk === '' ? splitZone(remoteAddress).zone : zoneToAsk
  // The description may name the device by its address, even if the user gave its host by name. But it cannot make this
  // computer ask anybody else, nor itself.
  const services = igdServices(description, location.href, { zone, hosts: [location.hostname, remoteAddress] })
  const [elsewhere] = services.elsewhere
  if (services.connections.length === 0 && elsewhere !== undefined) {
    const shown = elsewhere.slice(0, MAX_SHOWN_URL)
    throw new NoGatewayError(`the description ${location.href} leads to another host, ${shown}: that is never asked`)
  }
  const caller = new SoapCaller(context.http, context.signal, { zone, localAddress: context.localAddress, answerMs })
  const memory = context.memoryOf?.(remoteAddress, description.device.UDN)
  const gateways = services.connections.map(
    (each) => new IgdServiceGateway(caller, services, each, localAddress, { memory, remoteAddress }),
  )
  return { gateways, location: location.href, zone, localAddress }
}

/** A body that is a description counts as one, whatever the HTTP status. */
function decode(reply: HttpReply, url: URL): RootDescription {
  try {
    return decodeDescription(reply.body)
  } catch (error) {
    if (!(error instanceof MalformedMessageError)) throw error
    if (reply.status >= 200 && reply.status <= 299) {
      const expected = `a root device description from ${url.href}`
      throw new MalformedMessageError(expected, error.received, { action: 'description', cause: error })
    }
    throw new TransportError(`description: ${url.href} answered HTTP ${reply.status}`, { action: 'description' })
  }
}

async function askConnection(
  gateway: IgdServiceGateway,
): Promise<Pick<Candidate, 'kind' | 'status' | 'externalAddress'>> {
  const status = await answerOrRefusal(gateway.status())
  // Some routers map ports but do not know GetStatusInfo. Then the external address decides.
  const isUp = isConnected(known(status)?.connectionStatus ?? '')
  const connected = status === 'refused' ? undefined : isUp
  if (connected === false) return { kind: 'disconnected', status: known(status), externalAddress: undefined }
  const externalAddress = known(await answerOrRefusal(gateway.externalAddress()))
  const isPublic = externalAddress !== undefined && !isReservedIPv4(externalAddress)
  const kind = isPublic ? 'connected' : connected === undefined ? 'disconnected' : 'reserved'
  return { kind, status: known(status), externalAddress }
}

function known<T>(answer: T | 'refused' | undefined): T | undefined {
  return answer === 'refused' ? undefined : answer
}

async function answerOrRefusal<T>(asked: Promise<T>): Promise<T | 'refused' | undefined> {
  try {
    return await asked
  } catch (error) {
    // An answer that makes no sense counts as a refusal (upnpc does not mind a status without NewUptime).
    if (error instanceof RefusedError || error instanceof MalformedMessageError) return 'refused'
    if (error instanceof PortMappingError) return undefined
    throw error
  }
}

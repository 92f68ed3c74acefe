/**
 * The HTTP side of the emulated gateway (UPnP Device Architecture 1.1, chapters 2 and 3). It serves the descriptions,
 * and carries out actions, which arrive as SOAP: XML over HTTP. A request comes in, and a reply goes out; sockets and
 * the clock are elsewhere.
 *
 * A web page must not be able to control the gateway through a browser. So a Host header with a name is refused,
 * because a DNS rebinding attack has one. And every action needs the header SOAPAction, which a browser sends to
 * another site only with that site's permission.
 */
import { parseIPv4 } from '../../domain/address.js'
import { MalformedMessageError } from '../../domain/errors.js'
import type { ServedReply, ServedRequest } from '../../net/http/server.js'
import { encodeDescription, type RootDescription } from '../../wire/description.js'
import { argumentList, IGD_ACTIONS, type IgdActionName, isIgdActionName } from '../../wire/igd-actions.js'
import { decodeSoapRequest, encodeSoapFault, encodeSoapResponse } from '../../wire/soap.js'
import type { GatewayState } from '../gateway-state.js'
import { Refusal } from '../tables/refusal.js'
import { performAction } from './actions.js'
import {
  DESCRIPTION_PATH,
  EVENT_PATH,
  encodeServiceDescription,
  type IgdOffer,
  type OfferedService,
} from './descriptions.js'
import type { EventPublisher } from './events.js'

export interface IgdResponderOptions {
  readonly state: GatewayState
  readonly offer: IgdOffer
  readonly description: RootDescription
  /** Answers subscriptions to the events of the WAN connection. */
  readonly events?: Pick<EventPublisher, 'answer'>
  /** The SERVER header (UDA 1.1 2.10). */
  readonly server: string
  /** Called before each action that the gateway has, refused or not. */
  readonly onAction?: (action: IgdActionName) => void
  /** Returns the error number to refuse the action with, or undefined to carry it out. */
  readonly refusalOf?: (action: IgdActionName) => number | undefined
}

export type IgdResponder = (request: ServedRequest, nowMs: number) => ServedReply

type Resource =
  | { readonly method: 'GET'; readonly document: () => string }
  | { readonly method: 'POST'; readonly service: OfferedService }

export function createIgdResponder(options: IgdResponderOptions): IgdResponder {
  const resources = resourcesOf(options)
  return (request, nowMs) => {
    if (!isIpLiteral(request.headers.get('host') ?? '')) return emptyReply(400)
    const path = request.target.split('?', 1)[0] ?? ''
    if (path === EVENT_PATH && options.events !== undefined && /^(UN)?SUBSCRIBE$/.test(request.method))
      return options.events.answer(request)
    const resource = resources.get(path)
    if (resource === undefined) return emptyReply(404)
    if (request.method !== resource.method) return emptyReply(405, [['Allow', resource.method]])
    if (resource.method === 'GET') return xmlReply(200, resource.document(), options.server)
    return control(resource.service, request, nowMs, options)
  }
}

function resourcesOf({ offer, description }: IgdResponderOptions): ReadonlyMap<string, Resource> {
  const resources = new Map<string, Resource>()
  const root = encodeDescription(description)
  resources.set(DESCRIPTION_PATH, { method: 'GET', document: () => root })
  for (const service of offer.services) {
    // Made for each request, which is rare. Otherwise 200 gateways in one process would keep 200 copies.
    const document = (): string => encodeServiceDescription(service, offer)
    resources.set(service.descriptionPath, { method: 'GET', document })
    resources.set(service.controlPath, { method: 'POST', service })
  }
  return resources
}

/** `a.b.c.d`, `a.b.c.d:port`, `[v6]` or `[v6]:port`. A name is not one, not even localhost. */
function isIpLiteral(host: string): boolean {
  const [, ipv4, ipv6] = /^(?:([\d.]+)|\[([\da-f:.]+)\])(?::\d{1,5})?$/i.exec(host) ?? []
  return ipv4 === undefined ? ipv6 !== undefined : parseIPv4(ipv4) !== undefined
}

function emptyReply(status: number, headers: ServedReply['headers'] = []): ServedReply {
  return { status, headers, body: '' }
}

function xmlReply(status: number, body: string, server: string): ServedReply {
  const headers = [
    ['Content-Type', 'text/xml; charset="utf-8"'],
    ['EXT', ''], // UDA 1.1 3.2.2
    ['Server', server],
  ] as const
  return { status, headers, body }
}

function control(
  service: OfferedService,
  request: ServedRequest,
  nowMs: number,
  options: IgdResponderOptions,
): ServedReply {
  try {
    return xmlReply(200, answer(service, request, nowMs, options), options.server)
  } catch (error) {
    if (error instanceof MalformedMessageError) return emptyReply(400)
    if (!(error instanceof Refusal)) throw error
    return xmlReply(500, encodeSoapFault(error.errorCode, error.message), options.server) // UDA 1.1 3.2.3
  }
}

/** @throws MalformedMessageError, Refusal */
function answer(
  service: OfferedService,
  { body, headers, remoteAddress }: ServedRequest,
  nowMs: number,
  { state, onAction, refusalOf }: IgdResponderOptions,
): string {
  const { action, serviceType, arguments: given } = decodeSoapRequest(body, headers.get('soapaction') ?? '')
  if (!isIgdActionName(action) || !service.actions.includes(action)) throw new Refusal('InvalidAction')
  if (!service.serviceTypes.includes(serviceType)) throw new Refusal('InvalidAction')
  onAction?.(action)
  const code = refusalOf?.(action)
  if (code !== undefined) throw new Refusal(code)
  const context = { ...state, nowMs, askingAddress: remoteAddress }
  const out: Readonly<Record<string, string>> = performAction(action, new Map(given), context)
  // UDA 1.1 3.2.2: the response names the same version of the service as the request.
  const { NewPortListing, ...others } = out
  const response = encodeSoapResponse({ serviceType, action, arguments: argumentList(IGD_ACTIONS[action].out, others) })
  return NewPortListing === undefined ? response : withListing(response, NewPortListing)
}

/** As miniupnpd does: miniupnpc finds nothing in escaped text. A listing has no `]]>`: every `>` in it is escaped. */
function withListing(body: string, listing: string): string {
  return body.replace('<NewPortListing>', (tag) => `${tag}<![CDATA[${listing}]]>`)
}

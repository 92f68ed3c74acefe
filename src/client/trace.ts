/**
 * Reports every message that this computer exchanges with gateways. It wraps a ClientNet in another one, so the code
 * between does not know about it. It reads the messages with the codecs of both sides, and changes none.
 */
import { hostAndPort } from '../domain/address.js'
import { MalformedMessageError, PortMappingError } from '../domain/errors.js'
import { upnpErrorName } from '../domain/upnp-errors.js'
import type { Datagrams, Endpoint } from '../net/datagrams.js'
import type { HttpClient, HttpReply } from '../net/http/client.js'
import type { ClientNet } from '../net/network.js'
import {
  decodeNatPmpRequest,
  decodeNatPmpResponse,
  NAT_PMP_VERSION,
  type NatPmpRequest,
  type NatPmpResponse,
  natPmpResultName,
  type UnsupportedNatPmpRequest,
} from '../wire/natpmp.js'
import { decodePcpRequest, decodePcpResponse, PCP_VERSION } from '../wire/pcp.js'
import { pcpResultName } from '../wire/pcp-result-codes.js'
import { decodeSoapReply } from '../wire/soap.js'
import { decodeSsdp } from '../wire/ssdp.js'

export interface TracedMessage {
  /** When it was sent or received: milliseconds since the Unix epoch. */
  readonly timeMs: number
  /** `failed`: a request that ended without a reply. */
  readonly direction: 'sent' | 'received' | 'failed'
  readonly protocol: 'SSDP' | 'HTTP' | 'PCP' | 'NAT-PMP' | 'UDP'
  /** The other side. For HTTP it is the URL without `http://`. */
  readonly peer: string
  /** The standard's name of the request: AddPortMapping, MAP, M-SEARCH. Text from the network. */
  readonly action: string
  /** The status or result of a reply, or the reason of a failure. Text from the network. */
  readonly result: string | undefined
  /** The length of the datagram, or of the body. */
  readonly bytes: number
}

type Tell = (message: Omit<TracedMessage, 'timeMs'>) => void

/** The same network; `onMessage` gets every message that it carries. */
export function tracedNet<N extends ClientNet>(net: N, onMessage: (message: TracedMessage) => void): N {
  const tell: Tell = (message) => onMessage({ timeMs: net.clock.wallMs(), ...message })
  return { ...net, datagrams: tracedDatagrams(net.datagrams, tell), http: tracedHttp(net.http, tell) }
}

function tracedDatagrams(datagrams: Datagrams, tell: Tell): Datagrams {
  const sent = (datagram: Uint8Array, to: Endpoint): void =>
    tell({ direction: 'sent', peer: hostAndPort(to), bytes: datagram.length, ...aboutRequest(datagram) })
  const received = (datagram: Uint8Array, from: Endpoint): void =>
    tell({ direction: 'received', peer: hostAndPort(from), bytes: datagram.length, ...aboutReply(datagram) })
  return {
    async open(options) {
      const onMessage: typeof options.onMessage = (datagram, from) => {
        received(datagram, from)
        options.onMessage(datagram, from)
      }
      const socket = await datagrams.open({ ...options, onMessage })
      return {
        local: socket.local,
        close: () => socket.close(),
        send(datagram, to) {
          sent(datagram, to)
          socket.send(datagram, to)
        },
      }
    },
    async connect(options) {
      const { remote } = options
      const socket = await datagrams.connect({
        ...options,
        onMessage(datagram) {
          received(datagram, remote)
          options.onMessage(datagram)
        },
        onError(error) {
          const about = { protocol: 'UDP', action: '', result: error.message } as const
          tell({ direction: 'failed', peer: hostAndPort(remote), bytes: 0, ...about })
          options.onError(error)
        },
      })
      return {
        local: socket.local,
        close: () => socket.close(),
        send(datagram) {
          sent(datagram, remote)
          socket.send(datagram)
        },
      }
    },
  }
}

function tracedHttp(http: HttpClient, tell: Tell): HttpClient {
  return {
    async request(request) {
      const { url, action, body = '' } = request
      const about = { protocol: 'HTTP', peer: url.host + url.pathname, action } as const
      tell({ direction: 'sent', ...about, result: undefined, bytes: Buffer.byteLength(body) })
      try {
        const reply = await http.request(request)
        const result = `${reply.status}${faultText(reply, action)}`
        tell({ direction: 'received', ...about, result, bytes: reply.body.length })
        return reply
      } catch (error) {
        const result = error instanceof Error ? error.message : String(error)
        tell({ direction: 'failed', ...about, result, bytes: 0 })
        throw error
      }
    },
  }
}

/** The number and name of the UPnP error in a reply (UDA 1.1 3.2.5); empty if there is none. */
function faultText({ status, body }: HttpReply, action: string): string {
  if (status < 400) return ''
  try {
    const reply = decodeSoapReply(body, action)
    return reply.kind === 'fault' ? ` ${reply.errorCode} ${upnpErrorName(reply.errorCode)}` : ''
  } catch (error) {
    if (error instanceof PortMappingError) return '' // a page of HTML
    throw error
  }
}

type About = Pick<TracedMessage, 'protocol' | 'action' | 'result'>

/** SSDP is text; the first byte of the others is the version (RFC 6887 7, RFC 6886 3.5). */
function aboutRequest(datagram: Uint8Array): About {
  return orUnreadable(datagram, () => {
    if (datagram[0] === PCP_VERSION) return pcp(decodePcpRequest(datagram).kind, undefined)
    if (datagram[0] === NAT_PMP_VERSION) return natPmp(decodeNatPmpRequest(datagram), undefined)
    return ssdp(datagram)
  })
}

function aboutReply(datagram: Uint8Array): About {
  return orUnreadable(datagram, () => {
    if (datagram[0] === PCP_VERSION) {
      const { kind, resultCode } = decodePcpResponse(datagram)
      return pcp(kind, pcpResultName(resultCode))
    }
    if (datagram[0] !== NAT_PMP_VERSION) return ssdp(datagram)
    const response = decodeNatPmpResponse(datagram)
    return natPmp(response, response.kind === 'error-response' ? natPmpResultName(response.resultCode) : 'SUCCESS')
  })
}

function pcp(kind: string, result: string | undefined): About {
  return { protocol: 'PCP', action: actionOf(kind), result }
}

function natPmp(message: NatPmpRequest | UnsupportedNatPmpRequest | NatPmpResponse, result: string | undefined): About {
  const protocol = 'protocol' in message ? `${message.protocol} ` : ''
  return { protocol: 'NAT-PMP', action: protocol + actionOf(message.kind), result }
}

/** `MAP-request` and `MAP-response` are both about MAP. */
function actionOf(kind: string): string {
  return kind.replace(/-(request|response)$/, '')
}

function ssdp(datagram: Uint8Array): About {
  const message = decodeSsdp(datagram)
  switch (message.kind) {
    case 'search':
      return { protocol: 'SSDP', action: `M-SEARCH ${message.ST}`, result: undefined }
    case 'reply':
      return { protocol: 'SSDP', action: message.ST, result: message.LOCATION }
    case 'notify':
      return { protocol: 'SSDP', action: `NOTIFY ${message.NT}`, result: message.NTS }
  }
}

function orUnreadable(datagram: Uint8Array, read: () => About): About {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof MalformedMessageError)) throw error
    const protocol = datagram[0] === PCP_VERSION ? 'PCP' : datagram[0] === NAT_PMP_VERSION ? 'NAT-PMP' : 'SSDP'
    return { protocol, action: '', result: 'unreadable' }
  }
}

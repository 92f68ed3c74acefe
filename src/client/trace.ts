/**
 * Reports every message that this computer exchanges with gateways. It wraps a ClientNet in another one, so the code
 * between does not know about it. It reads the messages with the codecs of both sides, and changes none.
 */
import { hostAndPort } from '../domain/address.js'
import { unlessMalformed } from '../domain/errors.js'
import { upnpErrorName } from '../domain/upnp-errors.js'
import type { Datagrams, Endpoint } from '../net/datagrams.js'
import type { HttpClient, HttpReply } from '../net/http/client.js'
import type { ClientNet } from '../net/network.js'
import { decodeNatPmpRequest, decodeNatPmpResponse, NAT_PMP_VERSION, natPmpResultName } from '../wire/natpmp.js'
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
  const pass = (direction: 'sent' | 'received', datagram: Uint8Array, peer: Endpoint): void =>
    tell({ direction, peer: hostAndPort(peer), bytes: datagram.length, ...about(datagram, direction === 'sent') })
  return {
    async open(options) {
      const onMessage: typeof options.onMessage = (datagram, from) => {
        pass('received', datagram, from)
        options.onMessage(datagram, from)
      }
      const socket = await datagrams.open({ ...options, onMessage })
      return {
        ...socket,
        send(datagram, to) {
          pass('sent', datagram, to)
          socket.send(datagram, to)
        },
      }
    },
    async connect(options) {
      const { remote } = options
      const socket = await datagrams.connect({
        ...options,
        onMessage(datagram) {
          pass('received', datagram, remote)
          options.onMessage(datagram)
        },
        onError(error) {
          const failure = { protocol: 'UDP', action: '', result: error.message, bytes: 0 } as const
          tell({ direction: 'failed', peer: hostAndPort(remote), ...failure })
          options.onError(error)
        },
      })
      return {
        ...socket,
        send(datagram) {
          pass('sent', datagram, remote)
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

/** The number and name of the UPnP error in a reply (UDA 1.1 3.2.5); empty if there is none, as in a page of HTML. */
function faultText({ status, body }: HttpReply, action: string): string {
  const reply = status < 400 ? undefined : unlessMalformed(() => decodeSoapReply(body, action))
  return reply?.kind === 'fault' ? ` ${reply.errorCode} ${upnpErrorName(reply.errorCode)}` : ''
}

type About = Pick<TracedMessage, 'action' | 'result'>

/** SSDP is text; the first byte of the others is the version (RFC 6887 7, RFC 6886 3.5). */
function about(datagram: Uint8Array, isRequest: boolean): About & Pick<TracedMessage, 'protocol'> {
  const protocol = datagram[0] === PCP_VERSION ? 'PCP' : datagram[0] === NAT_PMP_VERSION ? 'NAT-PMP' : 'SSDP'
  const read = { PCP: aboutPcp, 'NAT-PMP': aboutNatPmp, SSDP: aboutSsdp }[protocol]
  return { protocol, ...(unlessMalformed(() => read(datagram, isRequest)) ?? { action: '', result: 'unreadable' }) }
}

function aboutPcp(datagram: Uint8Array, isRequest: boolean): About {
  if (isRequest) return { action: actionOf(decodePcpRequest(datagram).kind), result: undefined }
  const { kind, resultCode } = decodePcpResponse(datagram)
  return { action: actionOf(kind), result: pcpResultName(resultCode) }
}

function aboutNatPmp(datagram: Uint8Array, isRequest: boolean): About {
  const message = isRequest ? decodeNatPmpRequest(datagram) : decodeNatPmpResponse(datagram)
  const action = ('protocol' in message ? `${message.protocol} ` : '') + actionOf(message.kind)
  if (isRequest) return { action, result: undefined }
  return { action, result: message.kind === 'error-response' ? natPmpResultName(message.resultCode) : 'SUCCESS' }
}

/** `MAP-request` and `MAP-response` are both about MAP. */
function actionOf(kind: string): string {
  return kind.replace(/-(request|response)$/, '')
}

function aboutSsdp(datagram: Uint8Array): About {
  const message = decodeSsdp(datagram)
  switch (message.kind) {
    case 'search':
      return { action: `M-SEARCH ${message.ST}`, result: undefined }
    case 'reply':
      return { action: message.ST, result: message.LOCATION }
    case 'notify':
      return { action: `NOTIFY ${message.NT}`, result: message.NTS }
  }
}

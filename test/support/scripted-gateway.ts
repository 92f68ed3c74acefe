/**
 * An HTTP server on loopback that answers as it is told: for the golden runs and for odd routers. It keeps every request
 * as it came, byte for byte.
 */
import { startRawServer } from './raw-server.ts'

export interface ReceivedRequest {
  readonly method: string
  readonly path: string
  readonly head: string
  readonly body: string
}

/** Bytes to answer with (the connection is closed after them), or undefined to close without an answer. */
export type Answer = string | Buffer | undefined

export interface ScriptedGateway {
  readonly port: number
  readonly url: (path: string) => string
  readonly requests: readonly ReceivedRequest[]
  close(): Promise<void>
}

export async function scriptedGateway(
  answer: (request: ReceivedRequest, port: number) => Answer | Promise<Answer>,
): Promise<ScriptedGateway> {
  const requests: ReceivedRequest[] = []
  const server = await startRawServer(async (peer) => {
    const request = received(await peer.request())
    requests.push(request)
    const reply = await answer(request, server.port)
    if (reply !== undefined) await peer.send(reply)
    peer.end()
  })
  return { port: server.port, url: (path) => server.url(path).href, requests, close: server.close }
}

function received(text: string): ReceivedRequest {
  const end = text.indexOf('\r\n\r\n')
  const head = text.slice(0, end)
  const [, method = '', path = ''] = /^(\S+) (\S+)/.exec(head) ?? []
  return { method, path, head, body: Buffer.from(text.slice(end + 4), 'latin1').toString('utf8') }
}

export function http(status: number, body: string, headers: readonly string[] = ['Content-Type: text/xml']): string {
  const length = Buffer.byteLength(body)
  const reason = status === 200 ? 'OK' : 'Error'
  return [`HTTP/1.1 ${status} ${reason}`, ...headers, `Content-Length: ${length}`, 'Connection: close', '', body].join(
    '\r\n',
  )
}

export function soapResponse(
  action: string,
  content: string,
  serviceType = 'urn:schemas-upnp-org:service:WANIPConnection:1',
): string {
  return (
    '<?xml version="1.0"?>\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
    's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>' +
    `<u:${action}Response xmlns:u="${serviceType}">${content}</u:${action}Response></s:Body></s:Envelope>`
  )
}

export function soapFault(code: number): string {
  return (
    '<?xml version="1.0"?>\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>' +
    '<faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>' +
    `<UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>${code}</errorCode>` +
    '<errorDescription>scripted</errorDescription></UPnPError></detail></s:Fault></s:Body></s:Envelope>'
  )
}

/** `urn:…#Action` of a SOAP request, unquoted. */
export function soapActionOf(request: ReceivedRequest): string {
  return /^soapaction: *"?([^"\r\n]*)"?/im.exec(request.head)?.[1] ?? ''
}

/** How tests send the emulated gateway any bytes, well-formed or not, over a TCP connection. */
import { connect } from 'node:net'
import { encodeSoapRequest } from '../../src/wire/soap.ts'
import { WANIP_CONTROL, WANIP2 } from './asking.ts'

/** Sends bytes, and resolves with everything received before the connection closed. */
export function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    let reply = ''
    socket.setEncoding('utf8')
    socket.on('data', (piece) => {
      reply += piece
    })
    // A server that closes before it has read everything resets the connection.
    socket.on('error', (error) => (/ECONNRESET|EPIPE/.test(error.message) ? resolve(reply) : reject(error)))
    socket.on('close', () => resolve(reply))
  })
}

export interface Parts {
  readonly host?: string
  readonly body?: string
  readonly serviceType?: string
  readonly target?: string
}

export function post(
  port: number,
  action: string,
  args: Readonly<Record<string, string>>,
  parts: Parts = {},
): Promise<string> {
  const { host = `127.0.0.1:${port}`, serviceType = WANIP2, target = WANIP_CONTROL } = parts
  const body = parts.body ?? encodeSoapRequest({ serviceType, action, arguments: Object.entries(args) })
  return exchange(
    port,
    [
      `POST ${target} HTTP/1.1`,
      `Host: ${host}`,
      'Content-Type: text/xml',
      `SOAPAction: "${serviceType}#${action}"`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  )
}

export const statusOf = (reply: string): number => Number(/^HTTP\/1\.1 (\d{3}) /.exec(reply)?.[1])
export const bodyOf = (reply: string): Uint8Array =>
  new TextEncoder().encode(reply.slice(reply.indexOf('\r\n\r\n') + 4))

/** TCP connections for HTTP. */
import { connect, type Socket } from 'node:net'

/** No half-open state, no delay: what is written leaves at once. */
export function connectTo(url: URL): Socket {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return connect({ host, port: url.port === '' ? 80 : Number(url.port), noDelay: true })
}

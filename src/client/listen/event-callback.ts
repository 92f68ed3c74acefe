/**
 * Where a gateway's notifications come in (UPnP Device Architecture 1.1, 4.3.2): a server that is there for the gateway
 * alone. (CVE-2020-12695 is about what can be done with the other end.) It listens on the one address that leads to the
 * gateway, hangs up on everybody else, and takes only what comes on a path that nobody else was told.
 */
import { hostAndPort, isUnicastIPv4, isUnicastIPv6, splitZone } from '../../domain/address.js'
import { TransportError, unlessMalformed } from '../../domain/errors.js'
import type { Endpoint } from '../../net/datagrams.js'
import type { HttpServers, ServedRequest } from '../../net/http/server.js'
import { decodeEventHead, decodePropertySet } from '../../wire/gena.js'

export interface ReceivedEvent {
  readonly SID: string
  /** The first one of its subscription. */
  readonly isFirst: boolean
  /** Undefined where they cannot be read. */
  readonly variables: ReadonlyMap<string, string> | undefined
}

export interface CallbackOptions {
  readonly httpServers: HttpServers
  /** This computer's address on the way to the gateway; a link-local one with its zone. */
  readonly localAddress: string
  /** Letters and digits that nobody can guess. */
  readonly secret: string
  readonly isGateway: (remoteAddress: string) => boolean
  /** Returns whether there is such a subscription. */
  readonly onEvent: (event: ReceivedEvent) => boolean
}

export interface Callback {
  /** No address in it has a zone. */
  readonly url: URL
  close(): Promise<void>
}

/** @throws TransportError */
export async function openCallback({ httpServers, localAddress, ...options }: CallbackOptions): Promise<Callback> {
  // Any other would be open to more than the way to the gateway, or to nobody.
  const isOneHost = isUnicastIPv4(localAddress) || isUnicastIPv6(splitZone(localAddress).address)
  if (!isOneHost) throw new TransportError(`'${localAddress}' is no address that a gateway could send its events to`)
  const path = `/${options.secret}`
  const server = await httpServers.listen({
    address: localAddress,
    port: 0,
    isWelcome: options.isGateway,
    handler: (request) => ({ status: statusOf(request, path, options), headers: [], body: '' }),
  })
  return { url: urlOf(server.local, path), close: () => server.close() }
}

/** UDA 1.1 4.3.2. */
function statusOf(
  { method, target, remoteAddress, headers, body }: ServedRequest,
  path: string,
  { isGateway, onEvent }: Pick<CallbackOptions, 'isGateway' | 'onEvent'>,
): number {
  if (method !== 'NOTIFY' || target !== path || !isGateway(remoteAddress)) return 404
  const head = unlessMalformed(() => decodeEventHead(headers))
  if (head === undefined) return 412
  const variables = unlessMalformed(() => decodePropertySet(body))
  return onEvent({ SID: head.SID, isFirst: head.SEQ === 0, variables }) ? 200 : 412
}

function urlOf({ address, port }: Endpoint, path: string): URL {
  return new URL(`http://${hostAndPort({ address: splitZone(address).address, port })}${path}`)
}

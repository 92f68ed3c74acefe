/**
 * One request over UDP: send, wait, send again, until a reply is accepted, the port is refused or the deadline passes.
 * Every exchange has a socket of its own, connected to the gateway: the system then drops what others send and what
 * comes late for an earlier request, and tells at once that nobody listens there.
 */
import { hostAndPort } from '../../domain/address.js'
import { NoReplyError, PortMappingError, TransportError, unlessMalformed } from '../../domain/errors.js'
import type { Clock } from '../../net/clock.js'
import type { ConnectedSocket, Datagrams, Endpoint } from '../../net/datagrams.js'
import { codeOf, reasonOf } from '../../net/system-error.js'

export interface ExchangeNet {
  readonly clock: Clock
  readonly datagrams: Pick<Datagrams, 'connect'>
  readonly signal?: AbortSignal | undefined
}

export interface Asking<T> {
  readonly remote: Endpoint
  /** The address to ask from; the one on the way to the gateway where it is not given. */
  readonly localAddress?: string | undefined
  /** Its name in the standard, for messages. */
  readonly action: string
  readonly encode: (localAddress: string) => Uint8Array
  /**
   * Undefined, or a MalformedMessageError: not the reply to this request, keep listening. Another PortMappingError is the
   * result; a defect costs this datagram only.
   */
  readonly accept: (datagram: Uint8Array, localAddress: string) => T | undefined
  /** Milliseconds after each sending; nothing more is sent when they are over. */
  readonly waits: Iterable<number>
  readonly timeoutMs: number
  /** The first sending is on its way. */
  readonly onSent?: (() => void) | undefined
}

/** @throws NoReplyError, TransportError, whatever `accept` throws, the reason of the signal */
export async function exchange<T>(net: ExchangeNet, asking: Asking<T>): Promise<T> {
  const { signal, clock } = net
  signal?.throwIfAborted()
  let finish: (outcome: () => T) => void = () => {}
  const outcome = new Promise<() => T>((resolve) => {
    finish = resolve
  })
  const fail = (error: unknown): void =>
    finish(() => {
      throw error
    })
  const onAbort = (): void => fail(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const cancels = [clock.schedule(asking.timeoutMs, () => fail(noReply(asking)))]
  let socket: ConnectedSocket | undefined
  let isOver = false
  const start = async (): Promise<void> => {
    let local = ''
    const opened = await net.datagrams.connect({
      remote: asking.remote,
      localAddress: asking.localAddress,
      onMessage: (datagram) => {
        const accepted = tryAccept(() => asking.accept(datagram, local))
        if (accepted !== undefined) finish(accepted)
      },
      onError: (error) => fail(unreachable(asking, error)),
    })
    if (isOver) opened.close()
    else {
      socket = opened
      local = opened.local.address
      sendAgainAndAgain(opened, asking, clock, cancels)
      asking.onSent?.()
    }
  }
  try {
    start().catch((error: unknown) => fail(error instanceof TransportError ? unreachable(asking, error) : error))
    return (await outcome)()
  } finally {
    isOver = true
    for (const cancel of cancels) cancel()
    signal?.removeEventListener('abort', onAbort)
    socket?.close()
  }
}

function sendAgainAndAgain<T>(socket: ConnectedSocket, asking: Asking<T>, clock: Clock, cancels: (() => void)[]): void {
  const request = asking.encode(socket.local.address)
  const waits = asking.waits[Symbol.iterator]()
  const send = (): void => {
    const wait = waits.next()
    if (wait.done === true) return
    socket.send(request)
    cancels.push(clock.schedule(wait.value, send))
  }
  send()
}

function tryAccept<T>(accept: () => T | undefined): (() => T) | undefined {
  try {
    const accepted = unlessMalformed(accept)
    return accepted === undefined ? undefined : () => accepted
  } catch (error) {
    if (!(error instanceof PortMappingError)) throw error
    return () => {
      throw error
    }
  }
}

function noReply({ action, remote, timeoutMs }: Asking<unknown>): NoReplyError {
  return new NoReplyError(`${action}: ${hostAndPort(remote)} did not answer within ${timeoutMs / 1000} s`, { action })
}

function unreachable({ action, remote }: Asking<unknown>, error: TransportError): TransportError {
  const { cause } = error
  const code = codeOf(cause)
  const reason = reasonOf(cause, 'ask over UDP', code === '' ? error.message : `it cannot be reached (${code})`)
  return new TransportError(`${action}: UDP port ${remote.port} of ${remote.address}: ${reason}`, { action, cause })
}

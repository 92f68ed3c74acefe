/**
 * One request over UDP, sent again and again until a reply is accepted, the port is refused or the time is over. Every
 * exchange has its own socket, connected to the gateway. So the system drops datagrams from other senders and late
 * replies to earlier requests, and reports at once that nobody listens there.
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

/**
 * What an answer says that anybody could have sent: `accept` throws it. It counts if nothing better has come 1 s after
 * the request was sent first.
 */
export class UnprovenAnswer extends Error {
  override readonly cause: PortMappingError

  constructor(cause: PortMappingError) {
    super(cause.message)
    this.cause = cause
  }
}

/** So long forgers have less say than the gateway. */
const PROOF_MS = 1000

export interface Asking<T> {
  readonly remote: Endpoint
  /** The address to ask from. The default is the one on the way to the gateway. */
  readonly localAddress?: string | undefined
  /** Its name in the standard, for messages. */
  readonly action: string
  readonly encode: (localAddress: string) => Uint8Array
  /**
   * Undefined, or a MalformedMessageError: this is not the reply to this request, so the exchange keeps listening. Any
   * other PortMappingError is the result, and an UnprovenAnswer may be. A defect costs this datagram only.
   */
  readonly accept: (datagram: Uint8Array, localAddress: string) => T | undefined
  /** Milliseconds to wait after each sending. When they run out, nothing more is sent. */
  readonly waits: Iterable<number>
  readonly timeoutMs: number
  /** Called once the request has been sent for the first time. */
  readonly onSent?: (() => void) | undefined
}

/** @throws NoReplyError, TransportError, whatever `accept` throws, the reason of the signal */
export async function exchange<T>(net: ExchangeNet, asking: Asking<T>): Promise<T> {
  const { signal, clock } = net
  const { remote, localAddress, timeoutMs } = asking
  signal?.throwIfAborted()
  let finish: (reply: T) => void = () => {}
  let fail: (error: unknown) => void = () => {}
  const outcome = new Promise<T>((resolve, reject) => {
    finish = resolve
    fail = reject
  })
  const onAbort = (): void => fail(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const cancels = [clock.schedule(timeoutMs, () => fail(noReply(asking)))]
  let socket: ConnectedSocket | undefined
  let isOver = false
  const start = async (): Promise<void> => {
    let local = ''
    let sentMs = 0
    let isDoubting = false
    const failUnlessBetter = (error: PortMappingError): void => {
      if (isDoubting) return
      isDoubting = true
      cancels.push(clock.schedule(Math.max(0, sentMs + PROOF_MS - clock.monotonicMs()), () => fail(error)))
    }
    const onMessage = (datagram: Uint8Array): void => {
      try {
        const reply = unlessMalformed(() => asking.accept(datagram, local))
        if (reply !== undefined) finish(reply)
      } catch (error) {
        if (error instanceof UnprovenAnswer) failUnlessBetter(error.cause)
        else if (error instanceof PortMappingError) fail(error)
        else throw error
      }
    }
    const onError = (error: TransportError): void => fail(unreachable(asking, error))
    const opened = await net.datagrams.connect({ remote, localAddress, onMessage, onError })
    if (isOver) {
      opened.close()
      return
    }
    socket = opened
    local = opened.local.address
    const request = asking.encode(local)
    const waits = asking.waits[Symbol.iterator]()
    const send = (): void => {
      const wait = waits.next()
      if (wait.done === true) return
      opened.send(request)
      cancels.push(clock.schedule(wait.value, send))
    }
    send()
    sentMs = clock.monotonicMs()
    asking.onSent?.()
  }
  try {
    start().catch((error: unknown) => fail(error instanceof TransportError ? unreachable(asking, error) : error))
    return await outcome
  } finally {
    isOver = true
    for (const cancel of cancels) cancel()
    signal?.removeEventListener('abort', onAbort)
    socket?.close()
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

/** For PCP too: its 3 s (RFC 6887 8.1.1) would keep a person waiting for one lost datagram. */
const FIRST_WAIT_MS = 250
/** RFC 6886 3.1: a gateway that has not answered by then does not speak NAT-PMP. */
const NAT_PMP_SENDINGS = 9
/** RFC 6887 8.1.1: MRT. */
const PCP_LONGEST_WAIT_MS = 1_024_000

/**
 * For what was asked for before. RFC 6887 11.2.1: nobody asks twice within 4 s. Whoever wants it waits as long for the
 * next packet, so this is also how long to wait for the answer.
 */
export const ONE_PACKET_MS = 4000

/** RFC 6886 3.1: 250 ms, doubling, nine times. */
export function* natPmpWaits(): Generator<number, void> {
  for (let sent = 0; sent < NAT_PMP_SENDINGS; sent++) yield FIRST_WAIT_MS * 2 ** sent
}

/** RFC 6887 8.1.1: RT = (1 + RAND) * MIN(2 * RTprev, MRT), RAND from -0.1 to 0.1. It has no end. */
export function* pcpWaits(random: () => number = Math.random): Generator<number, void> {
  let previousMs = FIRST_WAIT_MS / 2
  for (;;) {
    const jitter = 0.9 + random() * 0.2
    previousMs = jitter * Math.min(2 * previousMs, PCP_LONGEST_WAIT_MS)
    yield previousMs
  }
}

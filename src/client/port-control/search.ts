/**
 * Who of several gateways speaks PCP or NAT-PMP: all are asked side by side, and whoever waits goes on with the first
 * answer, or with the best one so far.
 */
import { parseIPv4 } from '../../domain/address.js'
import { PortMappingError } from '../../domain/errors.js'
import type { Endpoint } from '../../net/datagrams.js'
import {
  type PortControlAnswer,
  type PortControlProtocol,
  type PortControlRefusal,
  type ProbeOptions,
  probeNatPmp,
  probePcp,
} from './probe.js'

/** Several gateways and protocols, asked side by side. */
export interface PortControlSearch {
  /** The first answer; undefined when nobody is left to answer, or the time is over. */
  readonly first: Promise<PortControlAnswer | undefined>
  /** Resolves when everybody has answered or cannot any more. */
  readonly finished: Promise<void>
  /** The best so far: PCP before NAT-PMP, and the preferred gateway first. */
  best(): PortControlAnswer | undefined
  readonly refusals: readonly PortControlRefusal[]
  /** Nobody is waited for any longer. */
  stop(): void
}

/** Of more default gateways than this the first ones are asked. */
export const MAX_PROBED_GATEWAYS = 4

export interface SearchPortControlOptions extends Omit<ProbeOptions, 'endpoint' | 'onSent'> {
  readonly endpoints: Promise<readonly Endpoint[]>
  /** In the order of preference. */
  readonly protocols: readonly PortControlProtocol[]
  /** Called once, when the first questions to all are on their way, or cannot be. */
  readonly onSent?: (() => void) | undefined
}

export function searchPortControl({
  endpoints,
  protocols,
  onSent,
  ...options
}: SearchPortControlOptions): PortControlSearch {
  const answers: PortControlAnswer[] = []
  const refusals: PortControlRefusal[] = []
  const stop = new AbortController()
  const { signal } = options.net
  const onAbort = (): void => stop.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted) onAbort()
  let known: readonly Endpoint[] = []
  let answerFirst: (answer: PortControlAnswer | undefined) => void = () => {}
  const first = new Promise<PortControlAnswer | undefined>((resolve) => {
    answerFirst = resolve
  })
  let isSent = false
  const tellSent = (): void => {
    if (!isSent && !stop.signal.aborted) onSent?.()
    isSent = true
  }
  let unsent = Number.POSITIVE_INFINITY
  const ask = async (endpoint: Endpoint, protocol: PortControlProtocol): Promise<void> => {
    let isCounted = false
    const countSent = (): void => {
      if (!isCounted && --unsent === 0) tellSent()
      isCounted = true
    }
    const probe = protocol === 'pcp' ? probePcp : probeNatPmp
    try {
      const answer = await probe({
        ...options,
        endpoint,
        onSent: countSent,
        net: { ...options.net, signal: stop.signal },
      })
      answers.push(answer)
      answerFirst(answer)
    } catch (error) {
      if (error instanceof PortMappingError) refusals.push({ protocol, endpoint, error })
      else if (!stop.signal.aborted) throw error
    } finally {
      countSent()
    }
  }
  const askAll = async (): Promise<void> => {
    known = (await endpoints).slice(0, MAX_PROBED_GATEWAYS)
    const questions = known.flatMap((endpoint) =>
      protocols
        .filter((protocol) => protocol === 'pcp' || parseIPv4(endpoint.address) !== undefined) // NAT-PMP is of IPv4
        .map((protocol) => ({ endpoint, protocol })),
    )
    unsent = questions.length
    await Promise.all(questions.map(({ endpoint, protocol }) => ask(endpoint, protocol)))
  }
  const finished = askAll().finally(() => {
    tellSent()
    answerFirst(undefined)
    signal?.removeEventListener('abort', onAbort)
  })
  finished.catch(() => {}) // whoever awaits it hears of a defect
  return { first, finished, best: () => bestOf(answers, known, protocols), refusals, stop: () => stop.abort() }
}

function bestOf(
  answers: readonly PortControlAnswer[],
  endpoints: readonly Endpoint[],
  protocols: readonly PortControlProtocol[],
): PortControlAnswer | undefined {
  const rank = (each: PortControlAnswer): number =>
    protocols.indexOf(each.protocol) * MAX_PROBED_GATEWAYS + endpoints.indexOf(each.endpoint)
  const best = answers.toSorted((a, b) => rank(a) - rank(b))[0]
  if (best === undefined) return undefined
  const address = answers.find((each) => each.endpoint === best.endpoint && each.externalAddress !== undefined)
  return { ...best, externalAddress: address?.externalAddress }
}

/** Everything that is sent, decoded: what the properties about requests are checked against. */

import { unlessMalformed } from '../../src/domain/errors.ts'
import { transportProtocolOf } from '../../src/domain/port-mapping.ts'
import { decodeNatPmpRequest, decodeNatPmpResponse, NAT_PMP_VERSION } from '../../src/wire/natpmp.ts'
import { decodePcpRequest, decodePcpResponse, PCP_VERSION } from '../../src/wire/pcp.ts'
import type { Sent } from './network.ts'
import { PORT_CONTROL, ROUTER } from './router.ts'
import type { World } from './world.ts'

/** RFC 6887 11.2.1. */
const CLOSEST_MS = 4000
/** So long after a delay an old answer may still look like a restart, after which everything is made anew. */
const DELAYED_MS = 10_000
/** Timers of different computers may round differently. */
const SLACK_MS = 5

interface LastMap {
  readonly atMs: number
  readonly boots: number
  readonly fromPort: number
  readonly externalPort: number
  readonly bytes: Uint8Array
  /** The mapping was not there for this keeper when the exchange began. */
  readonly isMaking: boolean
  isRefused?: true
}

export class Recorder {
  readonly #world: World
  /** The last request over PCP that makes or renews a mapping, by program and inside. */
  readonly #lastMaps = new Map<string, LastMap>()
  /** The program behind each port that PCP was asked from, as long as that may matter. */
  readonly #asking = new Map<number, string>()
  /** Until when a mapping was granted to a program, and in which boot of the router. */
  readonly #granted = new Map<string, { readonly untilMs: number; readonly boots: number }>()
  /** In which boot a program has asked again at once for what was refused. */
  readonly #restartsKnown = new Map<string, number>()
  /** How many requests the keeper has sent to the router. */
  requests = 0
  /** Called before each of them is carried. */
  onRequest: () => void = () => {}

  constructor(world: World) {
    this.#world = world
    world.network.onSent = (sent, by) => this.#hear(sent, by)
  }

  #hear(sent: Sent, by: string): void {
    const { log } = this.#world
    if (log !== undefined) {
      const text = textOf(sent)
      if (text !== '') log(`${by}: ${text}`)
    }
    if (by === 'router') {
      if (sent.kind === 'datagram') this.#hearRouter(sent)
      return
    }
    if (sent.to.address !== ROUTER || (sent.kind === 'datagram' && sent.to.port !== PORT_CONTROL)) return
    if (by === 'keeper') {
      this.requests++
      this.onRequest()
    }
    if (sent.kind === 'datagram' && sent.bytes[0] === PCP_VERSION) this.#hearPcp(sent, by)
  }

  #hearPcp({ bytes, from }: Extract<Sent, { kind: 'datagram' }>, by: string): void {
    const request = decodePcpRequest(bytes)
    if (request.kind !== 'MAP-request' || request.lifetimeSeconds === 0) return
    const { timeline, router, network } = this.#world
    const { suggestedExternalPort: externalPort } = request
    const key = `${by} ${insideOf(request)}`
    const [last, atMs] = [this.#lastMaps.get(key), timeline.nowMs]
    const isSame = last !== undefined && last.fromPort === from.port && Buffer.compare(last.bytes, bytes) === 0
    const granted = this.#granted.get(key)
    this.#asking.set(from.port, by)
    const isMaking = isSame
      ? last.isMaking
      : granted === undefined || granted.untilMs <= atMs || granted.boots !== router.boots
    this.#lastMaps.set(key, { atMs, boots: router.boots, fromPort: from.port, externalPort, bytes, isMaking })
    if (last?.externalPort !== externalPort) return // to ask for another external port is another question
    if (last === undefined || atMs - last.atMs >= CLOSEST_MS - SLACK_MS) return
    if (atMs - network.delayedMs < DELAYED_MS || last.boots !== router.boots || (isSame && isMaking)) return
    if (last.isRefused === true && this.#restartsKnown.get(key) !== router.boots) {
      // Another epoch is a reason to ask again at once, and a refusal may be the first that is heard of a restart.
      this.#restartsKnown.set(key, router.boots)
      return
    }
    const how = isSame ? 'sent again' : isMaking ? 'asked for again' : 'renewed'
    this.#world.fail('pcpPacing', `${key} was ${how} ${atMs - last.atMs} ms after the last request for it`)
  }

  #hearRouter({ bytes, to }: Extract<Sent, { kind: 'datagram' }>): void {
    if (bytes[0] !== PCP_VERSION || (bytes[1] ?? 0) < 0x80) return
    const response = unlessMalformed(() => decodePcpResponse(bytes))
    if (response?.kind !== 'MAP-response') return
    const { timeline, router } = this.#world
    const key = `${this.#asking.get(to.port)} ${insideOf(response)}`
    const last = this.#lastMaps.get(key)
    if (response.resultCode !== 0) {
      if (last !== undefined) last.isRefused = true
      return
    }
    const untilMs = timeline.nowMs + response.lifetimeSeconds * 1000
    this.#granted.set(key, { untilMs, boots: router.boots })
  }
}

function insideOf({ protocol, internalPort }: { readonly protocol: number; readonly internalPort: number }): string {
  return `${transportProtocolOf(protocol) ?? protocol} ${internalPort}`
}

/** One line for the log. Empty for what would only fill it. */
function textOf(sent: Sent): string {
  const where = `${sent.from.address}:${sent.from.port} > ${sent.to.address}:${sent.to.port}`
  if (sent.kind === 'http') {
    const action = /#(\w+)/.exec(sent.request.headers.get('soapaction') ?? '')?.[1] ?? sent.request.target
    const args = [...sent.request.body.toString().matchAll(/<(New\w+)>([^<]*)</g)].map(([, , value]) => value)
    return `${where} ${sent.request.method} ${action} ${args.join(' ')}`
  }
  const { bytes } = sent
  if (bytes[0] === PCP_VERSION || bytes[0] === NAT_PMP_VERSION) {
    const isResponse = (bytes[1] ?? 0) >= 0x80
    const message = unlessMalformed(() => {
      if (bytes[0] === PCP_VERSION) return isResponse ? decodePcpResponse(bytes) : decodePcpRequest(bytes)
      return isResponse ? decodeNatPmpResponse(bytes) : decodeNatPmpRequest(bytes)
    })
    return `${where} ${JSON.stringify(message)}`
  }
  return `${where} ${Buffer.from(bytes)
    .toString('latin1')
    .split('\r\n')
    .filter((line) => /^(M-S|NOT|HTTP|NTS?|ST|BOOT)/.test(line))
    .join(' ')}`
}

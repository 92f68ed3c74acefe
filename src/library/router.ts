/**
 * The router: one device on the way out that speaks up to three protocols. A mapping can be closed only in the protocol
 * in which it was made. So what this user has made is remembered, and whoever is not remembered is looked for.
 */
import { mappingsMadeAt } from '../client/mapping-memory.js'
import { beganWallMs } from '../client/port-control/gateway-base.js'
import type { FoundPortControl } from '../client/search/open-gateway.js'
import { isSameAddress } from '../domain/address.js'
import { PortMappingError, RefusedError, upnpErrorOf } from '../domain/errors.js'
import type { Gateway, IgdGateway, PortControlGateway } from '../domain/gateway.js'
import type { GatewayProtocol, MappingKey, PortMapping } from '../domain/port-mapping.js'
import { UPNP_ERRORS, upnpErrorName } from '../domain/upnp-errors.js'
import type { PrivateFiles } from '../net/files/private-files.js'
import type { ClientNet } from '../net/network.js'
import { forgetMark } from './keeping/own-marks.js'
import { isKept } from './keeping/running-keepers.js'

export interface RouterNet extends Pick<ClientNet, 'clock' | 'interfaces' | 'hardwareAddress'> {
  readonly files: PrivateFiles
}

/** What one protocol answered. */
export interface UnmapAttempt {
  readonly via: GatewayProtocol
  /** Undefined if the protocol said yes. */
  readonly error?: PortMappingError | undefined
}

/** Worth telling about the end of a mapping, or why it has not ended. */
export type UnmapRemark =
  /** Closed, but another program or user of this computer seems to have made it. */
  | { readonly kind: 'made-by-another'; readonly mapping: PortMapping }
  /** The protocol says yes even if there was nothing, and nothing is remembered. */
  | { readonly kind: 'deleted-unknown'; readonly via: 'pcp' | 'nat-pmp' }
  /** The protocol said yes, but the router does not give that port to anybody else: it may still be open. */
  | { readonly kind: 'still-taken'; readonly via: 'pcp' | 'nat-pmp' }
  /** NAT-PMP would close whatever leads to the same inside, so only what is remembered is closed. */
  | { readonly kind: 'not-remembered' }
  /** The router does not speak the protocol any more in which it was made. It ends then; Infinity: never. */
  | { readonly kind: 'protocol-gone'; readonly via: GatewayProtocol; readonly endsWallMs: number }
  /** A running keeper of this user would open it again. */
  | { readonly kind: 'kept' }
  /** Made for internal port 0: its deletion would close all that this computer has opened over NAT-PMP. */
  | { readonly kind: 'ends-with-lease'; readonly endsWallMs: number }

export interface Unmapped {
  readonly isClosed: boolean
  /** In order. */
  readonly attempts: readonly UnmapAttempt[]
  readonly remark?: UnmapRemark | undefined
}

/** Of a mapping: this computer or this user, or another computer. */
export type Owner = { readonly isOwn: true } | { readonly isOwn: false; readonly mapping: PortMapping }

/** RFC 6887 7.4, 15: the mapping has another nonce. */
const NOT_AUTHORIZED = 2

/** A gateway over which this user has made the mapping. */
interface Maker {
  readonly gateway: Gateway
  /** It has lost its state since then, so that its yes means nothing. */
  readonly hasLostIt: boolean
}

interface FoundRouter {
  readonly gateway: Gateway
  readonly isOnly: boolean
  readonly askOthers: () => Promise<readonly Pick<FoundPortControl, 'gateway'>[]>
}

export class Router {
  readonly #found: FoundRouter
  readonly #net: RouterNet
  #others: Promise<readonly PortControlGateway[]> | undefined

  /** `isOnly`: the user named the gateway or the protocol, and no other is asked. */
  constructor(found: FoundRouter, net: RouterNet) {
    this.#found = found
    this.#net = net
  }

  get address(): string {
    return addressOf(this.#found.gateway)
  }

  /** The protocols that it speaks, first the one that is used. */
  async protocols(): Promise<readonly GatewayProtocol[]> {
    return [...new Set((await this.gateways()).map(({ protocol }) => protocol))]
  }

  /** One for each protocol that it speaks, first the one that is used. */
  async gateways(): Promise<readonly Gateway[]> {
    const { gateway, isOnly } = this.#found
    const others = isOnly ? [] : await this.#otherGateways()
    return [gateway, ...others.filter(({ protocol }) => protocol !== gateway.protocol)]
  }

  /**
   * Whose a mapping is: undefined if there is none, 'untold' if nobody can say. What this user has made over UPnP may be
   * gone, and an IGD lets everybody close what somebody else has opened there since. @throws PortMappingError
   */
  async ownerOf(key: MappingKey): Promise<Owner | undefined | 'untold'> {
    const { gateway } = this.#found
    const { makers, gone, clients } = await this.#makersOf(key)
    const isRemembered = makers.length > 0 || gone !== undefined
    if (isRemembered && !makers.some((maker) => maker.gateway.protocol === 'igd')) return { isOwn: true }
    if (gateway.protocol !== 'igd') return 'untold'
    const mapping = await gateway.find(key, { surely: true })
    const isOnlyOfIgd = gone === undefined && makers.every((maker) => maker.gateway.protocol === 'igd')
    if (mapping === undefined && isOnlyOfIgd) return undefined
    if (typeof mapping !== 'object') return isRemembered ? { isOwn: true } : mapping
    const isOwn = this.#isOfThisComputer(mapping) || clients.includes(mapping.internalClient)
    return isOwn ? { isOwn } : { isOwn, mapping }
  }

  /** Closes a mapping in the protocol in which it was made. @throws what is no PortMappingError */
  async unmap(key: MappingKey): Promise<Unmapped> {
    const unmapped = await this.#unmap(key)
    const isGone = unmapped.attempts.some(({ via, error }) => via === 'igd' && isNotThere(error))
    if (unmapped.isClosed || isGone) await forgetMark(this.#net.files, this.#found.gateway, key)
    return unmapped
  }

  async #unmap(key: MappingKey): Promise<Unmapped> {
    const { gateway, isOnly } = this.#found
    const { files, clock } = this.#net
    // Whatever is closed over PCP without a remote host is closed for all of them.
    const forAnyHost = key.remoteHost === '' && gateway.protocol === 'pcp'
    if (await isKept(files, clock, this.address, key, forAnyHost))
      return { isClosed: false, attempts: [], remark: { kind: 'kept' } }
    const endsWallMs = isOnly && gateway.protocol !== 'nat-pmp' ? undefined : await this.#endOfSamePort(key)
    if (endsWallMs !== undefined)
      return { isClosed: false, attempts: [], remark: { kind: 'ends-with-lease', endsWallMs } }
    if (isOnly) return this.#unmapOver(gateway, key)
    const { makers, gone } = await this.#makersOf(key)
    const closed = makers.length > 0 ? await this.#unmapOverAll(makers, key) : undefined
    if (gone !== undefined)
      return { isClosed: false, attempts: closed?.attempts ?? [], remark: { kind: 'protocol-gone', ...gone } }
    if (closed !== undefined) return closed
    return gateway.protocol === 'igd'
      ? this.#lookAndUnmap(gateway, key)
      : this.#unmapUnseen(await this.#spoken(), key, [])
  }

  /** When the lease ends, if this user has made the mapping for internal port 0. */
  async #endOfSamePort(key: MappingKey): Promise<number | undefined> {
    const { files, clock } = this.#net
    for (const { via, internalPort, identity, endsWallMs } of await mappingsMadeAt(files, clock, this.address, key))
      if (internalPort === 0 && (await this.#mayBeHere(via, identity))) return endsWallMs
    return undefined
  }

  /** The gateways over which this user has made it, and for whom; or a protocol of it that is not spoken any more. */
  async #makersOf(key: MappingKey) {
    const { files, clock } = this.#net
    const made = await mappingsMadeAt(files, clock, this.address, key)
    const makers: Maker[] = []
    const clients: string[] = []
    let gone: { readonly via: GatewayProtocol; readonly endsWallMs: number } | undefined
    for (const { via, remoteHost, internalClient, identity, madeWallMs, endsWallMs } of made) {
      // To PCP a mapping for one remote host is the same as one for all.
      const isMeant = remoteHost === key.remoteHost || (via === 'pcp' && key.remoteHost === '')
      if (!isMeant || makers.some(({ gateway }) => gateway.protocol === via)) continue
      const gateway = await this.#gatewayOf(via)
      if (gateway === undefined) gone = (await this.#mayBeHere(via, identity)) ? { via, endsWallMs } : gone
      else if (await gateway.remembers(key)) {
        const { epochSeconds } = gateway
        const hasLostIt = epochSeconds !== undefined && madeWallMs < beganWallMs(this.#net, epochSeconds)
        makers.push({ gateway, hasLostIt })
        clients.push(internalClient)
      }
    }
    return { makers, gone, clients }
  }

  /** Whether a mapping may have been made at this router, and not at another one with the same address. */
  async #mayBeHere(via: GatewayProtocol, identity: string): Promise<boolean> {
    if (via === 'igd') return true // only its UDN would tell
    return ((await this.#net.hardwareAddress?.(this.address)) ?? '') === identity
  }

  async #gatewayOf(via: GatewayProtocol): Promise<Gateway | undefined> {
    const { gateway } = this.#found
    if (gateway.protocol === via) return gateway
    return via === 'igd' ? undefined : (await this.#otherGateways()).find(({ protocol }) => protocol === via)
  }

  /** PCP and NAT-PMP, if it speaks them. */
  #otherGateways(): Promise<readonly PortControlGateway[]> {
    this.#others ??= this.#found.askOthers().then((found) => found.map(({ gateway }) => gateway))
    return this.#others
  }

  async #spoken(): Promise<readonly PortControlGateway[]> {
    const { gateway } = this.#found
    return gateway.protocol === 'igd' ? this.#otherGateways() : [gateway]
  }

  /** As it was asked for, whatever is remembered. */
  async #unmapOver(gateway: Gateway, key: MappingKey): Promise<Unmapped> {
    const isKnown = await gateway.remembers(key)
    const attempt = await attemptOver(gateway, key)
    if (attempt.error !== undefined) return { isClosed: false, attempts: [attempt] }
    return isKnown || gateway.protocol === 'igd'
      ? { isClosed: true, attempts: [attempt] }
      : unknown(gateway, attempt, key)
  }

  async #unmapOverAll(makers: readonly Maker[], key: MappingKey): Promise<Unmapped> {
    const attempts: UnmapAttempt[] = []
    for (const { gateway, hasLostIt } of makers) {
      const attempt = await attemptOver(gateway, key)
      attempts.push(attempt)
      const isToBeLookedFor = hasLostIt && attempt.error === undefined && gateway.protocol !== 'igd'
      if (isToBeLookedFor && (await gateway.isFree(key)) === false)
        return { isClosed: false, attempts, remark: { kind: 'still-taken', via: gateway.protocol } }
    }
    const others = attempts.filter(({ error }) => !isNotThere(error))
    const counting = others.length > 0 ? others : attempts // what is gone from one is to be closed in the others
    return { isClosed: counting.every(({ error }) => error === undefined), attempts: counting }
  }

  async #lookAndUnmap(igd: IgdGateway, key: MappingKey): Promise<Unmapped> {
    const found = await unlessItFails(igd.find(key, { surely: true }))
    if (found === undefined) {
      const others = await this.#otherGateways()
      if (others.length > 0) return this.#unmapUnseen(others, key, [{ via: 'igd', error: notThere() }])
    }
    const attempt = await attemptOver(igd, key)
    if (isNotThere(attempt.error) && found !== undefined)
      return this.#unmapUnseen(await this.#otherGateways(), key, [attempt])
    const isOther = typeof found === 'object' && this.#isOfThisComputer(found)
    const isClosed = attempt.error === undefined
    const remark = isClosed && isOther ? ({ kind: 'made-by-another', mapping: found } as const) : undefined
    return { isClosed, attempts: [attempt], remark }
  }

  #isOfThisComputer({ internalClient }: PortMapping): boolean {
    return this.#net.interfaces().some(({ address }) => isSameAddress(address, internalClient))
  }

  /** Over PCP the nonce protects what is somebody else's. NAT-PMP has nothing like it. */
  async #unmapUnseen(
    gateways: readonly PortControlGateway[],
    key: MappingKey,
    before: readonly UnmapAttempt[],
  ): Promise<Unmapped> {
    const pcp = gateways.find(({ protocol }) => protocol === 'pcp')
    if (pcp === undefined) {
      const remark = gateways.length > 0 ? ({ kind: 'not-remembered' } as const) : undefined
      return { isClosed: false, attempts: before, remark }
    }
    const attempt = await attemptOver(pcp, key)
    if (before.length > 0) {
      // The IGD showed nothing, and PCP cannot say more, unless the mapping is somebody else's.
      const isAnothers = attempt.error instanceof RefusedError && attempt.error.number === NOT_AUTHORIZED
      return { isClosed: false, attempts: isAnothers ? [...before, attempt] : before }
    }
    if (attempt.error !== undefined) return { isClosed: false, attempts: [attempt] }
    return unknown(pcp, attempt, key)
  }
}

/** PCP and NAT-PMP say yes even if there was nothing, or something with another inside. So it is looked for. */
async function unknown(gateway: PortControlGateway, attempt: UnmapAttempt, key: MappingKey): Promise<Unmapped> {
  const isTaken = (await gateway.isFree(key)) === false
  const kind = isTaken ? 'still-taken' : 'deleted-unknown'
  return { isClosed: !isTaken, attempts: [attempt], remark: { kind, via: gateway.protocol } }
}

/** By which a router is known in all that is remembered of it. */
export function addressOf({ address = '' }: Pick<Gateway, 'address'>): string {
  return address
}

/**
 * The protocol in which the mappings were made at the router with that address; undefined if not known, or several.
 * `ofEach`: undefined also if it is not known of one of them.
 */
export async function protocolOf(
  keys: readonly MappingKey[],
  address: string,
  { files, clock, hardwareAddress }: Pick<RouterNet, 'files' | 'clock' | 'hardwareAddress'>,
  ofEach = false,
): Promise<GatewayProtocol | undefined> {
  const made = await Promise.all(keys.map((key) => mappingsMadeAt(files, clock, address, key)))
  const isPortControl = made.flat().some(({ via }) => via !== 'igd')
  const hardware = isPortControl ? ((await hardwareAddress?.(address)) ?? '') : ''
  const here = made.map((each) => each.filter(({ via, identity }) => via === 'igd' || identity === hardware))
  const [protocol, ...others] = new Set(here.flat().map(({ via }) => via))
  const isKnown = !ofEach || here.every(({ length }) => length > 0)
  return isKnown && others.length === 0 ? protocol : undefined
}

async function attemptOver(gateway: Gateway, key: MappingKey): Promise<UnmapAttempt> {
  try {
    await gateway.unmap(key)
    return { via: gateway.protocol }
  } catch (error) {
    if (error instanceof PortMappingError) return { via: gateway.protocol, error }
    throw error
  }
}

async function unlessItFails<T>(asked: Promise<T>): Promise<T | 'untold'> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof PortMappingError) return 'untold'
    throw error
  }
}

function isNotThere(error: PortMappingError | undefined): boolean {
  return upnpErrorOf(error) === UPNP_ERRORS.NoSuchEntryInArray
}

/** As DeletePortMapping would say it. */
function notThere(): RefusedError {
  const number = UPNP_ERRORS.NoSuchEntryInArray
  return new RefusedError({ action: 'DeletePortMapping', number, standardName: upnpErrorName(number) })
}

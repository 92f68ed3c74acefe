/**
 * What the calls of one program share on one network. They ask the same router: if they did not know each other, each
 * would take the ports of the others for a stranger's, or close them. It hangs on the network that a call is given, and
 * not on the module, so that each emulated network has its own, which goes with it. Worker threads and other copies of
 * this package have their own too, and know each other by their files, as other programs do.
 */
import type { GatewayProtocol, MappingKey } from '../../domain/port-mapping.js'
import { systemClock } from '../../net/clock.js'
import { memoryFiles, type PrivateFiles } from '../../net/files/private-files.js'
import type { Net } from '../where.js'

export interface ThisProgram {
  /** For the calls that store nothing. */
  readonly memory: PrivateFiles
  readonly ports: HeldPorts
}

const THIS_COMPUTER: Net = { clock: systemClock }
const PROGRAMS = new WeakMap<Net, ThisProgram>()

/** Without a network it is that of this computer. */
export function programOn(net: Net = THIS_COMPUTER): ThisProgram {
  const known = PROGRAMS.get(net)
  if (known !== undefined) return known
  const program = { memory: memoryFiles(), ports: new HeldPorts() }
  PROGRAMS.set(net, program)
  return program
}

/** What is held: two that agree in all of it share one mapping or pinhole. */
export interface HeldPlace {
  /** Its address. */
  readonly router: string
  /** The protocol in which it was made, which alone can close it. */
  readonly via: GatewayProtocol
  /** What only one mapping can have. */
  readonly outside: string
  readonly internalClient: string
  readonly internalPort: number
}

/** One thing that a keeper keeps. */
export interface Holder {
  /** It has made what it holds, or may have, and will remove it. */
  readonly hasMade: boolean
  /** Nobody renews it, and its lease has ended. */
  readonly isOver: boolean
  /** It is to be asked for again at once: what it shares may be gone, or have the lease of somebody else. */
  readonly renew: () => void
}

interface Ending {
  readonly isOver: Promise<void>
  readonly finish: () => void
}

/** What the keepers of one program hold. */
export class HeldPorts {
  readonly #places = new Map<Holder, HeldPlace>()
  readonly #holders = new Map<string, Set<Holder>>()
  /** They are being closed. */
  readonly #endings = new Map<Holder, Ending>()
  readonly #closed = new WeakSet<Holder>()

  /**
   * Holds that place, before it is asked for. What is being closed there is waited for: it would take the new one away.
   * Returns what another one holds there, if that leads to another inside.
   */
  async take(holder: Holder, place: HeldPlace): Promise<HeldPlace | undefined> {
    for (;;) {
      const others = this.#othersAt(holder, place)
      const ending = others.map((other) => this.#endings.get(other)).find((each) => each !== undefined)
      if (ending !== undefined) {
        await ending.isOver
        continue
      }
      const other = others.map((each) => this.#places.get(each)).find((each) => each && !isSameInside(each, place))
      if (other === undefined) this.hold(holder, place)
      return other
    }
  }

  /** It has that place, whatever it asked for. */
  hold(holder: Holder, place: HeldPlace): void {
    if (this.#closed.has(holder)) return
    this.#letGo(holder)
    const at = nameOf(place)
    this.#places.set(holder, place)
    this.#holders.set(at, (this.#holders.get(at) ?? new Set()).add(holder))
  }

  /** Another one that has the same open, and goes on. */
  sharerOf(holder: Holder, place: HeldPlace): Holder | undefined {
    return this.#othersAt(holder, place).find((other) => {
      const held = this.#places.get(other)
      if (held === undefined || held.via !== place.via || !isSameInside(held, place)) return false
      return other.hasMade && !this.#endings.has(other)
    })
  }

  /** Whether another one than `except` holds it, open or not. `forAnyHost`: for whatever remote host. */
  isHeld(router: string, key: MappingKey, { except, forAnyHost = false }: WhoseHold = {}): boolean {
    const at = nameOf({ router, outside: outsideOf(forAnyHost ? { ...key, remoteHost: '' } : key) })
    const names = forAnyHost ? [...this.#holders.keys()].filter((name) => name.startsWith(at)) : [at]
    return names.some((name) =>
      [...(this.#holders.get(name) ?? [])].some((holder) => holder !== except && !holder.isOver),
    )
  }

  /** Where that outside leads, if it is held for another inside than this. */
  otherInsideAt(place: HeldPlace): HeldPlace | undefined {
    const holders = [...(this.#holders.get(nameOf(place)) ?? [])].filter(({ isOver }) => !isOver)
    return holders.map((each) => this.#places.get(each)).find((each) => each && !isSameInside(each, place))
  }

  /** Whether another one has made it, and goes on. */
  isMade(router: string, key: MappingKey, except: Holder): boolean {
    const holders = [...(this.#holders.get(nameOf({ router, outside: outsideOf(key) })) ?? [])]
    return holders.some((each) => each !== except && each.hasMade && !each.isOver && !this.#endings.has(each))
  }

  /** From now on nobody leaves anything to these. */
  end(holders: readonly Holder[]): void {
    for (const holder of holders) {
      if (this.#endings.has(holder) || this.#closed.has(holder)) continue
      let finish = (): void => {}
      const isOver = new Promise<void>((resolve) => {
        finish = resolve
      })
      this.#endings.set(holder, { isOver, finish })
    }
  }

  /** All that can be closed is closed. */
  close(holders: readonly Holder[]): void {
    for (const holder of holders) {
      const place = this.#places.get(holder)
      this.#closed.add(holder)
      this.#letGo(holder)
      this.#endings.get(holder)?.finish()
      this.#endings.delete(holder)
      const others = place === undefined ? [] : this.#othersAt(holder, place)
      for (const other of others) if (!this.#endings.has(other)) other.renew()
    }
  }

  #letGo(holder: Holder): void {
    const place = this.#places.get(holder)
    if (place === undefined) return
    this.#places.delete(holder)
    const at = nameOf(place)
    const holders = this.#holders.get(at)
    holders?.delete(holder)
    if (holders?.size === 0) this.#holders.delete(at)
  }

  #othersAt(holder: Holder, place: HeldPlace): readonly Holder[] {
    const others = [...(this.#holders.get(nameOf(place)) ?? [])].filter((other) => other !== holder)
    for (const other of others) if (other.isOver) this.#letGo(other)
    return others.filter(({ isOver }) => !isOver)
  }
}

interface WhoseHold {
  readonly except?: Holder | undefined
  readonly forAnyHost?: boolean
}

/** The outside of a mapping. */
export function outsideOf({ externalPort, protocol, remoteHost }: MappingKey): string {
  return `${externalPort}/${protocol}/${remoteHost}`
}

function nameOf({ router, outside }: Pick<HeldPlace, 'router' | 'outside'>): string {
  return `${router} ${outside}`
}

function isSameInside(one: HeldPlace, other: HeldPlace): boolean {
  return one.internalClient === other.internalClient && one.internalPort === other.internalPort
}

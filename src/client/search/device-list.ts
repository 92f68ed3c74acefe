/** The devices that a search has heard of, bounded: whoever makes up neighbours can fill it, but not with one sender's name. */
import { SEARCH_TARGETS } from './ssdp-search.js'

/** What LAN peers can make us keep and ask. */
export const MAX_DEVICES = 64
export const MAX_DEVICES_PER_SENDER = 16

/** A device that answered the search; texts from the network, not cleaned for a terminal. */
export interface FoundDevice {
  readonly location: string
  /** The search target that it answered to; where it answered to several, the one that says most. */
  readonly searchTarget: string
  readonly server: string
}

/** As somebody else has heard of it. */
export interface KnownDevice {
  readonly LOCATION: string
  readonly ST: string
}

export class DeviceList {
  /** With the sender that told of it first: nobody else may change it. */
  readonly #devices = new Map<string, FoundDevice & { readonly sender: string }>()
  readonly #perSender = new Map<string, number>()
  readonly #alwaysHasRoomFor: (sender: string) => boolean

  /** A full list still has room for the senders that are named here: the default gateway. */
  constructor(alwaysHasRoomFor: (sender: string) => boolean) {
    this.#alwaysHasRoomFor = alwaysHasRoomFor
  }

  /** Whether it is new. `key` tells devices apart. */
  add(key: string, device: FoundDevice, sender: string): boolean {
    const known = this.#devices.get(key)
    if (known !== undefined && known.sender !== sender) return false
    if (known === undefined && !this.#hasRoomFor(sender)) return false
    const searchTarget = moreTelling(known?.searchTarget, device.searchTarget)
    this.#devices.set(key, { ...device, searchTarget, sender })
    return known === undefined
  }

  /** In the order in which they were heard of. */
  all(): FoundDevice[] {
    return [...this.#devices.values()].map(({ sender: _, ...device }) => device)
  }

  #hasRoomFor(sender: string): boolean {
    const sofar = this.#perSender.get(sender) ?? 0
    const isFull = this.#devices.size >= MAX_DEVICES && !this.#alwaysHasRoomFor(sender)
    if (isFull || sofar >= MAX_DEVICES_PER_SENDER) return false
    this.#perSender.set(sender, sofar + 1)
    return true
  }
}

/** Of two search targets that one device answered to, the earlier one in our list. */
function moreTelling(known: string | undefined, heard: string): string {
  const rank = (target: string): number => {
    const at = (SEARCH_TARGETS as readonly string[]).indexOf(target)
    return at === -1 ? SEARCH_TARGETS.length : at
  }
  return known === undefined || rank(heard) < rank(known) ? heard : known
}

/** Whether who answers to it calls itself an IGD, and is not just any device. */
export function isIgdTarget(searchTarget: string): boolean {
  return /InternetGatewayDevice|WAN(IP|PPP)Connection/i.test(searchTarget)
}

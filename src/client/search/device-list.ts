/** The devices that a search has heard of. LAN peers can fill it, but one sender alone cannot. */
import { rankOfTarget } from './ssdp-search.js'

/** What LAN peers can make us keep and ask. */
export const MAX_DEVICES = 64
export const MAX_DEVICES_PER_SENDER = 16

/** A device that answered the search. Its texts come from the network, and are not cleaned for a terminal. */
export interface FoundDevice {
  readonly location: string
  /** The search target that it answered to. If there are several, the most specific one. */
  readonly searchTarget: string
  readonly server: string
}

/** However full the list is, the router has places: for what anybody says of it, and for what only it can say. */
export const ROUTERS_PLACE = 'router'
export const ROUTERS_OWN_PLACE = 'router alone'

interface Entry extends FoundDevice {
  /** The first one that told of the device. Nobody else may change the entry. */
  readonly sender: string
  /** Whose place it takes. */
  readonly place: string
}

export class DeviceList {
  readonly #devices = new Map<string, Entry>()

  /** Returns whether the device is new. `key` tells devices apart. `place` is the sender, or one of the router's. */
  add(key: string, device: FoundDevice, sender: string, place = sender): boolean {
    const known = this.#devices.get(key)
    if (known !== undefined && known.sender !== sender) return false
    if (known === undefined && !this.#hasRoomFor(place)) return false
    const isBetter = known === undefined || rankOfTarget(device.searchTarget) < rankOfTarget(known.searchTarget)
    const searchTarget = isBetter ? device.searchTarget : known.searchTarget
    this.#devices.set(key, { ...device, searchTarget, sender, place: known?.place ?? place })
    return known === undefined
  }

  has(key: string): boolean {
    return this.#devices.has(key)
  }

  placeOf(key: string): string | undefined {
    return this.#devices.get(key)?.place
  }

  remove(key: string): void {
    this.#devices.delete(key)
  }

  /** In the order in which they were heard. */
  all(): FoundDevice[] {
    return [...this.#devices.values()].map(({ sender: _, place: __, ...device }) => device)
  }

  #hasRoomFor(place: string): boolean {
    const isKept = place === ROUTERS_PLACE || place === ROUTERS_OWN_PLACE
    if (!isKept && this.#devices.size >= MAX_DEVICES) return false
    let taken = 0
    for (const each of this.#devices.values()) if (each.place === place) taken++
    return taken < MAX_DEVICES_PER_SENDER
  }
}

/**
 * The SSDP side of the emulated gateway: replies to searches, and announcements (UPnP Device Architecture 1.1, chapter
 * 1). There is one message for the root device, one for the UDN and one for the type of each device, and one for each
 * service.
 */
import { allDevices, type Device } from '../../wire/description.js'
import { encodeNotify, encodeSearchReply, type SearchRequest } from '../../wire/ssdp.js'

/** CACHE-CONTROL: how long an announcement is valid. */
export const MAX_AGE_SECONDS = 1800

export interface SsdpResponderOptions {
  readonly device: Device
  /** The URL of the description. */
  readonly location: string
  readonly server: string
  /** BOOTID.UPNP.ORG: greater than at the last start (UDA 1.1 1.2). */
  readonly bootId: number
}

export interface SsdpResponder {
  /** The replies, in the order of the device tree. None if the search is for something else. */
  answer(search: SearchRequest): Uint8Array[]
  alive(): Uint8Array[]
  byebye(): Uint8Array[]
}

interface Offer {
  readonly UDN: string
  readonly NT: string
}

export function createSsdpResponder({ device, location, server, bootId }: SsdpResponderOptions): SsdpResponder {
  const offers = offersOf(device)
  const common = { LOCATION: location, SERVER: server, maxAge: MAX_AGE_SECONDS, BOOTID: String(bootId) }
  return {
    answer: ({ ST }) =>
      matching(offers, ST).map((offer) => encodeSearchReply({ ...common, ST: offer.NT, USN: usnOf(offer) })),
    alive: () => offers.map((offer) => encodeNotify({ ...common, NTS: 'ssdp:alive', NT: offer.NT, USN: usnOf(offer) })),
    byebye: () =>
      offers.map((offer) =>
        encodeNotify({
          NTS: 'ssdp:byebye',
          NT: offer.NT,
          USN: usnOf(offer),
          LOCATION: '',
          SERVER: '',
          maxAge: undefined,
          BOOTID: common.BOOTID,
        }),
      ),
  }
}

/** UDA 1.1 tables 1-1 to 1-3. */
function offersOf(root: Device): Offer[] {
  const rootDevice = { UDN: root.UDN, NT: 'upnp:rootdevice' }
  const others = [...allDevices(root)].flatMap(({ UDN, deviceType, serviceList }) =>
    [UDN, deviceType, ...serviceList.map((service) => service.serviceType)].map((NT) => ({ UDN, NT })),
  )
  return [rootDevice, ...others]
}

function usnOf({ UDN, NT }: Offer): string {
  return NT === UDN ? UDN : `${UDN}::${NT}`
}

function matching(offers: readonly Offer[], ST: string): Offer[] {
  if (ST === 'ssdp:all') return [...offers]
  // UDA 1.1 1.3.2: if the search is for an older version, ST and USN of the reply have that version.
  return offers.filter(({ NT }) => isOrSucceeds(NT, ST)).map(({ UDN }) => ({ UDN, NT: ST }))
}

function isOrSucceeds(NT: string, ST: string): boolean {
  if (NT === ST) return true
  const [, offeredType, offeredVersion] = versioned(NT)
  const [, askedType, askedVersion] = versioned(ST)
  return offeredType !== undefined && offeredType === askedType && Number(askedVersion) < Number(offeredVersion)
}

function versioned(urn: string): readonly (string | undefined)[] {
  return /^(urn:.+):([1-9]\d?)$/.exec(urn) ?? []
}

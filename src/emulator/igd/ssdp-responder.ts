/**
 * The SSDP side of the emulated gateway (UPnP Device Architecture 1.1, chapter 1): a search in, the replies out, and
 * the announcements. A message each for the root device, for every device's UDN and type, and for every service.
 */
import { allDevices, type Device } from '../../wire/description.js'
import { encodeNotify, encodeSearchReply, type SearchRequest } from '../../wire/ssdp.js'

/** CACHE-CONTROL: how long an announcement counts. */
export const MAX_AGE_SECONDS = 1800

export interface SsdpResponderOptions {
  readonly device: Device
  /** The URL of the description. */
  readonly location: string
  readonly server: string
  /** Greater than at the last start (UDA 1.1 1.2). */
  readonly bootId: number
}

export interface SsdpResponder {
  /** In the order of the device tree; none where the search is for something else. */
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
  // UDA 1.1 1.3.2: whoever asks for an older version is answered with that version, in ST and USN.
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

/**
 * What holds for every codec: what is written is read back, and of any bytes comes a value or a MalformedMessageError.
 * The examples are in the test of each codec.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MalformedMessageError } from '../../src/domain/errors.ts'
import { type Device, decodeDescription, encodeDescription, type Service } from '../../src/wire/description.ts'
import { decodeEventHead, decodePropertySet, decodeSubscription } from '../../src/wire/gena.ts'
import {
  decodeMiniSsdpdReply,
  decodeMiniSsdpdRequest,
  decodeMiniSsdpdVersion,
  encodeMiniSsdpdReply,
  encodeMiniSsdpdRequest,
  encodeMiniSsdpdVersion,
  type MiniSsdpdRequest,
} from '../../src/wire/minissdpd.ts'
import {
  decodeNatPmpRequest,
  decodeNatPmpResponse,
  encodeNatPmpRequest,
  encodeNatPmpResponse,
  type NatPmpRequest,
  type NatPmpResponse,
} from '../../src/wire/natpmp.ts'
import {
  decodePcpRequest,
  decodePcpResponse,
  encodePcpRequest,
  encodePcpResponse,
  type PcpRequest,
  type PcpResponse,
} from '../../src/wire/pcp.ts'
import type { PcpOption } from '../../src/wire/pcp-options.ts'
import { decodePortListing, encodePortListing, type PortMappingEntry } from '../../src/wire/port-listing.ts'
import {
  decodeSoapReply,
  decodeSoapRequest,
  encodeSoapFault,
  encodeSoapRequest,
  encodeSoapResponse,
  parseSoapReply,
  type SoapRequest,
  soapActionHeader,
} from '../../src/wire/soap.ts'
import { decodeSsdp, encodeNotify, encodeSearch, encodeSearchReply, type SsdpMessage } from '../../src/wire/ssdp.ts'
import { decodeText, decodeXml, encodeElement, trimmed } from '../../src/wire/xml.ts'

/** Every run is the same. */
const RUNS = { seed: 13, numRuns: 150 } as const

const bytesOf = (message: string | Uint8Array): Uint8Array =>
  typeof message === 'string' ? new TextEncoder().encode(message) : message

interface Codec<T> {
  readonly values: fc.Arbitrary<T>
  readonly encode: (value: T) => string | Uint8Array
  readonly decode: (bytes: Uint8Array, value: T) => unknown
  /** What is read back, if it is not just what was written. */
  readonly read?: (value: T) => unknown
}

/** The message with bytes changed, left out and put in, or cut. */
const damages = fc.record({
  cut: fc.option(fc.nat(), { freq: 4 }),
  places: fc.array(fc.record({ at: fc.nat(), out: fc.nat(3), put: fc.uint8Array({ maxLength: 3 }) }), { maxLength: 3 }),
})

function damaged(
  bytes: Uint8Array,
  { cut, places }: typeof damages extends fc.Arbitrary<infer D> ? D : never,
): Uint8Array {
  let result = bytes
  for (const { at, out, put } of places) {
    const from = at % (result.length + 1)
    result = Uint8Array.of(...result.subarray(0, from), ...put, ...result.subarray(from + out))
  }
  return cut === null ? result : result.subarray(0, cut % (result.length + 1))
}

function expectValueOrMalformed(decode: () => unknown): void {
  try {
    decode()
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedMessageError)
  }
}

function holds<T>(name: string, { values, encode, decode, read = (value) => value }: Codec<T>): void {
  describe(name, () => {
    it('is read back as it was written', () => {
      const isReadBack = (value: T): void => {
        expect(decode(bytesOf(encode(value)), value)).toEqual(read(value))
      }
      fc.assert(fc.property(values, isReadBack), RUNS)
    })

    it('is read, or malformed, whatever happens to its bytes', () => {
      fc.assert(
        fc.property(values, damages, (value, damage) => {
          expectValueOrMalformed(() => decode(damaged(bytesOf(encode(value)), damage), value))
        }),
        RUNS,
      )
    })

    it('is malformed, or something, if it is junk', () => {
      fc.assert(
        fc.property(values, fc.uint8Array({ maxLength: 1200, size: 'max' }), (value, junk) => {
          expectValueOrMalformed(() => decode(junk, value))
        }),
        RUNS,
      )
    })
  })
}

const uint8 = fc.nat(0xff)
const uint16 = fc.nat(0xffff)
const uint32 = fc.nat(0xffffffff)
const nonce = fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('hex'))
const ipv4 = fc.ipV4()
/** Written as it is read: in the canonical form. */
const address = fc.oneof(ipv4, fc.constantFrom('::', '::1', '2001:db8::1', 'fe80::1', 'ff02::1', '1:2:3:4:5:6:7:8'))
const line = fc.string({ unit: 'grapheme-ascii', maxLength: 60 }).map((text) => text.trim())
const someLine = line.filter((text) => text !== '')
/** XML turns a carriage return into the end of a line. */
const text = fc.string({ unit: 'binary', maxLength: 40 }).map((each) => each.replaceAll('\r', ' '))
const trimmedText = text.map(trimmed)
const name = fc.stringMatching(/^[A-Za-z]\w{0,20}$/).filter((each) => !/^errorcode$/i.test(each))
const argumentPairs = fc.uniqueArray(fc.tuple(name, text), { maxLength: 8, selector: ([each]) => each.toLowerCase() })

const announced = {
  USN: line,
  LOCATION: someLine,
  SERVER: line,
  maxAge: fc.nat(),
  BOOTID: fc.option(line, { nil: undefined }),
}
holds<SsdpMessage>('an SSDP message', {
  values: fc.oneof(
    fc.record({
      kind: fc.constant('search' as const),
      ST: someLine,
      MX: fc.option(fc.nat(99_999), { nil: undefined }),
      HOST: line,
    }),
    fc.record({ kind: fc.constant('reply' as const), ST: someLine, ...announced }),
    fc.record({ kind: fc.constant('notify' as const), NT: someLine, NTS: someLine, ...announced, LOCATION: line }),
  ),
  encode: (message) => {
    if (message.kind === 'search') return encodeSearch(message)
    return message.kind === 'reply' ? encodeSearchReply(message) : encodeNotify(message)
  },
  decode: (bytes) => decodeSsdp(bytes),
})

const request = fc.record({ serviceType: fc.stringMatching(/^[\w:.-]{1,40}$/), action: name, arguments: argumentPairs })
const responseOf = ({ arguments: pairs }: SoapRequest) => ({
  kind: 'response',
  arguments: new Map(pairs.map(([key, value]) => [key.toLowerCase(), value])),
})
holds('a SOAP request', {
  values: request,
  encode: encodeSoapRequest,
  decode: (bytes, value) => decodeSoapRequest(bytes, soapActionHeader(value)),
})
holds('a SOAP response', {
  values: request,
  encode: encodeSoapResponse,
  decode: (bytes, { action }) => decodeSoapReply(bytes, action),
  read: responseOf,
})
holds('a SOAP response that the XML parser reads', {
  values: request,
  encode: encodeSoapResponse,
  decode: (bytes, { action }) => parseSoapReply(bytes, action),
  read: responseOf,
})
holds('a SOAP fault', {
  values: fc.record({
    kind: fc.constant('fault'),
    errorCode: fc.integer({ min: 0, max: 999_999_999 }),
    errorDescription: text,
  }),
  encode: ({ errorCode, errorDescription }) => encodeSoapFault(errorCode, errorDescription),
  decode: (bytes) => decodeSoapReply(bytes, 'X'),
})

holds('an XML document', {
  values: fc.tuple(name, text),
  encode: ([element, content]) => encodeElement(element, content),
  decode: (bytes) => decodeXml(bytes),
  read: ([element, content]) => ({ root: { name: element, text: content, children: [] }, rest: [], complete: true }),
})
holds('a text', {
  values: text,
  encode: (each) => each,
  decode: decodeText,
  read: (each) => each.replace(/^\ufeff/, ''),
})

const service: fc.Arbitrary<Service> = fc.record({
  serviceType: trimmedText,
  serviceId: trimmedText,
  SCPDURL: trimmedText,
  controlURL: trimmedText,
  eventSubURL: trimmedText,
})
const deviceWith = (deviceList: fc.Arbitrary<readonly Device[]>): fc.Arbitrary<Device> =>
  fc.record({
    deviceType: trimmedText,
    friendlyName: trimmedText,
    manufacturer: trimmedText,
    modelName: trimmedText,
    modelNumber: trimmedText,
    UDN: trimmedText,
    presentationURL: trimmedText,
    serviceList: fc.array(service, { maxLength: 3 }),
    deviceList,
  })
const inner = deviceWith(fc.array(deviceWith(fc.constant([])), { maxLength: 2 }))
holds('a description', {
  values: fc.record({ URLBase: trimmedText, device: deviceWith(fc.array(inner, { maxLength: 2 })) }),
  encode: encodeDescription,
  decode: decodeDescription,
})

const entry: fc.Arbitrary<PortMappingEntry> = fc.record({
  NewRemoteHost: text,
  NewExternalPort: text,
  NewProtocol: text,
  NewInternalPort: text,
  NewInternalClient: text,
  NewEnabled: text,
  NewDescription: text,
  NewLeaseTime: text,
})
holds('a port listing', {
  values: fc.array(entry, { maxLength: 4 }),
  encode: encodePortListing,
  decode: (bytes) => decodePortListing(new TextDecoder().decode(bytes)),
})

holds('the variables of an event', {
  values: argumentPairs,
  encode: (pairs) =>
    `<p:propertyset xmlns:p="x">${pairs.map((pair) => `<p:property>${encodeElement(...pair)}</p:property>`).join('')}</p:propertyset>`,
  decode: decodePropertySet,
  read: (pairs) => new Map(pairs.map(([key, value]) => [key, trimmed(value)])),
})
const headersOf = (bytes: Uint8Array): ReadonlyMap<string, string> =>
  new Map(
    new TextDecoder('latin1')
      .decode(bytes)
      .split('\n')
      .map((each) => [each.split(':', 1)[0] ?? '', each.slice(each.indexOf(':') + 1)]),
  )
const sid = fc.stringMatching(/^[!-~]{1,60}$/)
holds('a subscription', {
  values: fc.record({ SID: sid, timeoutSeconds: fc.option(fc.nat(), { nil: Number.POSITIVE_INFINITY }) }),
  encode: ({ SID, timeoutSeconds }) =>
    `sid: ${SID}\ntimeout: Second-${timeoutSeconds === Number.POSITIVE_INFINITY ? 'infinite' : timeoutSeconds}`,
  decode: (bytes) => decodeSubscription(headersOf(bytes)),
})
holds('the head of an event', {
  values: fc.record({ SID: sid, SEQ: fc.nat() }),
  encode: ({ SID, SEQ }) => `nt:upnp:event\nnts: upnp:propchange\nsid: ${SID}\nseq: ${SEQ}`,
  decode: (bytes) => decodeEventHead(headersOf(bytes)),
})

const option: fc.Arbitrary<PcpOption> = fc.oneof(
  fc.record({ kind: fc.constant('THIRD_PARTY' as const), internalAddress: address }),
  fc.constant({ kind: 'PREFER_FAILURE' as const }),
  fc.record({
    kind: fc.constant('FILTER' as const),
    prefixLength: fc.nat(128),
    remotePort: uint16,
    remoteAddress: address,
  }),
  fc.record({
    kind: fc.constant('unknown' as const),
    code: fc.integer({ min: 4, max: 255 }),
    data: fc.uint8Array({ maxLength: 9 }),
  }),
)
const options = fc.array(option, { maxLength: 4 })
const requestHead = { lifetimeSeconds: uint32, clientAddress: address, options }
const suggested = {
  nonce,
  protocol: uint8,
  internalPort: uint16,
  suggestedExternalPort: uint16,
  suggestedExternalAddress: address,
}
const peer = { remotePeerPort: uint16, remotePeerAddress: address }
holds<PcpRequest>('a PCP request', {
  values: fc.oneof(
    fc.record({ kind: fc.constant('ANNOUNCE-request' as const), ...requestHead }),
    fc.record({ kind: fc.constant('MAP-request' as const), ...requestHead, ...suggested }),
    fc.record({ kind: fc.constant('PEER-request' as const), ...requestHead, ...suggested, ...peer }),
  ),
  encode: encodePcpRequest,
  decode: decodePcpRequest,
})
const responseHead = { resultCode: uint8, lifetimeSeconds: uint32, epochSeconds: uint32 }
const assigned = {
  nonce,
  protocol: uint8,
  internalPort: uint16,
  assignedExternalPort: uint16,
  assignedExternalAddress: address,
  options,
}
holds<Exclude<PcpResponse, { kind: 'other-version-response' }>>('a PCP response', {
  values: fc.oneof(
    fc.record({ kind: fc.constant('ANNOUNCE-response' as const), ...responseHead }),
    fc.record({ kind: fc.constant('MAP-response' as const), ...responseHead, ...assigned }),
    fc.record({ kind: fc.constant('PEER-response' as const), ...responseHead, ...assigned, ...peer }),
    fc.record({
      kind: fc.constant('error-response' as const),
      ...responseHead,
      opcode: fc.integer({ min: 3, max: 127 }),
      resultCode: fc.integer({ min: 1, max: 255 }),
    }),
  ),
  encode: encodePcpResponse,
  decode: decodePcpResponse,
})

const protocol = fc.constantFrom('UDP' as const, 'TCP' as const)
holds<NatPmpRequest>('a NAT-PMP request', {
  values: fc.oneof(
    fc.constant({ kind: 'external-address-request' as const }),
    fc.record({
      kind: fc.constant('map-request' as const),
      protocol,
      internalPort: uint16,
      suggestedExternalPort: uint16,
      lifetimeSeconds: uint32,
    }),
  ),
  encode: encodeNatPmpRequest,
  decode: decodeNatPmpRequest,
})
const failed = {
  kind: fc.constant('error-response' as const),
  resultCode: fc.integer({ min: 1, max: 0xffff }),
  epochSeconds: uint32,
}
holds<NatPmpResponse>('a NAT-PMP response', {
  values: fc.oneof(
    fc.record({ kind: fc.constant('external-address-response' as const), externalAddress: ipv4, epochSeconds: uint32 }),
    fc.record({
      kind: fc.constant('map-response' as const),
      protocol,
      internalPort: uint16,
      mappedExternalPort: uint16,
      lifetimeSeconds: uint32,
      epochSeconds: uint32,
    }),
    fc.record({ ...failed, opcode: fc.constantFrom(1, 2), internalPort: fc.option(uint16, { nil: undefined }) }),
    fc.record({ ...failed, opcode: fc.nat(127), internalPort: fc.constant(undefined) }),
  ),
  encode: encodeNatPmpResponse,
  decode: decodeNatPmpResponse,
})

holds<MiniSsdpdRequest>('a request to MiniSSDPd', {
  values: fc.oneof(
    fc.constant({ kind: 'version' as const }),
    fc.constant({ kind: 'all' as const }),
    fc.record({ kind: fc.constant('type' as const), ST: fc.string({ unit: 'binary', maxLength: 400 }) }),
  ),
  encode: encodeMiniSsdpdRequest,
  decode: decodeMiniSsdpdRequest,
})
const deviceText = fc.string({ unit: 'binary', maxLength: 200 })
holds('a reply of MiniSSDPd', {
  values: fc.array(fc.record({ LOCATION: deviceText, ST: deviceText, USN: deviceText }), { maxLength: 5 }),
  encode: encodeMiniSsdpdReply,
  decode: decodeMiniSsdpdReply,
  read: (devices) => ({ devices, ended: true }),
})
holds('the version of MiniSSDPd', {
  values: deviceText,
  encode: encodeMiniSsdpdVersion,
  decode: decodeMiniSsdpdVersion,
})

/**
 * `upnp-ts/wire`: the codecs, messages <-> bytes or text, for a program that brings its own sockets. This file lists its
 * public names. Nothing here waits, reads a clock or opens anything. Fields have the names of the standards: UPnP Device
 * Architecture 1.1 (SSDP, descriptions, SOAP, GENA), the IGD services, RFC 6887 (PCP), RFC 6886 (NAT-PMP), and the
 * protocol of MiniSSDPd. Encoders are strict; decoders are lenient, and throw MalformedMessageError only.
 *
 * @example
 * const datagram = encodeNatPmpRequest({ kind: 'external-address-request' })
 * // ... send it to port 5351 of the gateway; the reply comes as `bytes` ...
 * const reply = decodeNatPmpResponse(bytes)
 * if (reply.kind === 'external-address-response') console.log(reply.externalAddress)
 */

export { MalformedMessageError, PortMappingError } from './domain/errors.js'
export type { TransportProtocol } from './domain/port-mapping.js'
export {
  allDevices,
  allServices,
  type Device,
  decodeDescription,
  encodeDescription,
  type RootDescription,
  type Service,
} from './wire/description.js'
export {
  decodeEventHead,
  decodePropertySet,
  decodeSubscription,
  type EventHead,
  renewalHeaders,
  type Subscription,
  subscribeHeaders,
  unsubscribeHeaders,
} from './wire/gena.js'
export {
  argumentList,
  IGD_ACTIONS,
  type IgdActionName,
  type IgdService,
  type InArguments,
  isIgdActionName,
  type OutArguments,
} from './wire/igd-actions.js'
export {
  decodeMiniSsdpdReply,
  decodeMiniSsdpdRequest,
  decodeMiniSsdpdVersion,
  encodeMiniSsdpdReply,
  encodeMiniSsdpdRequest,
  encodeMiniSsdpdVersion,
  type MiniSsdpdDevice,
  type MiniSsdpdReply,
  type MiniSsdpdRequest,
} from './wire/minissdpd.js'
export {
  decodeNatPmpRequest,
  decodeNatPmpResponse,
  encodeNatPmpRequest,
  encodeNatPmpResponse,
  NAT_PMP_ANNOUNCEMENT_GROUP,
  NAT_PMP_RESULTS,
  type NatPmpRequest,
  type NatPmpResponse,
  natPmpResultName,
  type UnsupportedNatPmpRequest,
} from './wire/natpmp.js'
export {
  type BadPcpRequest,
  decodePcpRequest,
  decodePcpResponse,
  encodePcpErrorResponse,
  encodePcpRequest,
  encodePcpResponse,
  type MapRequestData,
  PCP_ANNOUNCEMENT_GROUPS,
  type PcpRequest,
  type PcpResponse,
  type RemotePeer,
  type ResponseHead,
} from './wire/pcp.js'
export { PCP_OPTION_CODES, type PcpOption } from './wire/pcp-options.js'
export { PCP_RESULTS, pcpResultName } from './wire/pcp-result-codes.js'
export { decodePortListing, encodePortListing, type PortMappingEntry } from './wire/port-listing.js'
export {
  decodeSoapReply,
  decodeSoapRequest,
  encodeSoapFault,
  encodeSoapRequest,
  encodeSoapResponse,
  type SoapArguments,
  type SoapReply,
  type SoapRequest,
  soapActionHeader,
} from './wire/soap.js'
export {
  decodeSsdp,
  encodeNotify,
  encodeSearch,
  encodeSearchReply,
  type Notify,
  type SearchReply,
  type SearchRequest,
  SSDP_MULTICAST_IPV4,
  SSDP_MULTICAST_IPV6,
  type SsdpMessage,
} from './wire/ssdp.js'

/**
 * The options of MAP (RFC 6887 7.3, 13) and how the emulated gateway reads them. A mapping has one filter at most, and
 * the filter is one remote host with all its ports. An IGD can show no other filter.
 */
import { isSameAddress, isUnicastIPv4, isUnicastIPv6 } from '../../domain/address.js'
import type { PcpRequest } from '../../wire/pcp.js'
import { FIRST_OPTIONAL_CODE, type PcpOption } from '../../wire/pcp-options.js'
import { PCP_RESULTS } from '../../wire/pcp-result-codes.js'
import { PcpRefusal } from './pcp-refusal.js'

type MapRequest = Extract<PcpRequest, { kind: 'MAP-request' }>
type Filter = Extract<PcpOption, { kind: 'FILTER' }>
type KnownOption = Exclude<PcpOption, { kind: 'unknown' }>

export interface MapOptions {
  /** The internal client, if the client that asks names another one. */
  readonly thirdParty: string | undefined
  readonly preferFailure: boolean
  readonly filters: readonly Filter[]
  /** The options that were understood, in their order. The response repeats them (RFC 6887 7.3). */
  readonly processed: readonly PcpOption[]
}

/** The prefix length of a single host. IPv4 has the same, because its addresses are IPv4-mapped (RFC 6887 13.3). */
const ONE_HOST = 128

/** @throws PcpRefusal UNSUPP_OPTION, MALFORMED_OPTION, MALFORMED_REQUEST */
export function readMapOptions(request: MapRequest, mayBeForOthers: boolean): MapOptions {
  const options = request.options.filter(isKnown)
  const [thirdParties, preferences] = [options.filter(isThirdParty), options.filter(isPreference)]
  const filters = options.filter((option) => option.kind === 'FILTER')
  // RFC 6887 13.1, 13.2: at most one of each.
  if (thirdParties.length > 1 || preferences.length > 1) throw new PcpRefusal(PCP_RESULTS.MALFORMED_OPTION)
  // RFC 6887 13.2, 13.3: a deletion can have neither.
  if (request.lifetimeSeconds === 0 && preferences.length + filters.length > 0) {
    throw new PcpRefusal(PCP_RESULTS.MALFORMED_OPTION)
  }
  const thirdParty = thirdParties[0]?.internalAddress
  if (thirdParty !== undefined) checkThirdParty(thirdParty, request.clientAddress, mayBeForOthers)
  return { thirdParty, preferFailure: preferences.length > 0, filters, processed: options }
}

/** RFC 6887 7.3: an unknown option is ignored if its code says that it is optional. @throws PcpRefusal UNSUPP_OPTION */
function isKnown(option: PcpOption): option is KnownOption {
  if (option.kind !== 'unknown') return true
  if (option.code < FIRST_OPTIONAL_CODE) throw new PcpRefusal(PCP_RESULTS.UNSUPP_OPTION)
  return false
}

function isThirdParty(option: KnownOption): option is Extract<PcpOption, { kind: 'THIRD_PARTY' }> {
  return option.kind === 'THIRD_PARTY'
}

function isPreference(option: KnownOption): boolean {
  return option.kind === 'PREFER_FAILURE'
}

/** RFC 6887 13.1: a prohibited option counts as unsupported. A client is not its own third party. @throws PcpRefusal */
function checkThirdParty(address: string, clientAddress: string, mayBeForOthers: boolean): void {
  if (!mayBeForOthers) throw new PcpRefusal(PCP_RESULTS.UNSUPP_OPTION)
  if (isSameAddress(address, clientAddress)) throw new PcpRefusal(PCP_RESULTS.MALFORMED_REQUEST)
  if (!isHostLike(clientAddress, address)) throw new PcpRefusal(PCP_RESULTS.MALFORMED_OPTION)
}

/** Whether this is the address of a single host, of the same family as the model. */
function isHostLike(model: string, address: string): boolean {
  return isUnicastIPv6(model) ? isUnicastIPv6(address) : isUnicastIPv4(address)
}

/**
 * RFC 6887 13.3: a filter is added to those that the mapping has. Prefix length 0 removes all of them.
 * @throws PcpRefusal EXCESSIVE_REMOTE_PEERS, MALFORMED_OPTION
 */
export function remoteHostOf({ filters }: MapOptions, internalClient: string, present: string): string {
  let remoteHost = present
  for (const { prefixLength, remotePort, remoteAddress } of filters) {
    const isAdded = remoteHost === '' || isSameAddress(remoteHost, remoteAddress)
    if (prefixLength === 0) remoteHost = ''
    else if (!isHostLike(internalClient, remoteAddress)) throw new PcpRefusal(PCP_RESULTS.MALFORMED_OPTION)
    else if (prefixLength === ONE_HOST && remotePort === 0 && isAdded) remoteHost = remoteAddress
    else throw new PcpRefusal(PCP_RESULTS.EXCESSIVE_REMOTE_PEERS)
  }
  return remoteHost
}

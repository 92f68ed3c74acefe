/**
 * UPnP error numbers and the standards' names for them: UDA 1.1 table 3-3 (401 to 606), WANIPConnection:2 table 2-11
 * and WANIPv6FirewallControl:1 table 2-7 (701 to 733). Where the two services share a number (702 to 709 are the
 * firewall's) the name is the one that tools print; upnpc's spelling where it differs from the standard's.
 */
const NAMES: ReadonlyMap<number, string> = new Map([
  [401, 'Invalid Action'],
  [402, 'Invalid Args'],
  [501, 'Action Failed'],
  [600, 'Argument Value Invalid'],
  [601, 'Argument Value Out of Range'],
  [602, 'Optional Action Not Implemented'],
  [603, 'Out of Memory'],
  [604, 'Human Intervention Required'],
  [605, 'String Argument Too Long'],
  [606, 'Action not authorized'],
  [701, 'PinholeSpaceExhausted'],
  [702, 'FirewallDisabled'],
  [703, 'InboundPinholeNotAllowed'],
  [704, 'NoSuchEntry'],
  [705, 'ProtocolNotSupported'],
  [706, 'InternalPortWildcardingNotAllowed'],
  [707, 'ProtocolWildcardingNotAllowed'],
  [708, 'InvalidLayer2Address'],
  [709, 'NoTrafficReceived'],
  [713, 'SpecifiedArrayIndexInvalid'],
  [714, 'NoSuchEntryInArray'],
  [715, 'WildCardNotPermittedInSrcIP'],
  [716, 'WildCardNotPermittedInExtPort'],
  [718, 'ConflictInMappingEntry'],
  [724, 'SamePortValuesRequired'],
  [725, 'OnlyPermanentLeasesSupported'],
  [726, 'RemoteHostOnlySupportsWildcard'],
  [727, 'ExternalPortOnlySupportsWildcard'],
  [728, 'NoPortMapsAvailable'],
  [729, 'ConflictWithOtherMechanisms'],
  [730, 'PortMappingNotFound'],
  [731, 'ReadOnly'],
  [732, 'WildCardNotPermittedInIntPort'],
  [733, 'InconsistentParameters'],
])

export function upnpErrorName(number: number): string {
  return NAMES.get(number) ?? 'UnknownError'
}

/**
 * UPnP error numbers by their names in the standards: UDA 1.1 table 3-3 (401 to 606), WANIPConnection:2 table 2-11 and
 * WANIPv6FirewallControl:1 table 2-7 (701 to 733). If the two services share a number (702 to 709 are the firewall's),
 * the name is the one that tools print.
 */
export const UPNP_ERRORS = {
  InvalidAction: 401,
  InvalidArgs: 402,
  ActionFailed: 501,
  ArgumentValueInvalid: 600,
  ArgumentValueOutOfRange: 601,
  OptionalActionNotImplemented: 602,
  OutOfMemory: 603,
  HumanInterventionRequired: 604,
  StringArgumentTooLong: 605,
  ActionNotAuthorized: 606,
  PinholeSpaceExhausted: 701,
  FirewallDisabled: 702,
  InboundPinholeNotAllowed: 703,
  NoSuchEntry: 704,
  ProtocolNotSupported: 705,
  InternalPortWildcardingNotAllowed: 706,
  ProtocolWildcardingNotAllowed: 707,
  InvalidLayer2Address: 708,
  NoTrafficReceived: 709,
  SpecifiedArrayIndexInvalid: 713,
  NoSuchEntryInArray: 714,
  WildCardNotPermittedInSrcIP: 715,
  WildCardNotPermittedInExtPort: 716,
  ConflictInMappingEntry: 718,
  SamePortValuesRequired: 724,
  OnlyPermanentLeasesSupported: 725,
  RemoteHostOnlySupportsWildcard: 726,
  ExternalPortOnlySupportsWildcard: 727,
  NoPortMapsAvailable: 728,
  ConflictWithOtherMechanisms: 729,
  PortMappingNotFound: 730,
  ReadOnly: 731,
  WildCardNotPermittedInIntPort: 732,
  InconsistentParameters: 733,
} as const

export type UpnpErrorName = keyof typeof UPNP_ERRORS

/** UDA names these errors in several words; the spelling is upnpc's. */
const UDA_NAMES: readonly (readonly [number, string])[] = [
  [UPNP_ERRORS.InvalidAction, 'Invalid Action'],
  [UPNP_ERRORS.InvalidArgs, 'Invalid Args'],
  [UPNP_ERRORS.ActionFailed, 'Action Failed'],
  [UPNP_ERRORS.ArgumentValueInvalid, 'Argument Value Invalid'],
  [UPNP_ERRORS.ArgumentValueOutOfRange, 'Argument Value Out of Range'],
  [UPNP_ERRORS.OptionalActionNotImplemented, 'Optional Action Not Implemented'],
  [UPNP_ERRORS.OutOfMemory, 'Out of Memory'],
  [UPNP_ERRORS.HumanInterventionRequired, 'Human Intervention Required'],
  [UPNP_ERRORS.StringArgumentTooLong, 'String Argument Too Long'],
  [UPNP_ERRORS.ActionNotAuthorized, 'Action not authorized'],
]

const NAMES: ReadonlyMap<number, string> = new Map([
  ...Object.entries(UPNP_ERRORS).map(([name, number]): [number, string] => [number, name]),
  ...UDA_NAMES,
])

export function upnpErrorName(number: number): string {
  return NAMES.get(number) ?? 'UnknownError'
}

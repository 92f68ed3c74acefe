import { describe, expect, it } from 'vitest'
import { upnpErrorName } from '../../src/domain/upnp-errors.ts'

describe('upnpErrorName', () => {
  it.each([
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
  ])('calls %d %s, as upnpc does', (number, name) => {
    expect(upnpErrorName(number)).toBe(name)
  })

  it.each([0, -1, -911, 399, 717, 734, 899, Number.NaN])('has no name for %d', (number) => {
    expect(upnpErrorName(number)).toBe('UnknownError')
  })
})

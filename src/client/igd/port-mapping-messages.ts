/** Translates port mappings to and from the arguments of WANIPConnection's actions. Pure. */
import { parseIPv4 } from '../../domain/address.js'
import { InvalidArgumentError, MalformedMessageError } from '../../domain/errors.js'
import {
  flawOf,
  MAX_LEASE_SECONDS,
  type MappingKey,
  type MappingRequest,
  type PortMapping,
} from '../../domain/port-mapping.js'
import { IGD_ACTIONS, type InArguments } from '../../wire/igd-actions.js'
import type { PortMappingEntry } from '../../wire/port-listing.js'
import { leadingNumber, type SoapArguments } from '../../wire/soap.js'
import { isFalse, optionalText } from './soap-caller.js'

/** A flawed request is never sent. @throws InvalidArgumentError */
export function refuseFlawed(request: MappingKey & Partial<MappingRequest>): void {
  const flaw = flawOf(request)
  if (flaw !== undefined) throw new InvalidArgumentError(flaw)
}

export function keyArguments(key: MappingKey): InArguments<'DeletePortMapping'> {
  return { NewRemoteHost: key.remoteHost, NewExternalPort: String(key.externalPort), NewProtocol: key.protocol }
}

export function mappingArguments(request: MappingRequest, leaseSeconds: number): InArguments<'AddPortMapping'> {
  return {
    ...keyArguments(request),
    NewInternalPort: String(request.internalPort),
    NewInternalClient: request.internalClient,
    NewEnabled: '1', // not "true": WANIPConnection:2 2.2.20 allows both, routers do not
    NewPortMappingDescription: request.description,
    NewLeaseDuration: String(leaseSeconds),
  }
}

/** What an entry does not say is not known. @throws MalformedMessageError if it says nothing of an entry */
export function decodeMapping(reply: SoapArguments): PortMapping {
  const action = 'GetGenericPortMappingEntry'
  type Out = typeof action
  if (!IGD_ACTIONS[action].out.some((name) => reply.has(name.toLowerCase()))) {
    throw new MalformedMessageError('a port mapping entry', [...reply.keys()].join(', '), { action })
  }
  return {
    remoteHost: optionalText<Out>(reply, 'NewRemoteHost').trim(),
    externalPort: leadingNumber(optionalText<Out>(reply, 'NewExternalPort')),
    protocol: optionalText<Out>(reply, 'NewProtocol').trim(),
    ...decodeTarget(reply),
  }
}

export function decodeTarget(reply: SoapArguments): Omit<PortMapping, keyof MappingKey> {
  type Out = 'GetSpecificPortMappingEntry'
  return {
    internalPort: leadingNumber(optionalText<Out>(reply, 'NewInternalPort')),
    internalClient: optionalText<Out>(reply, 'NewInternalClient').trim(),
    enabled: !isFalse(optionalText<Out>(reply, 'NewEnabled')),
    description: optionalText<Out>(reply, 'NewPortMappingDescription'),
    leaseSeconds: leaseIn(optionalText<Out>(reply, 'NewLeaseDuration')),
  }
}

/** A ui4 (WANIPConnection:2 2.2.17): what is more is no lease. */
function leaseIn(text: string): number | undefined {
  const seconds = leadingNumber(text)
  return seconds !== undefined && seconds <= MAX_LEASE_SECONDS ? seconds : undefined
}

/** A listing has other names than the actions (WANIPConnection:2 2.4.21). */
export function mappingOfEntry(entry: PortMappingEntry): PortMapping {
  return {
    remoteHost: entry.NewRemoteHost.trim(),
    externalPort: leadingNumber(entry.NewExternalPort),
    protocol: entry.NewProtocol.trim(),
    internalPort: leadingNumber(entry.NewInternalPort),
    internalClient: entry.NewInternalClient.trim(),
    enabled: !isFalse(entry.NewEnabled),
    description: entry.NewDescription,
    leaseSeconds: leaseIn(entry.NewLeaseTime),
  }
}

/** The end of a sentence that begins with "the gateway", or undefined. miniupnpd 2.3.0 shows port 0 for any port. */
export function differenceOf(mapping: PortMapping, request: MappingRequest): string | undefined {
  const { internalClient, internalPort, enabled } = mapping
  if (parseIPv4(internalClient) !== undefined && internalClient !== request.internalClient) {
    return `sends it to ${internalClient} and not to ${request.internalClient}`
  }
  if (internalPort !== undefined && internalPort !== 0 && internalPort !== request.internalPort) {
    return `sends it to port ${internalPort} and not to ${request.internalPort}`
  }
  return enabled ? undefined : 'has the entry, but switched off'
}

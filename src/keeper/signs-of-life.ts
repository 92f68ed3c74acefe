/** What an answer, or none, says of the gateway. */
import { isUnicastIPv4, isUnicastIPv6 } from '../domain/address.js'
import { MalformedMessageError, PortMappingError, RefusedError } from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'
import type { Held, Kept, Presence } from './kept.js'

/** Of the gateway, and not of what it was asked for. */
export function isSignOfTrouble({ code }: PortMappingError): boolean {
  return code === 'NO_REPLY' || code === 'TRANSPORT' || code === 'MALFORMED_MESSAGE'
}

/** Undefined where it tells nothing: an answer that is no use is a sign of life too. @throws PortMappingError */
export async function pulseOf(gateway: Gateway): Promise<{ readonly externalAddress: string | undefined } | undefined> {
  try {
    return { externalAddress: usable((await gateway.pulse()).externalAddress) }
  } catch (error) {
    if (error instanceof RefusedError || error instanceof MalformedMessageError) return undefined
    throw error
  }
}

/** Undefined where it does not tell. @throws PortMappingError where it does not answer, or not as a gateway does */
export async function presenceOf<H extends Held, G extends Gateway>(
  kept: Kept<H, G>,
  gateway: G,
  held: H,
): Promise<Presence | undefined> {
  try {
    return await kept.find(gateway, held)
  } catch (error) {
    if (error instanceof RefusedError) return undefined
    throw error
  }
}

/** In passing: to have got the mapping is enough. PCP tells it with the mapping. */
export async function externalAddressOf(gateway: Gateway): Promise<string | undefined> {
  try {
    const told = gateway.protocol === 'pcp' ? await gateway.externalAddress() : (await gateway.pulse()).externalAddress
    return usable(told)
  } catch (error) {
    if (error instanceof PortMappingError) return undefined
    throw error
  }
}

/** 0.0.0.0 is what some tell while the line is down: no address to tell others. */
function usable(address = ''): string | undefined {
  return isUnicastIPv4(address) || isUnicastIPv6(address) ? address : undefined
}

/** What an answer, or the lack of one, says about the gateway. */
import { isUnicastIPv4, isUnicastIPv6 } from '../domain/address.js'
import { MalformedMessageError, PortMappingError, RefusedError } from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'

/** Whether the error says something about the gateway, and not only about what it was asked for. */
export function isSignOfTrouble({ code }: PortMappingError): boolean {
  return code === 'NO_REPLY' || code === 'TRANSPORT' || code === 'MALFORMED_MESSAGE'
}

/** Undefined if the answer is of no use, which is a sign of life too. @throws PortMappingError */
export async function pulseOf(gateway: Gateway): Promise<{ readonly externalAddress: string | undefined } | undefined> {
  try {
    return { externalAddress: usable((await gateway.pulse()).externalAddress) }
  } catch (error) {
    if (error instanceof RefusedError || error instanceof MalformedMessageError) return undefined
    throw error
  }
}

/** For asking about, or removing, what may already be gone: a refusal is fine. */
export function unlessRefused(error: unknown): undefined {
  if (!(error instanceof RefusedError)) throw error
}

/** Undefined if it cannot be had: the mapping works all the same. PCP reports the address with the mapping. */
export async function externalAddressOf(gateway: Gateway): Promise<string | undefined> {
  try {
    const told = gateway.protocol === 'pcp' ? await gateway.externalAddress() : (await gateway.pulse()).externalAddress
    return usable(told)
  } catch (error) {
    if (error instanceof PortMappingError) return undefined
    throw error
  }
}

/** Some gateways report 0.0.0.0 while the line is down, which is of no use to anybody. */
function usable(address = ''): string | undefined {
  return isUnicastIPv4(address) || isUnicastIPv6(address) ? address : undefined
}

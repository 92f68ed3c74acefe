/**
 * Which external ports to try if one is taken: always the same for the same computer and port, so that a repeated
 * command finds its own mapping. They are from the dynamic range (RFC 6335 6), which routers seldom use themselves.
 */
import { isPortTaken, type PortMappingError, TransportError } from './errors.js'
import type { MappingRequest, PortMapping } from './port-mapping.js'
import { DYNAMIC_PORTS, FIRST_DYNAMIC_PORT } from './ports.js'

const TRIES = 10
/** More than the ports of the longest range. */
const STEP = 1031

/**
 * Tries the port that was asked for, then others, until one is free, or until `mayHelp`, which is asked after each
 * refusal, says that another port will not help. Then the error for the first is thrown.
 */
export async function mapToFreePort(
  request: MappingRequest,
  map: (request: MappingRequest) => Promise<PortMapping>,
  mayHelp: (error: PortMappingError) => Promise<boolean> = () => Promise.resolve(true),
): Promise<PortMapping> {
  let taken: PortMappingError | undefined
  for (const externalPort of [request.externalPort, ...otherPorts(request)]) {
    try {
      return await map({ ...request, externalPort })
    } catch (error) {
      if (!isPortTaken(error)) throw error
      taken ??= error
      if (!(await mayHelp(error))) break
    }
  }
  throw taken ?? new TransportError('AddPortMapping: no port was tried', { action: 'AddPortMapping' })
}

export function otherPorts(request: Pick<MappingRequest, 'internalClient' | 'internalPort'>): number[] {
  const seed = hash(request.internalClient) + request.internalPort // so the ports of a range never try the same ones
  return Array.from({ length: TRIES }, (_, at) => FIRST_DYNAMIC_PORT + ((seed + at * STEP) % DYNAMIC_PORTS))
}

/** FNV-1a, 32 bits: it spreads the ports, and hides nothing. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (const char of text) value = Math.imul(value ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0
  return value
}

/** What to do next, for failures that have a known remedy. In words for a person who has never heard of UPnP. */
import type { ReportedError, SearchSummary } from './report.js'

const BY_NUMBER: ReadonlyMap<number, string> = new Map([
  [402, 'the router did not understand that, or its table is full; see -l, and try another port'],
  [501, 'the router could not do it; if it is behind another router (see its external address in -s), that is why'],
  [605, 'the description is too long for this router; give a short one with -e'],
  [
    606,
    'the router lets this computer change nothing, or only its own ports; look in its settings under UPnP (on a FRITZ!Box: allow this device to open ports on its own)',
  ],
  [714, 'there is no such entry; -l shows what there is'],
  [715, 'this router cannot limit a port to one remote host; leave the remote host out'],
  [
    718,
    'that external port is taken, -l shows by whom; or the router opens ports only for the computer that asks; try another external port',
  ],
  [724, 'this router wants the external port to be the same as the internal one'],
  [726, 'this router cannot limit a port to one remote host; leave the remote host out'],
  [728, 'the table of the router is full; -l shows it, -d removes an entry'],
  [729, 'something else on the router uses that port, a forwarding made by hand perhaps'],
])

export function hintFor(error: ReportedError): string | undefined {
  if (error.number !== undefined) return BY_NUMBER.get(error.number)
  if (error.code === 'MALFORMED_MESSAGE') return `the answer of the router makes no sense: ${error.message}`
  return error.code === 'TRANSPORT' || error.code === 'NO_REPLY' ? error.message : undefined
}

export function nothingFoundHint({ searchedMs, interfaces, defaultGateways }: SearchSummary): string {
  if (interfaces.length === 0) return 'this computer has no network address to search from; is the network up?'
  const where = interfaces.slice(0, 4).join(', ') + (interfaces.length > 4 ? ', …' : '')
  const [gateway] = defaultGateways
  const who = gateway === undefined ? 'this computer has no default gateway' : `the router at ${gateway} did not answer`
  return (
    `searched ${(searchedMs / 1000).toFixed(1)} s on ${where}; ${who}. ` +
    'Switch on UPnP in the settings of the router, and let UDP port 1900 through the firewall of this computer.'
  )
}

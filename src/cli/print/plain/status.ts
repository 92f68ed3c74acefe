/** `status`: the router, what it speaks, its address, and whether the internet comes in there. */
import { isInternetAddress, knownAddress } from '../../../domain/address.js'
import { type GatewayProtocol, PROTOCOL_TITLES } from '../../../domain/port-mapping.js'
import { complaint, plain } from '../pieces.js'
import type { Telling } from './telling.js'
import { line, listed } from './words.js'

export function statusTelling(): Telling {
  let localAddress: string | undefined
  return {
    rows: {
      router: ({ address, protocols }) => [
        plain(line('Your router', address ?? 'at an unknown address')),
        plain(line('It speaks', listed(protocols.map(titleOf)))),
      ],
      'local-address': ({ address }) => {
        localAddress = address
        return []
      },
      status: (report) => {
        if (!report.ok) return []
        const { connectionStatus, uptimeSeconds } = report
        const isUp = connectionStatus === 'Connected'
        const since = isUp && uptimeSeconds > 0 ? `, for ${spanText(uptimeSeconds)}` : ''
        return [plain(line('It is connected', isUp ? `yes${since}` : `it says '${connectionStatus}'`))]
      },
      'external-address': (report) => {
        if (!report.ok) return [complaint('The router does not tell its address on the internet.\n')]
        const address = knownAddress(report.address)
        if (address === undefined)
          return [complaint('The router has no address on the internet now: nobody there can reach a port of it.\n')]
        if (!isInternetAddress(address)) return [plain(line('Its address', address))]
        return [
          plain(line('Its address', address)),
          plain(line('From the internet', 'a port that is open can be reached at that address')),
        ]
      },
      // That it has none has been said.
      notice: (notice) => (notice.kind === 'address-not-public' && notice.address === '' ? [] : undefined),
    },
    end: () => (localAddress === undefined ? [] : [plain(line('This computer', localAddress))]),
  }
}

/** As people find it in the settings of a router. */
export function titleOf(protocol: GatewayProtocol): string {
  return protocol === 'igd' ? 'UPnP' : PROTOCOL_TITLES[protocol]
}

const UNITS = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
] as const

/** The largest unit of which there is one: `3 days`, `1 hour`. */
export function spanText(seconds: number): string {
  for (const [size, name] of UNITS) {
    const count = Math.floor(seconds / size)
    if (count > 0) return `${count} ${name}${count === 1 ? '' : 's'}`
  }
  return '0 seconds'
}

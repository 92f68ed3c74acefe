/** `watch` without a terminal: a line for what is there, and then one for each change. The times are UTC. */
import { isNoAddress, knownAddress } from '../../../../domain/address.js'
import type { PortMapping } from '../../../../domain/port-mapping.js'
import { cleaned } from '../../clean.js'
import { complaint, good, hint, type Piece, plain } from '../../pieces.js'
import { titleOf } from '../status.js'
import type { Occasion, Telling } from '../telling.js'

/** What was there at the beginning; what came; what went; what else has changed. */
type Sign = '=' | '+' | '-' | '!'

export function watchTelling({ nowMs }: Occasion): Telling {
  const stamped = (sign: Sign, text: string, timeMs = nowMs()): string =>
    `${utcText(timeMs)} ${sign} ${cleaned(text)}\n`
  let connectionStatus: string | undefined
  return {
    rows: {
      router: ({ address = 'unknown', protocols }) => [
        plain(stamped('=', `router ${address} speaks ${protocols.map(titleOf).join(', ')}`)),
      ],
      status: (report) => {
        if (!report.ok) return []
        const sign = connectionStatus === undefined ? '=' : '!'
        connectionStatus = report.connectionStatus
        return [plain(stamped(sign, `connection ${connectionStatus}`))]
      },
      'external-address': (report) => {
        const address = report.ok ? knownAddress(report.address) : undefined
        return [plain(stamped('=', `address ${addressText(address)}`))]
      },
      'external-address-changed': ({ timeMs, address, previous }) => [
        plain(stamped('!', `address ${addressText(previous)} -> ${addressText(address)}`, timeMs)),
      ],
      'port-appeared': ({ timeMs, wasThere, mapping }) => {
        const line = stamped(wasThere ? '=' : '+', portText(mapping), timeMs)
        return [wasThere ? plain(line) : good(line)]
      },
      'port-gone': ({ timeMs, mapping }) => [plain(stamped('-', portText(mapping), timeMs))],
      'gateway-lost': ({ timeMs, error }) => [plain(stamped('!', `router gone: ${error.message}`, timeMs))],
      'gateway-back': ({ timeMs, address }) => [plain(stamped('!', `router back: ${address}`, timeMs))],
      'gateway-restarted': ({ timeMs }) => [
        plain(stamped('!', 'router restarted: it has forgotten the ports that were opened before', timeMs)),
      ],
      'listing-failed': ({ error }) => [
        complaint(`The router does not say which ports it has open: ${cleaned(error.message)}.\n`),
      ],
      'listing-end': ({ endedBy }) => (endedBy === 'memory' ? [onlyRemembered()] : []),
    },
    end: () => [],
  }
}

function onlyRemembered(): Piece {
  return hint('The router cannot tell what it has open: only the ports that were opened with upnp-ts are watched.\n')
}

function utcText(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`
}

function addressText(address: string | undefined): string {
  return address === undefined || isNoAddress(address) ? 'none' : address
}

/** `25565 TCP -> 192.168.1.20:25565 'upnp-ts'` */
function portText(mapping: PortMapping): string {
  const { externalPort = '', protocol, internalClient, internalPort = '', description, remoteHost, enabled } = mapping
  const only = remoteHost === '' ? '' : ` only for ${remoteHost}`
  const off = enabled ? '' : ' switched off'
  return `${externalPort} ${protocol} -> ${internalClient}:${internalPort} '${description}'${only}${off}`
}

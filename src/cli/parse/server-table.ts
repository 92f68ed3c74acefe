/**
 * SERVERS: one row for each kind of server that people open a port for: where it listens, and what somebody else types
 * to reach it. The first port is the one that its clients know.
 */
import type { TransportProtocol } from '../../domain/port-mapping.js'
import { UsageError } from './words.js'

export interface Server {
  /** As after --as. */
  readonly name: string
  readonly protocol: TransportProtocol
  readonly ports: readonly [number, ...number[]]
  /**
   * ADDRESS and PORT stand for themselves; HOST is the address as in a URL, with brackets around IPv6. What is in
   * parentheses is left out if the port is the first of `ports`.
   */
  readonly line: string
}

export const SERVERS: readonly Server[] = [
  { name: 'ssh', protocol: 'TCP', ports: [22], line: 'ssh( -p PORT) you@ADDRESS' },
  { name: 'http', protocol: 'TCP', ports: [80, 8080, 8000, 3000], line: 'http://HOST(:PORT)/' },
  { name: 'https', protocol: 'TCP', ports: [443, 8443], line: 'https://HOST(:PORT)/' },
  { name: 'minecraft', protocol: 'TCP', ports: [25565], line: 'minecraft HOST:PORT' },
  { name: 'bedrock', protocol: 'UDP', ports: [19132], line: 'minecraft bedrock: server ADDRESS, port PORT' },
  { name: 'factorio', protocol: 'UDP', ports: [34197], line: 'factorio --mp-connect HOST:PORT' },
  { name: 'luanti', protocol: 'UDP', ports: [30000], line: 'luanti --go --address ADDRESS --port PORT' },
  { name: 'palworld', protocol: 'UDP', ports: [8211], line: 'palworld HOST:PORT' },
  { name: 'quake3', protocol: 'UDP', ports: [27960], line: '/connect HOST:PORT' },
  { name: 'rust', protocol: 'UDP', ports: [28015], line: 'client.connect HOST:PORT' },
  { name: 'steam', protocol: 'UDP', ports: [27015], line: 'connect HOST:PORT' },
  { name: 'terraria', protocol: 'TCP', ports: [7777], line: 'terraria: server ADDRESS, port PORT' },
  { name: 'valheim', protocol: 'UDP', ports: [2456], line: 'valheim HOST:PORT' },
  { name: 'mumble', protocol: 'TCP', ports: [64738], line: 'mumble://HOST(:PORT)' },
  { name: 'teamspeak', protocol: 'UDP', ports: [9987], line: 'ts3server://HOST?port=PORT' },
  { name: 'plex', protocol: 'TCP', ports: [32400], line: 'http://HOST:PORT/web' },
  { name: 'bitcoin', protocol: 'TCP', ports: [8333], line: 'bitcoind -addnode=HOST:PORT' },
  { name: 'monero', protocol: 'TCP', ports: [18080], line: 'monerod --add-peer HOST:PORT' },
  { name: 'syncthing', protocol: 'TCP', ports: [22000], line: 'tcp://HOST:PORT' },
  { name: 'wireguard', protocol: 'UDP', ports: [51820], line: 'Endpoint = HOST:PORT' },
  { name: 'openvpn', protocol: 'UDP', ports: [1194], line: 'remote ADDRESS PORT udp' },
  { name: 'rdp', protocol: 'TCP', ports: [3389], line: 'mstsc /v:HOST(:PORT)' },
  { name: 'vnc', protocol: 'TCP', ports: [5900], line: 'vnc://HOST(:PORT)' },
  { name: 'ftp', protocol: 'TCP', ports: [21], line: 'ftp://HOST(:PORT)/' },
  { name: 'smtp', protocol: 'TCP', ports: [25], line: 'smtp://HOST(:PORT)' },
  { name: 'imap', protocol: 'TCP', ports: [143], line: 'imap://HOST(:PORT)' },
  { name: 'imaps', protocol: 'TCP', ports: [993], line: 'imaps://HOST(:PORT)' },
  { name: 'mqtt', protocol: 'TCP', ports: [1883], line: 'mqtt://HOST(:PORT)' },
]

/** --as NAME. @throws UsageError */
export function serverNamed(option: string, name: string): Server {
  const server = SERVERS.find((each) => each.name === name.toLowerCase())
  if (server !== undefined) return server
  const names = SERVERS.map((each) => each.name).toSorted()
  throw new UsageError(`${option}: '${name}' is not one of ${names.join(', ')}`)
}

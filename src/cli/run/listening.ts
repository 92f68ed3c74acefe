/** Whether a program on this computer takes what comes in by a port that was opened for it. */
import type { TransportProtocol } from '../../domain/port-mapping.js'
import { type Listeners, listeningAt } from '../../net/tables/listeners.js'
import type { NoticeOf } from '../report.js'

/** A port that leads to this computer, as it is inside. */
export interface OwnPort {
  /** Several: one program that uses one of them will do. */
  readonly protocols: readonly TransportProtocol[]
  readonly address: string
  readonly port: number
}

type Unreached = NoticeOf<'nobody-listens' | 'listens-on-loopback-only' | 'listens-elsewhere'>

/** Undefined if a program takes it, or if that is not known. */
export function whyUnreached(listeners: Listeners, { protocols, address, port }: OwnPort): Unreached | undefined {
  const found = protocols.map((protocol) => ({ protocol, ...listeningAt(listeners, { protocol, address, port }) }))
  if (found.some(({ kind }) => kind === 'listens' || kind === 'unknown')) return undefined
  for (const each of found) {
    const { protocol, kind } = each
    if (kind === 'elsewhere')
      return { kind: 'listens-elsewhere', protocol, port, address: each.address, localAddress: address }
    if (kind === 'loopback-only') return { kind: 'listens-on-loopback-only', protocol, port }
  }
  return { kind: 'nobody-listens', protocol: protocols.join('+'), port }
}

/** `--verbose`: one line for each message that was sent or received. Pure. */
import type { TracedMessage } from '../../client/trace.js'
import { cleaned } from './clean.js'

const SIGNS: Readonly<Record<TracedMessage['direction'], string>> = { sent: '>', received: '<', failed: '!' }

/** `2026-11-24T09:14:03.118Z < HTTP 192.168.1.1:5000/ctl AddPortMapping: 500 718 ConflictInMappingEntry (412 bytes)` */
export function traceLine({ timeMs, direction, protocol, peer, action, result, bytes }: TracedMessage): string {
  const words = [new Date(timeMs).toISOString(), SIGNS[direction], protocol, peer, action].filter((word) => word !== '')
  const answer = result === undefined ? '' : `: ${result}`
  const size = direction === 'failed' ? '' : ` (${bytes} ${bytes === 1 ? 'byte' : 'bytes'})`
  return `${cleaned(words.join(' ') + answer + size)}\n`
}

/**
 * What people write after `open` and `close` in place of `25565/udp`: `25565 UDP`, `25565,25566`, `minecraft`. It is
 * refused in a line that has the spelling which they mean.
 */
import type { Lease } from '../../domain/port-mapping.js'
import { nearest } from './nearest.js'
import { SERVERS } from './server-table.js'
import { UsageError } from './words.js'

const PROTOCOL = /^(?:tcp|udp|both|tcp\+udp)$/i
const PORT = /^\d[\d:-]*$/

/** @throws UsageError if a word is no port and can only mean one thing */
export function refuseOtherSpellings(label: string, words: readonly string[], lease?: Lease): void {
  for (const [at, word] of words.entries()) {
    const [before, after] = [words[at - 1], words[at + 1]]
    if (label === 'close' && word === 'all')
      throw new UsageError('all that upnp-ts has opened is closed by: upnp-ts close --mine')
    if (PROTOCOL.test(word)) refuseProtocol(label, word, before, after)
    const meant = meantBy(word)
    if (meant !== undefined)
      throw new UsageError(`${label}: '${word}' is not a port: write ${meant}`, { fix: [word, meant] })
    if (/^ports?$/i.test(word))
      throw new UsageError(`${label}: leave out the word ${word}`, {
        fix: after === undefined ? [word, '25565'] : [`${word} ${after}`, after],
      })
    const unit = /^(?:second|minute|hour|day|sec|min|[smhd])s?$/i.test(word) ? word.charAt(0).toLowerCase() : undefined
    if (unit !== undefined && typeof lease === 'object')
      throw new UsageError(`${label}: '${word}' is not a port: write the time as one word, ${lease.seconds}${unit}`, {
        fix: [`${lease.seconds} ${word}`, `${lease.seconds}${unit}`],
      })
  }
}

/** `25565 TCP`, `UDP 34197` */
function refuseProtocol(label: string, word: string, before: string | undefined, after: string | undefined): void {
  const text = `${label}: a port and its protocol are one word`
  const protocol = word.toLowerCase() === 'tcp+udp' ? 'both' : word.toLowerCase()
  const of = (port: string): string => `${port}/${protocol}`
  if (before !== undefined && PORT.test(before))
    throw new UsageError(`${text}: write ${of(before)}`, { fix: [`${before} ${word}`, of(before)] })
  if (after !== undefined && PORT.test(after))
    throw new UsageError(`${text}: write ${of(after)}`, { fix: [`${word} ${after}`, of(after)] })
  throw new UsageError(`${text}: write 25565/${protocol}`, { fix: [word, of('25565')] })
}

function meantBy(word: string): string | undefined {
  const { port, protocol } =
    (
      /^(?<protocol>tcp|udp)[/:-](?<port>\d[\d:-]*)$/i.exec(word) ??
      /^(?<port>\d+)[:-]?(?<protocol>tcp|udp)$/i.exec(word)
    )?.groups ?? {}
  if (port !== undefined && protocol !== undefined) return `${port}/${protocol.toLowerCase()}`
  if (/^\d[\d-]*(?:,\d[\d-]*)*,?$/.test(word) && word.includes(',')) return word.split(',').filter(Boolean).join(' ')
  const name = nearest(
    word.toLowerCase(),
    SERVERS.map((each) => each.name),
  )
  const server = SERVERS.find((each) => each.name === name)
  if (server === undefined) return undefined
  return `${server.ports[0]}${server.protocol === 'UDP' ? '/udp' : ''}`
}

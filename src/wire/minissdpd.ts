/**
 * The protocol of MiniSSDPd, a daemon that remembers the SSDP announcements on a network. Programs ask it through a
 * unix socket. A request is a byte for its type, and a text. A reply is a count, and then LOCATION, ST and USN of each
 * device. A text is its length, and its bytes. A length is written in base 128, the high digits first; every byte of it
 * except the last has the top bit set.
 *
 * The daemon keeps the connection open after a reply, so only the reply itself shows where it ends. The reader calls
 * the decoder after each read. The texts come from the LAN: the daemon passes them on as devices announced them.
 */
import { MalformedMessageError } from '../domain/errors.js'

/** The count is one byte, and 255 marks a notification, which this client never asks for. */
export const MAX_MINISSDPD_DEVICES = 254
/** The daemon reads datagrams of at most 1500 bytes, so no announced text is longer than this. */
export const MAX_MINISSDPD_TEXT_BYTES = 2048
/** More than any daemon sends: MiniSSDPd puts as many devices as fit into a reply of at most 4 KiB. */
export const MAX_MINISSDPD_REPLY_BYTES = 0x10000
/** A length may begin with zero digits, although the daemon writes none. */
const MAX_LENGTH_BYTES = 4

/** A question to the daemon. */
export type MiniSsdpdRequest =
  /** Asks for the version of the daemon. The reply is a single text. */
  | { readonly kind: 'version' }
  /** Asks for the devices of this type. The daemon ignores the version in a device type; older daemons do not. */
  | { readonly kind: 'type'; readonly ST: string }
  | { readonly kind: 'all' }

/** Texts from the network, not cleaned for a terminal. */
export interface MiniSsdpdDevice {
  readonly LOCATION: string
  /** The announced type of device or service (NT). Its version may differ from that in the request. */
  readonly ST: string
  readonly USN: string
}

/** What has been read of a reply so far. */
export interface MiniSsdpdReply {
  /** The devices that are complete so far. */
  readonly devices: readonly MiniSsdpdDevice[]
  /** Whether these are all devices of the reply. */
  readonly ended: boolean
}

const TYPE_BYTES = { version: 0, type: 1, all: 3 } as const

/** What a program writes to the daemon's socket. */
export function encodeMiniSsdpdRequest(request: MiniSsdpdRequest): Uint8Array {
  return Uint8Array.from([TYPE_BYTES[request.kind], ...encodeText(textOf(request))])
}

function textOf(request: MiniSsdpdRequest): string {
  if (request.kind === 'type') return request.ST
  return request.kind === 'all' ? 'ssdp:all' : '' // ignored, but for 'all' older daemons refuse an empty text
}

/** @throws MalformedMessageError */
export function decodeMiniSsdpdRequest(bytes: Uint8Array): MiniSsdpdRequest {
  const { text, end } = textAt(bytes, 1) ?? {}
  if (text === undefined || end !== bytes.length) throw malformed('a request to MiniSSDPd: a type and a text', bytes)
  switch (bytes[0]) {
    case TYPE_BYTES.version:
      return { kind: 'version' }
    case TYPE_BYTES.type:
      return { kind: 'type', ST: text }
    case TYPE_BYTES.all:
      return { kind: 'all' }
    default:
      throw malformed('a request to MiniSSDPd of type 0, 1 or 3', bytes)
  }
}

/** What the daemon answers to `type` and `all`. */
export function encodeMiniSsdpdReply(devices: readonly MiniSsdpdDevice[]): Uint8Array {
  const texts = devices.flatMap(({ LOCATION, ST, USN }) => [LOCATION, ST, USN])
  return Uint8Array.from([devices.length, ...texts.flatMap(encodeText)])
}

/** Reads what has arrived so far; ignores bytes after the end. @throws MalformedMessageError if it can be no reply */
export function decodeMiniSsdpdReply(bytes: Uint8Array): MiniSsdpdReply {
  const devices: MiniSsdpdDevice[] = []
  const count = bytes[0]
  if (count === undefined) return { devices, ended: false }
  if (count > MAX_MINISSDPD_DEVICES) throw malformed(`a reply with at most ${MAX_MINISSDPD_DEVICES} devices`, bytes)
  let at = 1
  while (devices.length < count) {
    const LOCATION = textAt(bytes, at)
    const ST = LOCATION && textAt(bytes, LOCATION.end)
    const USN = ST && textAt(bytes, ST.end)
    if (LOCATION === undefined || ST === undefined || USN === undefined) return { devices, ended: false }
    devices.push({ LOCATION: LOCATION.text, ST: ST.text, USN: USN.text })
    at = USN.end
  }
  return { devices, ended: true }
}

/** What the daemon answers to `version`. */
export function encodeMiniSsdpdVersion(version: string): Uint8Array {
  return Uint8Array.from(encodeText(version))
}

/** The reply to a request for the version. Undefined until it is complete. @throws MalformedMessageError */
export function decodeMiniSsdpdVersion(bytes: Uint8Array): string | undefined {
  return textAt(bytes, 0)?.text
}

function encodeText(text: string): number[] {
  const bytes = new TextEncoder().encode(text)
  return [...encodeLength(bytes.length), ...bytes]
}

function encodeLength(length: number): number[] {
  const groups = [length % 128]
  for (let rest = Math.floor(length / 128); rest > 0; rest = Math.floor(rest / 128)) groups.unshift(128 + (rest % 128))
  return groups
}

/** The text that begins there, and where it ends. Undefined if it is not complete. */
function textAt(bytes: Uint8Array, start: number): { text: string; end: number } | undefined {
  const coded = decodeLength(bytes, start)
  if (coded === undefined || coded.end + coded.length > bytes.length) return undefined
  const end = coded.end + coded.length
  return { text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(coded.end, end)), end }
}

function decodeLength(bytes: Uint8Array, start: number): { length: number; end: number } | undefined {
  let length = 0
  for (const [at, byte] of bytes.subarray(start, start + MAX_LENGTH_BYTES).entries()) {
    length = length * 128 + (byte & 0x7f)
    if (length > MAX_MINISSDPD_TEXT_BYTES) throw malformed(`a text of at most ${MAX_MINISSDPD_TEXT_BYTES} bytes`, bytes)
    if (byte < 128) return { length, end: start + at + 1 }
  }
  if (bytes.length < start + MAX_LENGTH_BYTES) return undefined
  throw malformed(`a length of at most ${MAX_LENGTH_BYTES} bytes`, bytes)
}

function malformed(expected: string, bytes: Uint8Array): MalformedMessageError {
  return new MalformedMessageError(expected, new TextDecoder('latin1').decode(bytes.subarray(0, 200)))
}

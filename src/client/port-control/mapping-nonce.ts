/**
 * The nonce of a PCP mapping. Only somebody who knows it may renew or delete the mapping (RFC 6887 11.1, 15).
 * It is not random, but an HMAC-SHA256 of what identifies the mapping, with a key of this machine and user. So one
 * process can delete what another has made, after a crash too, and only the key has to be stored.
 */
import { addressOfBytes, bytesOfAddress, splitZone } from '../../domain/address.js'
import { InvalidArgumentError, type PortMappingError, TransportError } from '../../domain/errors.js'
import type { PrivateFiles } from '../../net/files/private-files.js'
import { NONCE_BYTES } from '../../wire/pcp.js'

/** What identifies a mapping to a PCP server (RFC 6887 11.3), and which server it is. */
export interface MappingInside {
  /** The address of the PCP server. */
  readonly gateway: string
  /** IANA protocol number. */
  readonly protocol: number
  readonly internalAddress: string
  readonly internalPort: number
}

/** 24 hexadecimal digits. */
export type NonceSource = (inside: MappingInside) => Promise<string>

/** --nonce. @throws InvalidArgumentError */
export function fixedNonce(text: string): NonceSource {
  if (!/^[\da-f]{24}$/i.test(text))
    throw new InvalidArgumentError(`'${text}' is not a nonce: give ${NONCE_BYTES * 2} hexadecimal digits`)
  const nonce = text.toLowerCase()
  return () => Promise.resolve(nonce)
}

const KEY_FILE = 'pcp-nonce-key'
const KEY_BYTES = 32

/**
 * `onTrouble` is called if the key cannot be stored. Mappings can still be made then, but only this process can remove
 * them. Nothing is read before the first nonce is wanted.
 */
export function derivedNonces(
  files: PrivateFiles,
  onTrouble: (error: PortMappingError) => void = () => {},
): NonceSource {
  let crypto: Promise<typeof import('node:crypto')> | undefined
  let key: Promise<Uint8Array> | undefined
  return async ({ gateway, protocol, internalAddress, internalPort }) => {
    crypto ??= import('node:crypto') // the bundle copies a module each time that it is imported
    const { createHmac } = await crypto
    key ??= keyOf(files, onTrouble)
    const [server, client] = [canonical(gateway), canonical(internalAddress)]
    const text = ['upnp-ts PCP nonce', server, protocol, client, internalPort].join('|')
    const digest = createHmac('sha256', await key)
      .update(text)
      .digest('hex')
    return digest.slice(0, NONCE_BYTES * 2)
  }
}

/** The same text for every spelling of an address, without the zone. */
function canonical(text: string): string {
  const { address } = splitZone(text)
  const bytes = bytesOfAddress(address)
  return bytes === undefined ? address : addressOfBytes(bytes)
}

async function keyOf(files: PrivateFiles, onTrouble: (error: PortMappingError) => void): Promise<Uint8Array> {
  const { randomBytes } = await import('node:crypto')
  const fresh = randomBytes(KEY_BYTES)
  try {
    return Buffer.from(await keptKey(files, fresh.toString('hex')), 'hex')
  } catch (error) {
    if (!(error instanceof TransportError)) throw error
    onTrouble(error)
    return fresh
  }
}

/** The file is checked: a power cut may have left it empty. Then it is written again. */
async function keptKey(files: PrivateFiles, fresh: string): Promise<string> {
  const isKey = (text: string | undefined): text is string => text !== undefined && /^[\da-f]{64}\n?$/.test(text)
  const known = await files.read(KEY_FILE)
  if (isKey(known)) return known.trim()
  if (known !== undefined) await files.remove(KEY_FILE)
  const kept = await files.createOnce(KEY_FILE, `${fresh}\n`)
  if (isKey(kept)) return kept.trim()
  throw new TransportError(`the key in ${files.directory} cannot be kept`)
}

/** --nonce @FILE and --nonce -: the nonce is read where no other user can see it, before anything is sent. */
import { TransportError } from '../../domain/errors.js'
import { firstLineOf, readSecretFile } from '../../net/files/secret-file.js'
import type { GatewayInvocation } from '../parse/invocation.js'
import { isNonce } from '../parse/option-values.js'
import { UsageError } from '../parse/words.js'

type Input = AsyncIterable<string | Uint8Array>

/** The same invocation with the nonce in it. @throws UsageError, which does not repeat what was read */
export async function withNonce(
  invocation: GatewayInvocation,
  stdin: (() => Input) | undefined,
): Promise<GatewayInvocation> {
  const { nonceFrom } = invocation.portControl
  if (nonceFrom === undefined) return invocation
  const nonce = (await textFrom(nonceFrom, stdin)).trim()
  if (!isNonce(nonce)) {
    const where = nonceFrom === '-' ? 'standard input' : nonceFrom.slice(1)
    throw new UsageError(`--nonce: what is in ${where} is not a nonce: it has to be 24 hexadecimal digits`)
  }
  return { ...invocation, portControl: { ...invocation.portControl, nonce } }
}

async function textFrom(source: string, stdin: (() => Input) | undefined): Promise<string> {
  try {
    if (source !== '-') return readSecretFile(source.slice(1))
    return stdin === undefined ? '' : await firstLineOf(stdin())
  } catch (error) {
    if (error instanceof TransportError) throw new UsageError(`--nonce: ${error.message}`)
    throw error
  }
}

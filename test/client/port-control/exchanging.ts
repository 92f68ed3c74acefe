/** An exchange of text with nobody in particular. */
import { expect } from 'vitest'
import { type Asking, exchange, natPmpWaits } from '../../../src/client/port-control/exchange.ts'
import { MalformedMessageError, RefusedError } from '../../../src/domain/errors.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { ScriptedDatagrams } from '../../support/scripted-datagrams.ts'

export const GATEWAY = { address: '192.168.1.1', port: 5351 }

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** `yes…` is the reply, `no` a refusal, `other…` the reply to another request, `defect` a defect; the rest is junk. */
export function acceptText(datagram: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(datagram)
  if (text.startsWith('yes')) return text
  if (text.startsWith('other')) return undefined
  if (text === 'no')
    throw new RefusedError({ protocol: 'pcp', action: 'GREET', number: 2, standardName: 'NOT_AUTHORIZED' })
  if (text === 'defect') throw new TypeError('x is undefined')
  throw new MalformedMessageError('a greeting', text)
}

export type Outcome = { readonly value: string } | { readonly error: unknown }

export interface Begun extends Partial<Asking<string>> {
  readonly signal?: AbortSignal
  readonly datagrams?: (datagrams: ScriptedDatagrams) => void
}

/** Has begun, and what could happen without time has happened. */
export async function begin({ signal, datagrams: prepare, ...asking }: Begun = {}) {
  const clock = new FakeClock()
  const datagrams = new ScriptedDatagrams(clock)
  prepare?.(datagrams)
  const outcomes: Outcome[] = []
  exchange(
    { clock, datagrams, signal },
    {
      remote: GATEWAY,
      action: 'GREET',
      encode: () => bytesOf('hello'),
      accept: acceptText,
      waits: natPmpWaits(),
      timeoutMs: 7750,
      ...asking,
    },
  ).then(
    (value) => outcomes.push({ value }),
    (error: unknown) => outcomes.push({ error }),
  )
  await settle()
  return {
    clock,
    datagrams,
    /** Undefined while it goes on. */
    get outcome(): Outcome | undefined {
      return outcomes[0]
    },
    get sentAtMs(): number[] {
      return datagrams.requests.map(({ atMs }) => atMs)
    },
    async reply(text: string): Promise<void> {
      datagrams.connection().deliver(bytesOf(text))
      await settle()
    },
    /** How it ended, and the proof that nothing is left behind and nothing more is done. */
    async ended(): Promise<Outcome | undefined> {
      expect([clock.pending, datagrams.openCount], 'timers and sockets left').toEqual([0, 0])
      const sent = datagrams.requests.length
      await clock.advance(1_000_000)
      expect(datagrams.requests.length, 'sent after the end').toBe(sent)
      return outcomes[0]
    },
  }
}

export const isRunning = (exchanged: { readonly outcome: Outcome | undefined }): boolean =>
  exchanged.outcome === undefined

import { describe, expect, it, vi } from 'vitest'
import { createHttpClient, type Exchange } from '../../../src/net/http/client.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const BYTES = 20_000

/** One byte after the other, each in a read of its own. */
const byteByByte: Exchange = (_request, sink) => {
  const send = async (): Promise<void> => {
    sink.connected('192.168.1.2', '192.168.1.1')
    sink.head(200, undefined, [])
    for (let sent = 0; sent < BYTES; sent++) {
      sink.data(Buffer.from([sent % 256]))
      await Promise.resolve()
    }
    sink.end()
  }
  void send()
  return () => {}
}

describe('a body that comes byte by byte', () => {
  it('is copied a few times at most, and looked at whole after each read', async () => {
    let copied = 0
    const typedArray: Pick<Uint8Array, 'set'> = Object.getPrototypeOf(Uint8Array.prototype)
    const [concat, copy, set] = [Buffer.concat, Buffer.prototype.copy, typedArray.set]
    vi.spyOn(Buffer, 'concat').mockImplementation((...args) => {
      const whole = concat(...args)
      copied += whole.length
      return whole
    })
    vi.spyOn(Buffer.prototype, 'copy').mockImplementation(function (this: Buffer, ...args) {
      const count = copy.apply(this, args)
      copied += count
      return count
    })
    vi.spyOn(typedArray, 'set').mockImplementation(function (this: Uint8Array, from, at) {
      copied += from.length
      set.call(this, from, at)
    })
    const sizes: number[] = []
    const reply = await createHttpClient(new FakeClock(), byteByByte).request({
      method: 'GET',
      url: new URL('http://192.168.1.1/'),
      headers: [],
      action: 'GetDescription',
      maxBodyBytes: BYTES,
      timeoutMs: 1000,
      isComplete(body) {
        sizes.push(body.length)
        return false
      },
    })
    vi.restoreAllMocks()
    expect(reply.body).toEqual(Uint8Array.from(Array.from({ length: BYTES }, (_, at) => at % 256)))
    expect(sizes.length).toBeGreaterThan(BYTES / 2)
    expect(copied).toBeLessThan(5 * BYTES)
  })
})

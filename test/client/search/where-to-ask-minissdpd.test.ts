import { describe, expect, it } from 'vitest'
import {
  MINISSDPD_PATH,
  MINISSDPD_SEARCH_MS,
  MINISSDPD_TARGETS,
  searchMiniSsdpd,
} from '../../../src/client/search/where-to-ask.ts'
import { NoReplyError, TransportError } from '../../../src/domain/errors.ts'
import { sleep } from '../../../src/net/clock.ts'
import type { UnixExchangeOptions, UnixStreams } from '../../../src/net/unix-stream.ts'
import { decodeMiniSsdpdRequest, encodeMiniSsdpdReply, type MiniSsdpdDevice } from '../../../src/wire/minissdpd.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const [IGD1, IGD2, WANIP, , ROOT] = MINISSDPD_TARGETS

const device = (ST: string, host = '192.168.1.1'): MiniSsdpdDevice => ({
  LOCATION: `http://${host}:5000/rootDesc.xml`,
  ST,
  USN: `uuid:1::${ST}`,
})

type Answer = readonly MiniSsdpdDevice[] | Uint8Array | Error

/** A daemon that answers by target, each after `delayMs`; where it has nothing for one, without devices. */
class ScriptedDaemon implements UnixStreams {
  readonly asked: string[] = []
  readonly paths = new Set<string>()
  readonly timeoutsMs: number[] = []
  readonly maxBytes = new Set<number>()
  readonly #clock: FakeClock
  readonly #answers: Readonly<Record<string, Answer>>
  readonly #delayMs: number

  constructor(clock: FakeClock, answers: Readonly<Record<string, Answer>>, delayMs = 0) {
    this.#clock = clock
    this.#answers = answers
    this.#delayMs = delayMs
  }

  async exchange(path: string, question: Uint8Array, options: UnixExchangeOptions): Promise<Uint8Array> {
    const request = decodeMiniSsdpdRequest(question)
    const ST = request.kind === 'type' ? request.ST : request.kind
    this.asked.push(ST)
    this.paths.add(path)
    this.timeoutsMs.push(options.timeoutMs)
    this.maxBytes.add(options.maxBytes)
    await sleep(this.#clock, Math.min(this.#delayMs, options.timeoutMs), options.signal)
    options.signal?.throwIfAborted()
    if (this.#delayMs >= options.timeoutMs) throw new NoReplyError('late')
    const answer = this.#answers[ST] ?? []
    if (answer instanceof Error) throw answer
    const bytes = answer instanceof Uint8Array ? answer : encodeMiniSsdpdReply(answer)
    for (let length = 1; length <= bytes.length; length++) {
      if (options.isComplete(bytes.subarray(0, length))) return bytes.subarray(0, length)
    }
    return bytes // it closed the connection
  }
}

function search(answers: Readonly<Record<string, Answer>>): {
  daemon: ScriptedDaemon
  found: Promise<MiniSsdpdDevice[]>
} {
  const clock = new FakeClock()
  const daemon = new ScriptedDaemon(clock, answers)
  const found = searchMiniSsdpd({ clock, unixStreams: daemon })
  void clock.advance(0)
  return { daemon, found }
}

describe('a search at MiniSSDPd', () => {
  it('takes 64 KiB for each target', async () => {
    const { daemon, found } = search({})
    await found
    expect([...daemon.maxBytes]).toEqual([64 * 1024])
  })

  it('ends with the first target that brings a gateway', async () => {
    const { daemon, found } = search({ [IGD1]: [device(IGD1)], [ROOT]: [device(ROOT)] })
    expect(await found).toEqual([device(IGD1)])
    expect(daemon.asked).toEqual([IGD1])
    expect([...daemon.paths]).toEqual([MINISSDPD_PATH])
  })

  it('takes a device of another version than it asked for, as the daemon gives it', async () => {
    const { daemon, found } = search({ [IGD1]: [device(IGD2)] })
    expect(await found).toEqual([device(IGD2)])
    expect(daemon.asked).toEqual([IGD1])
  })

  it('asks for one target after the other, root devices last', async () => {
    const { daemon, found } = search({})
    expect(await found).toEqual([])
    expect(daemon.asked).toEqual([
      'urn:schemas-upnp-org:device:InternetGatewayDevice:1',
      'urn:schemas-upnp-org:device:InternetGatewayDevice:2',
      'urn:schemas-upnp-org:service:WANIPConnection:1',
      'urn:schemas-upnp-org:service:WANPPPConnection:1',
      'upnp:rootdevice',
    ])
  })

  it('goes on after root devices, and keeps them', async () => {
    const { daemon, found } = search({ [IGD2]: [device(ROOT)], [WANIP]: [device(WANIP)] })
    expect(await found).toEqual([device(ROOT), device(WANIP)])
    expect(daemon.asked).toEqual([IGD1, IGD2, WANIP])
  })

  it('has root devices where there is nothing else', async () => {
    const { found } = search({ [ROOT]: [device(ROOT), device(ROOT, '192.168.1.2')] })
    expect(await found).toEqual([device(ROOT), device(ROOT, '192.168.1.2')])
  })

  it('has the devices that were complete when the daemon closed', async () => {
    const reply = encodeMiniSsdpdReply([device(IGD1), device(IGD1, '192.168.1.2')])
    const { daemon, found } = search({ [IGD1]: reply.subarray(0, -1) })
    expect(await found).toEqual([device(IGD1)])
    expect(daemon.asked).toEqual([IGD1])
  })

  it.each([
    ['there is no daemon', new TransportError('x', { cause: Object.assign(new Error(), { code: 'ENOENT' }) })],
    ['it refuses', new TransportError('x', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) })],
    ['it speaks another protocol', Buffer.from('\xffHTTP/1.1 400', 'latin1')],
  ])('finds nothing and asks no more where %s', async (_name, answer) => {
    const { daemon, found } = search({ [IGD1]: answer, [IGD2]: [device(IGD2)] })
    expect(await found).toEqual([])
    expect(daemon.asked).toEqual([IGD1])
  })

  it('keeps what it has where the daemon fails later', async () => {
    const { found } = search({ [IGD1]: [device(ROOT)], [IGD2]: new TransportError('x') })
    expect(await found).toEqual([device(ROOT)])
  })

  it('does not hide a defect', async () => {
    const defect = new TypeError('a defect')
    await expect(search({ [IGD1]: defect }).found).rejects.toBe(defect)
  })

  it('asks at the path that it is given, and nowhere where that is empty', async () => {
    const clock = new FakeClock()
    const daemon = new ScriptedDaemon(clock, { [IGD1]: [device(IGD1)] })
    expect(await searchMiniSsdpd({ clock, unixStreams: daemon, path: '' })).toEqual([])
    expect(daemon.asked).toEqual([])
    const found = searchMiniSsdpd({ clock, unixStreams: daemon, path: '/tmp/other' })
    await clock.advance(0)
    expect(await found).toHaveLength(1)
    expect([...daemon.paths]).toEqual(['/tmp/other'])
  })

  it('is over after 500 ms, however many targets are left', async () => {
    const clock = new FakeClock()
    const daemon = new ScriptedDaemon(clock, { [IGD1]: [device(ROOT)] }, 200)
    let found: MiniSsdpdDevice[] | undefined
    searchMiniSsdpd({ clock, unixStreams: daemon }).then((devices) => (found = devices))
    await clock.advance(MINISSDPD_SEARCH_MS - 1)
    expect(found).toBeUndefined()
    await clock.advance(1)
    expect(found).toEqual([device(ROOT)])
    expect(daemon.timeoutsMs).toEqual([500, 300, 100])
    expect(clock.pending).toBe(0)
  })

  it('ends with its signal, and with what it has found', async () => {
    const clock = new FakeClock()
    const daemon = new ScriptedDaemon(clock, { [IGD1]: [device(ROOT)] }, 100)
    const stop = new AbortController()
    const found = searchMiniSsdpd({ clock, unixStreams: daemon, signal: stop.signal })
    await clock.advance(150)
    stop.abort(new Error('the search is over'))
    expect(await found).toEqual([device(ROOT)])
    expect(daemon.asked).toEqual([IGD1, IGD2])
    expect(await searchMiniSsdpd({ clock, unixStreams: daemon, signal: stop.signal })).toEqual([])
    expect(daemon.asked).toHaveLength(2)
    expect(clock.pending).toBe(0)
  })
})

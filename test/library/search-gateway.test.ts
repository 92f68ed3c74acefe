import { describe, expect, it } from 'vitest'
import type { Gateway } from '../../src/domain/gateway.ts'
import { GatewayFinder } from '../../src/library/search-gateway.ts'
import { failureOf } from '../client/port-control/gateway-asked.ts'

/** Finds another gateway each time, unless a failure is told; the signals that it was searched with. */
function finding() {
  const signals: AbortSignal[] = []
  const next: { failure?: Error } = {}
  const finder = new GatewayFinder((signal) => {
    signals.push(signal)
    return next.failure === undefined
      ? Promise.resolve({ address: `${signals.length}` } as Gateway)
      : Promise.reject(next.failure)
  })
  const aborted = (): boolean[] => signals.map((each) => each.aborted)
  return { finder, next, aborted }
}

const never = (): AbortSignal => new AbortController().signal

describe('the gateway that is found again and again', () => {
  it('stays usable until another one is found, and while none is', async () => {
    const { finder, next, aborted } = finding()
    expect(await finder.find(never())).toMatchObject({ address: '1' })
    next.failure = new Error('nobody')
    expect(await failureOf(finder.find(never()))).toBe(next.failure)
    expect(aborted()).toEqual([false, true])
    delete next.failure
    await finder.find(never())
    expect(aborted()).toEqual([true, true, false])
  })

  it('stays usable when the search that found it is over, and not after the end of all', async () => {
    const { finder, aborted } = finding()
    const search = new AbortController()
    await finder.find(search.signal)
    search.abort()
    expect(aborted()).toEqual([false])
    finder.close()
    expect(aborted()).toEqual([true])
  })

  it('stays usable beside a better one, until that one is settled on', async () => {
    const { finder, aborted } = finding()
    await finder.find(never())
    const better = {} as Gateway
    let end: AbortSignal | undefined
    const search = (signal: AbortSignal): Promise<Gateway> => {
      end = signal
      return Promise.resolve(better)
    }
    expect(await finder.findBeside(never(), search)).toBe(better)
    expect([aborted(), end?.aborted]).toEqual([[false], false])
    finder.settleOn(better)
    expect([aborted(), end?.aborted]).toEqual([[true], false])
    finder.close()
    expect(end?.aborted).toBe(true)
  })

  it('is searched for as long as the signal lets it be', async () => {
    const signals: AbortSignal[] = []
    const finder = new GatewayFinder((signal) => {
      signals.push(signal)
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    const search = new AbortController()
    const failure = failureOf(finder.find(search.signal))
    search.abort()
    expect(await failure).toMatchObject({ code: 'NO_GATEWAY', message: 'the search was ended' })
  })
})

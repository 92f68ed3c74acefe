import { describe, expect, it } from 'vitest'
import { MAX_OTHERS_REQUESTS, OthersBudget, type Spender } from '../../../src/client/search/others-budget.ts'
import type { HttpClient, HttpRequest } from '../../../src/net/http/client.ts'

const REQUEST: HttpRequest = {
  method: 'GET',
  url: new URL('http://192.168.1.66/root.xml'),
  headers: [],
  action: 'description',
  maxBodyBytes: 1000,
  timeoutMs: 1000,
  isComplete: () => true,
}
const REPLY = { status: 200, headers: new Map(), body: new Uint8Array(), localAddress: '', remoteAddress: '' }

function spending(changes: Partial<Spender> = {}) {
  const stopped: string[] = []
  const spender = { isIgd: () => true, isFree: () => false, stop: ({ message }: Error) => stopped.push(message) }
  const asked = { times: 0 }
  /** It asks again after a reset, if it may. */
  const http: HttpClient = {
    async request({ onReset }) {
      asked.times++
      if (onReset?.() === true) asked.times++
      return REPLY
    },
  }
  return { asked, stopped, client: new OthersBudget().client(http, { ...spender, ...changes }) }
}

describe('the budget of all devices that are not the router', () => {
  it('counts a request that is made again after a reset, and makes none beyond the bound', async () => {
    const { asked, stopped, client } = spending()
    const ask = (): Promise<unknown> => client.request(REQUEST)
    for (let count = 0; count < MAX_OTHERS_REQUESTS / 2; count++) await ask()
    expect(asked.times).toBe(MAX_OTHERS_REQUESTS)
    await expect(ask()).rejects.toThrow('http://192.168.1.66 was not asked further, because others use up the search')
    expect([asked.times, stopped.length]).toEqual([MAX_OTHERS_REQUESTS, 1])
  })

  it('does not ask again after a reset if that was the last one, or if the caller does not want it', async () => {
    const { asked, client } = spending()
    await client.request({ ...REQUEST, onReset: () => false })
    for (let count = 1; count < MAX_OTHERS_REQUESTS; count += 2) await client.request(REQUEST)
    expect(asked.times).toBe(MAX_OTHERS_REQUESTS)
  })

  it('is none for the router', async () => {
    const { asked, client } = spending({ isFree: () => true })
    for (let count = 0; count < 100; count++) await client.request(REQUEST)
    expect(asked.times).toBe(200)
  })
})

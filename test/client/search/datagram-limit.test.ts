import { describe, expect, it } from 'vitest'
import {
  DatagramLimit,
  MAX_REPLIES_OF_OTHERS,
  MAX_REPLIES_OF_ROUTER,
} from '../../../src/client/search/datagram-limit.ts'

const admitted = (limit: DatagramLimit, count: number, isRouter: boolean): number =>
  Array.from({ length: count }, (_, at) => limit.admits(isRouter ? 'router' : `${at % 200}`, 100, isRouter)).filter(
    Boolean,
  ).length

describe('the datagrams of a search that are read', () => {
  it('are so many in the name of the router, whatever the others have used up', () => {
    const limit = new DatagramLimit()
    expect(admitted(limit, 2 * MAX_REPLIES_OF_OTHERS, false)).toBe(MAX_REPLIES_OF_OTHERS)
    expect(admitted(limit, 2 * MAX_REPLIES_OF_ROUTER, true)).toBe(MAX_REPLIES_OF_ROUTER)
  })

  it('are so many of the others, whatever was sent in the name of the router', () => {
    const limit = new DatagramLimit()
    expect(admitted(limit, 2 * MAX_REPLIES_OF_ROUTER, true)).toBe(MAX_REPLIES_OF_ROUTER)
    expect(admitted(limit, 2 * MAX_REPLIES_OF_OTHERS, false)).toBe(MAX_REPLIES_OF_OTHERS)
  })
})

/** What happens to a router is told in the same order, whatever protocol it speaks. */
import { describe, expect, it } from 'vitest'
import { Home, MINUTE_MS, SECOND_MS, toldBy, VIAS } from './home.ts'

const [FIRST, NEXT] = ['198.51.100.1:8080', '198.51.100.77:8080']

describe.each(VIAS)('over %s', (via) => {
  it.each([
    [0, true],
    [1, true],
    [2, true],
    [5, true],
    [20, true],
    [120, true],
    [2, false],
    [120, false],
  ])('a restart of %i s is a loss, and then a return or a move (announced: %s)', async (seconds, isAnnounced) => {
    for (const externalAddress of [undefined, '198.51.100.77']) {
      const home = await Home.begin()
      const port = await home.open(8080, { via })
      const told = toldBy(port)
      await home.pass(MINUTE_MS)
      home.router.restart({
        downMs: seconds * SECOND_MS,
        isAnnounced,
        ...(externalAddress !== undefined && { externalAddress }),
      })
      await home.pass(10 * MINUTE_MS)
      const changes = told.filter((change) => !/^(renewed|failed)/.test(change))
      const back = externalAddress === undefined ? `restored ${FIRST}` : `moved ${NEXT}`
      expect(changes).toEqual([`lost ${FIRST}`, back])
      expect(home.doors).toEqual(['8080 TCP'])
      await home.close(port)
    }
  })
})

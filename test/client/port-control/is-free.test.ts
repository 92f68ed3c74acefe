/** Neither protocol can ask who has a port, but both can ask for it. */
import { describe, expect, it } from 'vitest'
import { mapReply, natPmpError, natPmpMapReply, pcpError } from '../../support/port-control-replies.ts'
import { natPmp, pcp } from './gateway-asked.ts'

const OUTSIDE = { externalPort: 8080, protocol: 'TCP' } as const
/** The middle of the dynamic ports: the tests bring their own chance. */
const UNUSED_PORT = 57_344

describe('whether an external port is free, over PCP', () => {
  it('is a yes if it is granted, and then it is given back', async () => {
    const { gateway, asked, nothingLeft, options } = pcp()
    expect(await gateway.isFree(OUTSIDE)).toBe(true)
    const common = { internalPort: UNUSED_PORT, suggestedExternalPort: 8080 }
    expect(asked()).toMatchObject([
      { ...common, lifetimeSeconds: 120, options: [{ kind: 'PREFER_FAILURE' }] },
      { ...common, lifetimeSeconds: 0, options: [] },
    ])
    expect(await options.memory.recall(OUTSIDE), 'it is not remembered').toBeUndefined()
    nothingLeft()
  })

  it('is a no if it is refused as taken, or another one is granted, which is given back too', async () => {
    expect(await pcp((request) => pcpError(request, 11)).gateway.isFree(OUTSIDE)).toBe(false)
    const other = pcp((request) => mapReply(request, { assignedExternalPort: 8081 }))
    expect(await other.gateway.isFree(OUTSIDE)).toBe(false)
    expect(other.asked().map(({ lifetimeSeconds }) => lifetimeSeconds)).toEqual([120, 0])
  })

  it.each([2, 8, 10])('is not told if it is refused with %i', async (number) => {
    expect(await pcp((request) => pcpError(request, number)).gateway.isFree(OUTSIDE)).toBe('untold')
  })

  it('is not told if nobody answers', async () => {
    const { gateway, clock } = pcp(() => undefined)
    const asked = gateway.isFree(OUTSIDE)
    await clock.advance(10_000)
    expect(await asked).toBe('untold')
  })
})

describe('whether an external port is free, over NAT-PMP', () => {
  it('is a yes if it is granted, and a no if another one is, and it is given back', async () => {
    for (const [given, isFree] of [
      [8080, true],
      [8081, false],
    ] as const) {
      const { gateway, asked, nothingLeft } = natPmp((request) =>
        natPmpMapReply(request, { mappedExternalPort: given }),
      )
      expect(await gateway.isFree(OUTSIDE)).toBe(isFree)
      expect(asked()).toMatchObject([
        { internalPort: UNUSED_PORT, suggestedExternalPort: 8080, lifetimeSeconds: 120 },
        { internalPort: UNUSED_PORT, suggestedExternalPort: 0, lifetimeSeconds: 0 },
      ])
      nothingLeft()
    }
  })

  it('is not told if it is refused', async () => {
    expect(await natPmp(() => natPmpError(2, 4)).gateway.isFree(OUTSIDE)).toBe('untold')
  })
})

import { describe, expect, it } from 'vitest'
import type { Gateway } from '../../../src/domain/gateway.ts'
import type { Better } from '../../../src/keeper/better-gateway.ts'
import { KeptRouter } from '../../../src/library/keeping/kept-router.ts'
import { GatewayFinder, type Opened, type SearchRemark } from '../../../src/library/search-gateway.ts'

const [ROUTER, OTHER, THIRD] = ['192.168.1.1', '192.168.1.66', '192.168.1.77']

/** A search that found that device: `router` is the default gateway, if there is one. */
function found(address: string, router?: string): [Gateway, SearchRemark[]] {
  const pulse = () => Promise.resolve({ externalAddress: '203.0.113.5' })
  const gateway = { address, protocol: 'igd', pulse } as unknown as Gateway
  if (router === undefined) return [gateway, [{ kind: 'no-router', address }]]
  return [gateway, address === router ? [] : [{ kind: 'not-the-router', address, router }]]
}

/** Uses what each search found. Says which of them were used. */
function using(...searches: readonly ReturnType<typeof found>[]) {
  const router = new KeptRouter()
  const used = searches.map(([gateway, remarks]) => {
    try {
      router.use(gateway, remarks)
      return true
    } catch (error) {
      return error instanceof Error ? error.message : error
    }
  })
  return { router, used }
}

const refused = (router: string, address: string) =>
  `the router at ${router} does not answer; another device (${address}) does, and is not used`

describe('ports that were kept on the router', () => {
  it('are not kept on any other device, and the reason is told', () => {
    const { router, used } = using(found(ROUTER, ROUTER), found(OTHER, ROUTER), found(ROUTER, ROUTER))
    expect(used).toEqual([true, refused(ROUTER, OTHER), true])
    expect(router.address).toBe(ROUTER)
  })

  it('are kept on the router of another network, and on no other device there', () => {
    const { router, used } = using(found(ROUTER, ROUTER), found(OTHER, THIRD), found(THIRD, THIRD))
    expect(used).toEqual([true, refused(THIRD, OTHER), true])
    expect(router.address).toBe(THIRD)
  })

  it('are kept on it without a default gateway too, and on no other device', () => {
    const { used } = using(found(ROUTER, ROUTER), found(OTHER), found(ROUTER), found(ROUTER, THIRD))
    expect(used).toEqual([true, refused(ROUTER, OTHER), true, refused(THIRD, ROUTER)])
  })

  it('are not kept on it if it is not the default gateway any more, and has to be found anew', () => {
    expect(using(found(ROUTER, ROUTER), found(ROUTER, THIRD)).used).toEqual([true, refused(THIRD, ROUTER)])
  })
})

describe('ports that were kept on another device', () => {
  it('may be kept on one more, until the router answers', () => {
    const { router, used } = using(found(OTHER, ROUTER), found(THIRD, ROUTER))
    expect([used, router.address]).toEqual([[true, true], undefined])
    router.use(...found(ROUTER, ROUTER))
    expect(() => router.use(...found(THIRD, ROUTER))).toThrow(refused(ROUTER, THIRD))
  })

  it('stay on it if there was no default gateway, until there is a router', () => {
    const { router, used } = using(found(OTHER), found(THIRD), found(OTHER), found(OTHER, ROUTER), found(THIRD, ROUTER))
    expect(used).toEqual([true, refused(OTHER, THIRD), true, true, refused(ROUTER, THIRD)])
    expect(router.address).toBe(OTHER)
    router.use(...found(ROUTER, ROUTER))
    expect(router.address).toBe(ROUTER)
  })
})

describe('the router, while another device is used', () => {
  /** What the other one is left for, after a search beside it that found that; undefined for nothing. */
  function betterThan(before: ReturnType<typeof found>, now: ReturnType<typeof found> | undefined) {
    const { router } = using(before)
    const finder = new GatewayFinder(() => Promise.reject(new Error('not asked')))
    const lookFor = async (): Promise<Opened> => {
      const [gateway, remarks] = now ?? [undefined, []]
      return { found: gateway && { gateway }, remarks } as unknown as Opened
    }
    const better = (): Promise<Better | undefined> => router.better(finder, lookFor, new AbortController().signal)
    return { router, better }
  }

  it.each([
    ['that one is not the default gateway', found(OTHER, ROUTER)],
    ['there was no default gateway', found(OTHER)],
  ])('is better, with its external address: %s', async (_, before) => {
    const { better } = betterThan(before, found(ROUTER, ROUTER))
    expect(await better()).toMatchObject({ gateway: { address: ROUTER }, externalAddress: '203.0.113.5' })
  })

  it.each([
    ['nothing answers', undefined],
    ['the other one answers', found(OTHER, ROUTER)],
    ['there is no default gateway', found(OTHER)],
  ])('is not there: %s', async (_, now) => {
    const { better } = betterThan(found(OTHER, ROUTER), now)
    await expect(better()).rejects.toMatchObject({ code: 'NO_GATEWAY' })
  })

  it('is the one in use if that is the default gateway by now, and is not looked for any more', async () => {
    const { router, better } = betterThan(found(OTHER), found(OTHER, OTHER))
    expect([await better(), await better()]).toEqual([undefined, undefined])
    expect(() => router.use(...found(THIRD, OTHER))).toThrow(refused(OTHER, THIRD))
  })

  it('is not looked for while it is used itself', async () => {
    const { better } = betterThan(found(ROUTER, ROUTER), undefined)
    expect(await better()).toBeUndefined()
  })
})

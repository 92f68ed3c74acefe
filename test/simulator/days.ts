/**
 * Simulated days, one for each seed. With SEED in the environment there is only that one, and everything that is sent
 * and said is printed.
 */
import { describe, expect, it } from 'vitest'
import { simulate } from './simulation.ts'

export const SEEDS = 200

export function describeDays(isOfThese: (seed: number) => boolean): void {
  const { SEED: only } = process.env
  const all = Array.from({ length: SEEDS }, (_, at) => at + 1)
  const seeds = (only === undefined ? all : [Number(only)]).filter(isOfThese)
  const log = only === undefined ? {} : { log: (line: string) => void process.stdout.write(`${line}\n`) }
  describe.skipIf(seeds.length === 0)('a day with everything that happens to routers', () => {
    it.each(seeds)('ends well with seed %d', { timeout: 60_000 }, async (seed) => {
      const { story } = await simulate(seed, log)
      expect(story ?? '', story).toBe('')
    })
  })
}

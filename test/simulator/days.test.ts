import { appendFileSync } from 'node:fs'
import { it } from 'vitest'
import { simulate } from './simulation.ts'
const seeds = process.env.SEED ? [Number(process.env.SEED)] : Array.from({length: Number(process.env.SEEDS ?? 30)}, (_, i) => i + 1)
it('x', async () => {
  const counts: Record<string, number[]> = {}
  const t00 = performance.now()
  for (const seed of seeds) {
    const t0 = performance.now(); const c0 = process.cpuUsage()
    const r = await simulate(seed, { ...(process.env.SEED ? { log: (l: string) => appendFileSync('/tmp/simx/log', l + '\n') } : {}), without: new Set((process.env.WITHOUT ?? '').split(',')) })
    if (process.env.TIMES) console.log(seed, Math.round(performance.now() - t0), 'cpu', Math.round(process.cpuUsage(c0).user / 1000), r.turns, r.failure?.property)
    if (r.story) { console.log(r.story); (counts[r.failure!.property] ??= []).push(seed) }
  }
  console.log(counts, Math.round(performance.now() - t00))
}, 1e6)

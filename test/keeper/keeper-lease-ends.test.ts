import { describe, expect, it } from 'vitest'
import { KeptMapping } from '../../src/keeper/kept-mapping.ts'
import { begin, HOUR_MS, MINUTE_MS, PROTOCOLS, wanted } from './keeping.ts'

const PORT = 'external port 8080 TCP'

function brief(externalPort = 8080): KeptMapping {
  return new KeptMapping(wanted({ externalPort, internalPort: externalPort, lease: { seconds: 14 } }))
}

/** The router answers other questions all the while. */
describe.each(PROTOCOLS)('a lease that ends while a renewal is unanswered, over %s', (protocol) => {
  const settings = { kept: [brief()], random: () => 0, checkMs: HOUR_MS }

  it('is lost at that moment, and open again after the time for which it was closed', async () => {
    const keeping = begin(protocol, { ...settings, before: (router) => Object.assign(router, { timeoutMs: 8000 }) })
    await keeping.wait(1000)
    keeping.told()
    keeping.router.silentPorts.add(8080)
    await keeping.wait(13_000)
    expect(keeping.told()).toEqual([`14000 lost ${PORT}: expired`])
    await keeping.wait(6000)
    keeping.router.silentPorts.clear()
    await keeping.wait(10_000)
    const restored = keeping.events.find(({ type }) => type === 'restored')
    const [told] = keeping.told().filter((line) => line.includes('restored'))
    expect(restored?.type === 'restored' && 14_000 + restored.afterMs).toBe(Number(told?.split(' ')[0]))
    await keeping.stop()
  })

  it('is lost while another port is waited for', async () => {
    const kept = [brief(), new KeptMapping(wanted({ externalPort: 9000, internalPort: 9000 }))]
    const keeping = begin(protocol, {
      ...settings,
      kept,
      before: (router) => Object.assign(router, { timeoutMs: 60_000 }),
    })
    keeping.router.silentPorts.add(9000)
    await keeping.wait(MINUTE_MS - 1)
    expect(keeping.told().at(-1)).toBe(`14000 lost ${PORT}: expired`)
    keeping.router.silentPorts.clear()
    await keeping.wait(MINUTE_MS)
    expect(keeping.told()).toContain(`60000 restored ${PORT} after 46000`)
    await keeping.stop()
  })

  it('is nothing to tell after the end', async () => {
    const keeping = begin(protocol, settings)
    await keeping.wait(1000)
    keeping.router.answering = 'deaf'
    keeping.router.timeoutMs = 20_000
    await keeping.wait(7000)
    keeping.told()
    await keeping.stop()
    expect(keeping.told().map((line) => line.split(' ')[1])).toEqual(['not-removed'])
  })
})

it('A renewal over an IGD that finds the port gone tells that it was lost, and opens it anew', async () => {
  const keeping = begin('igd', { random: () => 0, checkMs: 10 * HOUR_MS })
  await keeping.wait(1_300_000) // looks double up to the renewal at 1800 s
  keeping.told()
  keeping.router.deleteMapping(8080)
  await keeping.wait(500_000)
  expect(keeping.told()).toEqual([`1800000 lost ${PORT}: gone`, `1800000 restored ${PORT} after 0`])
  await keeping.stop()
})

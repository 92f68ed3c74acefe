/** A defect of ours costs a keeper one turn, or one of its ports. The others go on, and it is told. */
import { afterEach, describe, expect, it } from 'vitest'
import type { Gateway } from '../../src/domain/gateway.ts'
import { KeptMapping } from '../../src/keeper/kept-mapping.ts'
import { type IgnoredLog, ignoredLog } from '../support/ignored.ts'
import { begin, HOUR_MS, type Keeping, MINUTE_MS, type Settings, wanted } from './keeping.ts'

const defect = new TypeError('planted')
const UNREADABLE = 'expected an answer that upnp-ts can read'
const ports = (): readonly [KeptMapping, KeptMapping] => [
  new KeptMapping(wanted({ externalPort: 8081, internalPort: 81 })),
  new KeptMapping(wanted()),
]
const [FIRST, SECOND] = ['external port 8081 TCP', 'external port 8080 TCP']
const BOTH = ['8080/TCP -> 192.168.1.10:80', '8081/TCP -> 192.168.1.10:81']

let log: IgnoredLog
afterEach(() => log.end())

function beginIt(settings: Settings): Keeping {
  log = ignoredLog()
  return begin('igd', { ...settings, mayIgnore: true })
}

describe('a defect of a keeper', () => {
  it('in making one port keeps nobody else waiting, and that port is tried again', async () => {
    const [broken, other] = ports()
    const { make } = broken
    broken.make = () => Promise.reject(defect)
    const keeping = beginIt({ kept: [broken, other] })
    await keeping.wait(5000)
    expect(keeping.router.table).toEqual([BOTH[0]])
    expect(keeping.told().filter((line) => line.includes(FIRST))[0]).toContain(`failed ${FIRST}: ${UNREADABLE}`)
    expect(log.told()[0]).toBe(`turn ${FIRST}: TypeError: planted`)
    broken.make = make.bind(broken)
    await keeping.wait(MINUTE_MS)
    expect(keeping.router.table.toSorted()).toEqual(BOTH)
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })

  it('in looking for one port hides no loss of another', async () => {
    const [broken, other] = ports()
    const keeping = beginIt({ kept: [broken, other] })
    await keeping.wait(MINUTE_MS)
    broken.find = () => Promise.reject(defect)
    keeping.told()
    keeping.router.deleteMapping(8080)
    await keeping.wait(10 * MINUTE_MS)
    expect(keeping.toldInOrder()).toEqual([`lost ${SECOND}: gone`, `restored ${SECOND} after 0`])
    expect(new Set(log.told())).toEqual(new Set([`turn ${FIRST}: TypeError: planted`]))
    await keeping.stop()
  })

  it('in a turn costs that turn', async () => {
    let isBroken = false
    const keeping: Keeping = beginIt({
      async open(signal) {
        await Promise.resolve()
        const gateway = await keeping.router.open(signal)
        const pulse = gateway.pulse.bind(gateway)
        return Object.assign(gateway, { pulse: () => (isBroken ? Promise.reject(defect) : pulse()) })
      },
    })
    await keeping.wait(MINUTE_MS)
    isBroken = true
    await keeping.wait(5 * MINUTE_MS)
    expect(log.told()[0]).toBe('turn 192.168.1.1: TypeError: planted')
    isBroken = false
    await keeping.wait(2 * HOUR_MS)
    expect(log.told()).toEqual([])
    expect(keeping.router.table).toHaveLength(1)
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })

  it('in the search for a gateway is a search that has failed', async () => {
    let searches = 0
    const keeping: Keeping = beginIt({
      async open(): Promise<Gateway> {
        await Promise.resolve()
        if (++searches < 3) throw defect
        return keeping.router.open()
      },
    })
    await keeping.wait(MINUTE_MS)
    expect(keeping.toldInOrder()).toEqual([
      `searching: ${UNREADABLE}`,
      'found',
      'external-address 203.0.113.5',
      `mapped ${SECOND}`,
    ])
    expect(log.told()).toHaveLength(2)
    await keeping.stop()
  })

  it('in the search for a better gateway leaves the one that is in use', async () => {
    const keeping = beginIt({ better: () => Promise.reject(defect) })
    await keeping.wait(5 * MINUTE_MS)
    expect(keeping.router.table).toHaveLength(1)
    expect(new Set(log.told())).toEqual(new Set(['turn the search for a better gateway: TypeError: planted']))
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })

  it('in removing one port leaves only that one', async () => {
    const [broken, other] = ports()
    const keeping = beginIt({ kept: [broken, other] })
    await keeping.wait(MINUTE_MS)
    broken.remove = () => Promise.reject(defect)
    keeping.told()
    await keeping.stop()
    expect(keeping.toldInOrder().toSorted()).toEqual([`not-removed ${FIRST}: ${UNREADABLE}`, `removed ${SECOND}`])
    expect(keeping.router.table).toEqual([BOTH[1]])
    expect(log.told()[0]).toBe(`turn ${FIRST}: TypeError: planted`)
  })

  it('in whoever hears what it tells costs what was told', async () => {
    const heard: string[] = []
    const keeping = beginIt({
      onEvent({ type }) {
        if (type === 'found') throw defect
        heard.push(type)
      },
    })
    await keeping.wait(MINUTE_MS)
    expect(heard).toEqual(['external-address', 'mapped'])
    expect(log.told()).toEqual(['turn found: TypeError: planted'])
    await keeping.stop()
  })
})

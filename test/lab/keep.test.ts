/**
 * What happens to a router while ports are kept open, and how long it takes until the internet comes in again. The same
 * keepers go through it all, in a lab where the router speaks UPnP only, and in one where it speaks PCP and NAT-PMP only.
 * The table of the times is printed at the end.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, describe, test } from 'vitest'
import {
  type Door,
  doorOf,
  END_MS,
  EPOCH_TELLS_MS,
  endBy,
  eventsOf,
  Knocker,
  keepOpen,
  keptDoor,
  labUp,
  pinholeOf,
  RESTORED_WITHIN_MS,
  ROUTERS,
  told,
} from './keep-lab.ts'
import { COMPUTER_SECOND, type RouterOptions } from './lab.ts'
import { doorsOf } from './router-doors.ts'

/** Two knocks are not further apart. */
const ONE_KNOCK_MS = 500

interface Restart {
  readonly what: string
  readonly outageMs?: number
  readonly changes?: RouterOptions
}

const EMPTY: Restart = { what: 'killed without goodbye, restarted empty' }
const OTHER_ADDRESS: Restart = {
  what: 'restarted with another external address',
  changes: { externalAddress: '11.22.33.55' },
}
const OTHER_HTTP_PORT: Restart = { what: 'restarted on another HTTP port', changes: { httpPort: 5001 } }
const LONG_OUTAGE: Restart = { what: 'gone for 30 s', outageMs: 30_000 }

const LABS = [
  {
    speaks: 'UPnP',
    router: ROUTERS.igd,
    doors: [doorOf('igd', 8080), pinholeOf('igd')],
    restarts: [EMPTY, OTHER_ADDRESS, OTHER_HTTP_PORT, LONG_OUTAGE],
  },
  {
    speaks: 'PCP and NAT-PMP',
    router: ROUTERS.pcp,
    doors: [doorOf('pcp', 8080), doorOf('nat-pmp', 8081), pinholeOf('pcp')],
    restarts: [EMPTY, OTHER_ADDRESS, LONG_OUTAGE],
  },
]

const table = new Map<string, Record<string, string>>()
function note(what: string, { name }: Pick<Door, 'name'>, ms: number): void {
  table.set(what, { ...table.get(what), [name]: `${(Math.max(0, ms) / 1000).toFixed(1)} s` })
}
afterAll(() => {
  console.log('from the router being back until the internet comes in again; 0: it came in before all of it was up')
  console.table(Object.fromEntries(table))
})

describe.concurrent('the internet comes in again', { timeout: 150_000 }, () => {
  test.for(LABS)('through a router that speaks $speaks', async (row, { expect, onTestFinished }) => {
    const { router, doors, restarts } = row
    const lab = await labUp(onTestFinished, router)
    const all = await Promise.all(
      doors.map(async (door) => ({ door, knocker: new Knocker(lab, door), ...(await keptDoor(lab, door)) })),
    )
    await Promise.all(all.map(({ knocker }) => knocker.finds('open')))

    for (const { what, outageMs = 0, changes = {} } of restarts) {
      await pause(EPOCH_TELLS_MS)
      await lab.stopRouter()
      await Promise.all(all.map(({ knocker }) => knocker.finds('shut')))
      await pause(outageMs)
      await lab.startRouter(changes)
      const backMs = Date.now()
      await Promise.all(
        all.map(async ({ door, knocker }) => {
          const tookMs = (await knocker.finds('open')) - backMs
          note(what, door, tookMs)
          expect.soft(tookMs, `${what}: ${door.name}`).toBeLessThan(RESTORED_WITHIN_MS)
        }),
      )
    }

    await lab.stopRouter()
    await Promise.all(all.map(({ knocker }) => knocker.finds('shut')))
    for (const { door, keeper } of all) {
      const { stdout, exit, wallMs } = await endBy(keeper, 'SIGTERM')
      note('gone when SIGTERM came (time to the end)', door, wallMs)
      expect.soft(wallMs, `the end of ${door.name}`).toBeLessThan(END_MS)
      const told = eventsOf(stdout)
      expect.soft(exit, stdout).toBe(0)
      // Not every time: by PCP and NAT-PMP a router that was up for seconds cannot be told from one that went on, and the
      // mapping is renewed.
      expect.soft(told.map(({ type }) => type)).toContain('restored')
      if (door.isPinhole) continue
      expect
        .soft(told.filter(({ type }) => type === 'external-address-changed'))
        .toEqual([expect.objectContaining({ address: '11.22.33.55', previous: '11.22.33.44' })])
    }
  })
})

/** Whatever is asked for over PCP, this router grants 12 s; over UPnP and NAT-PMP miniupnpd grants what is asked for. */
const SHORT_LEASES = { leaseLimits: [10, 12] } as const
const LEASES = [
  { door: doorOf('igd', 8080), asked: 20 },
  { door: doorOf('nat-pmp', 8081), asked: 12 },
  { door: doorOf('pcp', 8082), asked: 3600 },
]

describe.concurrent('at a router that goes on', { timeout: 150_000 }, () => {
  test('short leases, and one that is shorter than asked, are renewed without a gap', async ({
    expect,
    onTestFinished,
  }) => {
    const lab = await labUp(onTestFinished, SHORT_LEASES)
    const all = await Promise.all(
      LEASES.map(async ({ door, asked }) => {
        const knocker = new Knocker(lab, door)
        const { keeper } = await keptDoor(lab, door, '--lease', `${asked}`)
        await knocker.finds('open')
        const unkept = await lab.upnpTs(...doorOf(door.via, door.port + 1000).argv, '--lease', `${asked}`)
        expect(unkept).toMatchObject({ stderr: '', exit: 0 })
        return { door, keeper, knocker }
      }),
    )
    await pause(30_000)
    const kept = LEASES.map(({ door }) => expect.stringMatching(`^TCP ${door.port} -> `))
    expect(await doorsOf(lab)).toEqual(kept) // without those that nobody keeps
    for (const { keeper, knocker } of all) {
      const { stdout, exit } = await endBy(keeper, 'SIGTERM')
      const told = eventsOf(stdout).map(({ type }) => type)
      expect.soft({ exit, told }).toEqual({ exit: 0, told: expect.arrayContaining(['renewed', 'removed']) })
      expect.soft(told).not.toContain('lost')
      await knocker.finds('shut')
      // At a renewal miniupnpd takes its rule out and puts it in again: who knocks at that moment is sent away.
      for (const gapMs of await knocker.leaves()) expect.soft(gapMs, stdout).toBeLessThan(ONE_KNOCK_MS)
    }
    expect(await doorsOf(lab)).toEqual([])
  })

  test('a mapping that was deleted by hand comes back', async ({ expect, onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    const door = doorOf('igd', 8080)
    const { keeper } = await keptDoor(lab, door)
    const deleted = await lab.upnpc('-m', COMPUTER_SECOND, '-d', '8080', 'TCP')
    expect(deleted.stdout).toContain('UPNP_DeletePortMapping() returned : 0\n')
    const deletedMs = Date.now()
    await keeper.says(told('restored'))
    const tookMs = Date.now() - deletedMs
    await new Knocker(lab, door).finds('open')
    note('mapping deleted by hand', door, tookMs)
    expect(tookMs).toBeLessThan(RESTORED_WITHIN_MS)
    const second = doorOf('igd', 8081)
    expect(await keepOpen(lab, second.argv).then((keeper) => endBy(keeper, 'SIGTERM'))).toMatchObject({ exit: 0 })
    expect(await doorsOf(lab)).toEqual([expect.stringMatching(/^TCP 8080 -> /)]) // another keeper's is not touched
  })
})

/** The end of `upnp-ts --keep`: what it made is closed, what it did not make is left; also after a kill -9. */
import { setTimeout as pause } from 'node:timers/promises'
import { describe, test } from 'vitest'
import {
  doorOf,
  END_MS,
  endBy,
  eventsOf,
  Knocker,
  keep,
  keepOpen,
  keptDoor,
  labUp,
  pinholeOf,
  ROUTERS,
  told,
  VIAS,
} from './keep-lab.ts'
import { COMPUTER, COMPUTER_SECOND, type Lab } from './lab.ts'
import { doorsOf, letAnotherTake } from './router-doors.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const ours = (port: number): string => `TCP ${port} -> ${COMPUTER}:${port}`

async function silence(lab: Lab): Promise<void> {
  await lab.on('router', 'nft insert rule inet filter input iifname lan0 drop'.split(' '))
}

describe.concurrent('a keeper that ends', { timeout: 60_000 }, () => {
  test('closes what it has opened within 2 s, whatever the signal', async ({ expect, onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    for (const signal of SIGNALS) {
      const keepers = await Promise.all(VIAS.map((via, at) => keepOpen(lab, doorOf(via, 8080 + at).argv)))
      expect(await doorsOf(lab)).toEqual([8080, 8081, 8082].map(ours))
      for (const keeper of keepers) {
        const { stdout, exit, wallMs } = await endBy(keeper, signal)
        expect({ exit, last: eventsOf(stdout).at(-1)?.type }).toEqual({ exit: 0, last: 'removed' })
        expect(wallMs).toBeLessThan(END_MS)
      }
      expect(await doorsOf(lab)).toEqual([])
    }
  })

  test('does not wait for a router that is silent, and says what is left', async ({ expect, onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    const keepers = await Promise.all(VIAS.map((via, at) => keepOpen(lab, doorOf(via, 8080 + at).argv)))
    const impatient = await keepOpen(lab, doorOf('igd', 8090).argv)
    await silence(lab)
    const ends = await Promise.all(keepers.map((keeper) => endBy(keeper, 'SIGTERM')))
    for (const { stdout, exit, wallMs } of ends) {
      expect({ exit, last: eventsOf(stdout).at(-1)?.type }).toEqual({ exit: 0, last: 'not-removed' })
      expect(wallMs).toBeLessThan(END_MS)
    }
    impatient.kill('SIGTERM')
    await pause(200)
    const { exit, wallMs } = await endBy(impatient, 'SIGINT') // the same one within a second would be no news
    expect(exit).toBe(130) // another one ends it at once
    expect(wallMs).toBeLessThan(500)
  })

  test.for(['igd', 'pcp'] as const)('closes its pinhole: %s', async (via, { expect, onTestFinished }) => {
    const lab = await labUp(onTestFinished, ROUTERS[via])
    const door = pinholeOf(via)
    const knocker = new Knocker(lab, door)
    const { keeper } = await keptDoor(lab, door)
    await knocker.finds('open')
    const { stdout, exit, wallMs } = await endBy(keeper, 'SIGTERM')
    expect({ exit, last: eventsOf(stdout).at(-1) }).toEqual({
      exit: 0,
      last: expect.objectContaining({ type: 'removed', name: 'pinhole for port 8022 TCP' }),
    })
    expect(wallMs).toBeLessThan(END_MS)
    await knocker.finds('shut')
  })

  test('leaves what was there before', async ({ expect, onTestFinished }) => {
    const lab = await labUp(onTestFinished, ROUTERS.igd)
    const added = await lab.upnpc('-a', COMPUTER, '8080', '8080', 'TCP')
    expect(added.exit).toBe(0)
    const keeper = await keepOpen(lab, doorOf('igd', 8080).argv)
    const { stdout, exit } = await endBy(keeper, 'SIGTERM')
    expect({ exit, last: eventsOf(stdout).at(-1)?.type }).toEqual({ exit: 0, last: 'left-open' })
    expect(await doorsOf(lab)).toEqual([ours(8080)])
  })

  test.for(VIAS)("does not touch another computer's, and -n takes the next: %s", async (via, context) => {
    const { expect, onTestFinished } = context
    const lab = await labUp(onTestFinished)
    await letAnotherTake(lab, 8080)
    const theirs = `TCP 8080 -> ${COMPUTER_SECOND}:8080`
    const refused = keep(lab, [...doorOf(via, 8080).argv, '--json'])
    await refused.says(told('keep-failed'))
    // Beside the next one it would be a race: to PCP and NAT-PMP both ask for the same mapping, for it has the same inside.
    expect(await endBy(refused, 'SIGTERM')).toMatchObject({ exit: 0 })
    expect(await doorsOf(lab)).toEqual([theirs])
    const next = await keepOpen(lab, ['--via', via, '-n', '@', '8080', '8080', 'TCP'])
    const doors = await doorsOf(lab)
    expect(doors).toEqual([theirs, expect.stringMatching(`^TCP \\d+ -> ${COMPUTER}:8080$`)])
    if (via === 'igd') expect(doors[1]).toBe(`TCP 8081 -> ${COMPUTER}:8080`)
    expect(await endBy(next, 'SIGTERM')).toMatchObject({ exit: 0 })
    expect(await doorsOf(lab)).toEqual([theirs])
  })

  test('after a kill -9 the next one takes over, and closes at its end', async ({ expect, onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    await Promise.all(
      VIAS.map(async (via, at) => {
        const { argv } = doorOf(via, 8080 + at)
        await endBy(await keepOpen(lab, argv), 'SIGKILL')
        expect(await doorsOf(lab)).toContain(ours(8080 + at))
        const { stdout, exit } = await endBy(await keepOpen(lab, argv), 'SIGTERM')
        expect({ exit, last: eventsOf(stdout).at(-1)?.type }, via).toEqual({ exit: 0, last: 'removed' })
      }),
    )
    expect(await doorsOf(lab)).toEqual([])
  })
})

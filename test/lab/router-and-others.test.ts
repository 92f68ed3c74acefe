/** `--keep` in a home in which another IGD would like to be the router. */
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { endBy, eventsOf, keepOpen, told } from './keep-lab.ts'
import { COMPUTER, type Lab } from './lab.ts'
import { doorsOf } from './router-doors.ts'
import { emulateOn, labUp, type OtherIgd, sh } from './router-lab.ts'

const DOOR = [`TCP 8000 -> ${COMPUTER}:8000`]
const OTHER = '192.168.86.66'
const OTHERS_DOOR = [`TCP 8000->${COMPUTER}:8000`]
const KEPT = ['-r', '8000', 'TCP', '--check', '2']
/** A search that finds only the other one takes 4 s. */
const TWO_SEARCHES_MS = 10_000

/** On the router's own machine, with an address of its own. */
async function withOther(lab: Lab): Promise<OtherIgd> {
  await sh(lab, 'router', `ip addr add ${OTHER}/24 dev lan0`)
  return emulateOn(lab, 'router', OTHER, '--external-address', '11.66.66.66')
}

describe('--keep beside another IGD', { timeout: 60_000 }, () => {
  test.for([
    ['', ':', ':'],
    [', and no way to it', 'ip route del default', 'ip route add default via 192.168.86.1'],
  ])('waits for the router that it began with, while that one is off%s', async ([, before, after], hooks) => {
    const lab = await labUp(hooks.onTestFinished)
    const other = await withOther(lab)
    const keeper = await keepOpen(lab, KEPT)
    await sh(lab, 'computer', before ?? '')
    await lab.stopRouter()
    await keeper.says(/another device \(192\.168\.86\.66\) does, and is not used/, 15_000)
    await pause(TWO_SEARCHES_MS)
    expect(await other.doors()).toEqual([])
    await sh(lab, 'computer', after ?? '')
    await lab.startRouter()
    await keeper.says(told('restored'), 10_000)
    expect([await doorsOf(lab), await other.doors()]).toEqual([DOOR, []])
    expect(await endBy(keeper, 'SIGTERM')).toMatchObject({ exit: 0 })
    expect(await doorsOf(lab)).toEqual([])
  })

  test('goes back to the router if it had to begin with the other one', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    await lab.stopRouter()
    const other = await withOther(lab)
    const keeper = await keepOpen(lab, KEPT)
    expect(await other.doors()).toEqual(OTHERS_DOOR)
    await lab.startRouter()
    await keeper.says(told('moved'), 15_000)
    await keeper.says(told('renewed'))
    expect([await doorsOf(lab), await other.doors()]).toEqual([DOOR, []])
    const { stdout, exit } = await endBy(keeper, 'SIGTERM')
    const moved = { gateway: '192.168.86.1', previous: OTHER, externalAddress: '11.22.33.44' }
    expect(eventsOf(stdout).filter(({ type }) => type === 'moved')).toMatchObject([moved])
    expect([exit, await doorsOf(lab), await other.doors()]).toEqual([0, [], []])
  })
})

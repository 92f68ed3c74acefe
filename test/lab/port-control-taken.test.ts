/** External ports that another computer has: -r says so and leaves nothing behind, -n takes another one. */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { belowBanner } from './banner.ts'
import { COMPUTER, COMPUTER_SECOND, Lab } from './lab.ts'
import { cannotBeHad, DELETED, found, redirected, says, WAYS, withoutUpnpHint } from './port-control-text.ts'
import { doorsOf, letAnotherTake } from './router-doors.ts'

const THEIRS = `TCP 22 -> ${COMPUTER_SECOND}:22`
const OPENED = `${COMPUTER}:22`
/** miniupnpd ignores PREFER_FAILURE, and what it offers instead is the next port. */
const NEXT = 23
/** The router tells whole seconds since it began: within so much before that nobody can tell. */
const EPOCH_MS = 2500

describe.each(WAYS)('a port that is taken, $way', { timeout: 60_000 }, ({ options, via }) => {
  let lab: Lab
  const says250 = (command: string, said: string, stderr = '', exit = stderr === '' ? 0 : 2) =>
    says(lab, [...options, ...command.split(' ')], { stdout: found(via) + said, stderr, exit })
  beforeAll(async () => {
    lab = await Lab.up({ upnp: false })
  })
  beforeEach(async () => {
    await lab.reboot()
    rmSync(lab.stateHome, { recursive: true, force: true })
    await letAnotherTake(lab, 22)
  })
  afterAll(() => lab.down())

  test('fails with -r, and leaves nothing behind', async () => {
    await says250('-r 22 TCP', '', cannotBeHad(22, NEXT))
    expect(await doorsOf(lab)).toEqual([THEIRS])
  })

  test('does not keep -r from opening the others', async () => {
    await says250('-r 22 TCP 80 8080 TCP', redirected(8080, 'TCP', `${COMPUTER}:80`, 7200), cannotBeHad(22, NEXT))
    expect(await doorsOf(lab)).toEqual([THEIRS, `TCP 8080 -> ${COMPUTER}:80`])
  })

  test('is another one with -n, which -d closes by its number', async () => {
    await says250('-n @ 22 22 TCP', redirected(NEXT, 'TCP', OPENED, 7200))
    expect(await doorsOf(lab)).toEqual([THEIRS, `TCP ${NEXT} -> ${OPENED}`])
    await says250(`-d ${NEXT} TCP`, DELETED[via])
    expect(await doorsOf(lab)).toEqual([THEIRS])
  })

  test('is the same other one with -n again', async () => {
    for (const lease of [600, 1200]) await says250(`-n @ 22 22 TCP ${lease}`, redirected(NEXT, 'TCP', OPENED, lease))
    expect(await doorsOf(lab)).toEqual([THEIRS, `TCP ${NEXT} -> ${OPENED}`])
  })

  test('fails with -r as a half of TCP+UDP, and the other half is closed again', async () => {
    const opened = redirected(22, 'UDP', OPENED, 7200)
    const closed = 'external 22 UDP is closed again: TCP+UDP means both or neither\n'
    await says250('-r 22 TCP+UDP', opened + closed, cannotBeHad(22, NEXT))
    expect(await doorsOf(lab)).toEqual([THEIRS])
  })

  test('is another one for both halves with -n TCP+UDP', async () => {
    const { stdout, stderr, exit } = await withoutUpnpHint(lab.upnpTs(...options, '-n', '@', '22', '22', 'TCP+UDP'))
    expect({ stderr, exit }).toEqual({ stderr: cannotBeHad(22, NEXT), exit: 0 })
    const port = Number(/:(\d+) TCP is redirected/.exec(stdout)?.[1])
    expect(belowBanner(stdout)).toBe(
      `${found(via)}${redirected(22, 'UDP', OPENED, 7200)}external 22 UDP is closed again: TCP+UDP means both or neither\n` +
        redirected(port, 'UDP', OPENED, 7200) +
        redirected(port, 'TCP', OPENED, 7200),
    )
    expect(await doorsOf(lab)).toEqual([THEIRS, `TCP ${port} -> ${OPENED}`, `UDP ${port} -> ${OPENED}`])
  })

  test('fails with -r after the router has forgotten what this computer had, and leaves nothing behind', async () => {
    await says250('-r 22 64000 TCP', redirected(64000, 'TCP', OPENED, 7200))
    await new Promise((resolve) => setTimeout(resolve, EPOCH_MS)) // what is younger may have been made after the reboot
    await lab.reboot()
    await letAnotherTake(lab, 22)
    await says250('-r 22 TCP', '', cannotBeHad(22, NEXT))
    expect(await doorsOf(lab)).toEqual([THEIRS])
  })

  test('does not cost the port that leads to the same place already', async () => {
    await says250('-r 22 64000 TCP', redirected(64000, 'TCP', OPENED, 7200))
    await says250('-r 22 TCP', '', cannotBeHad(22, NEXT))
    expect((await doorsOf(lab)).toSorted()).toEqual([THEIRS, `TCP 64000 -> ${OPENED}`])
  })

  test('closes the one of two external ports of an internal one that -d names', async () => {
    await says250('-r 22 64000 TCP', redirected(64000, 'TCP', OPENED, 7200))
    await says250('-r 22 64001 TCP', redirected(64001, 'TCP', OPENED, 7200))
    await says250('-d 64000 TCP', DELETED[via])
    expect((await doorsOf(lab)).toSorted()).toEqual([THEIRS, `TCP 64001 -> ${OPENED}`])
  })
})

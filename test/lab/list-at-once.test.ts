/** A real miniupnpd that has more mappings than -L may ask for at once: Debian's miniupnpd 2.3.1 dies of the question. */
import { expect, onTestFinished, test } from 'vitest'
import { belowBanner } from './banner.ts'
import { DESCRIPTION_URL, Lab } from './lab.ts'

test('-L lists 130 mappings one after another, and the router lives on', { timeout: 60_000 }, async () => {
  const lab = await Lab.up()
  onTestFinished(() => lab.down())
  expect(await lab.upnpTs('-u', DESCRIPTION_URL, '-r', '20000-20127', 'TCP')).toMatchObject({ exit: 0 })
  const all = await lab.upnpTs('-u', DESCRIPTION_URL, '-L')
  expect([rowsOf(all.stdout), all.stderr, all.exit]).toEqual([128, '', 0])
  expect(await lab.upnpTs('-u', DESCRIPTION_URL, '-r', '20128-20129', 'TCP')).toMatchObject({ exit: 0 })
  const single = await lab.upnpTs('-u', DESCRIPTION_URL, '-L')
  expect([rowsOf(single.stdout), single.exit]).toEqual([130, 0])
  expect(single.stderr).toMatch(/^hint: the router has more than 128 entries, .*\n$/)
  expect(await lab.upnpTs('-u', DESCRIPTION_URL, '-f', '20000-20129', 'TCP')).toMatchObject({ exit: 0 })
  expect(rowsOf((await lab.upnpTs('-u', DESCRIPTION_URL, '-l')).stdout)).toBe(0)
})

function rowsOf(stdout: string): number {
  return belowBanner(stdout).match(/^ *\d+ TCP +2\d{4}->/gm)?.length ?? 0
}

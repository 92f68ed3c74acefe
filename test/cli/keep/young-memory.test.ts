import { execFileSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'

const BUILT = pathToFileURL('dist/cli/keep/session.js').href

/** Bytes for new objects in a process in which much has survived. */
function youngBytes(prelude: string): number {
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8'
    ${prelude}
    const kept = []
    for (let at = 0; at < 300_000; at++) kept.push({ at, text: 'x' + at })
    console.log(getHeapSpaceStatistics().find((each) => each.space_name === 'new_space').space_size)`
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }))
}

it('the space for new objects does not grow with what survives in it', () => {
  const usual = youngBytes('')
  const small = youngBytes(`import { keepYoungMemorySmall } from '${BUILT}'; keepYoungMemorySmall()`)
  expect(small).toBeLessThanOrEqual(usual / 4)
})

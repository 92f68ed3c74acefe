import { execFileSync } from 'node:child_process'
import { buildSync } from 'esbuild'
import { expect, it } from 'vitest'

/** Only the function: whatever else is loaded before it makes the space grow, differently in each version of Node. */
const FUNCTION_ALONE = buildSync({
  stdin: {
    contents: `import { keepYoungMemorySmall } from './src/cli/keep/session.ts'; keepYoungMemorySmall()`,
    resolveDir: process.cwd(),
  },
  bundle: true,
  format: 'esm',
  platform: 'node',
  write: false,
}).outputFiles[0]?.text

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
  expect(FUNCTION_ALONE?.match(/^import /gm)).toHaveLength(1) // node:v8
  const usual = youngBytes('')
  const small = youngBytes(FUNCTION_ALONE ?? '')
  expect(small).toBeLessThanOrEqual(usual / 4)
})

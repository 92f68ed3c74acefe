import { execFileSync } from 'node:child_process'
import { buildSync } from 'esbuild'
import { expect, it } from 'vitest'

/** Only the file: whatever else is loaded before it makes the space grow, differently in each version of Node. */
const FILE_ALONE =
  buildSync({
    stdin: { contents: `export * from './src/cli/keep/memory.ts'`, resolveDir: process.cwd() },
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
  }).outputFiles[0]?.text ?? ''

/** The number that a program prints. */
function numberFrom(program: string): number {
  const text = `import { getHeapSpaceStatistics, getHeapStatistics as heap } from 'node:v8'\n${program}`
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', text], { encoding: 'utf8' }))
}

const MUCH_SURVIVES = `
  const kept = []
  for (let at = 0; at < 300_000; at++) kept.push({ at, text: 'x' + at })`

/** Bytes for new objects in a process in which much has survived. */
function youngBytes(prelude: string): number {
  return numberFrom(`
    ${prelude}
    ${MUCH_SURVIVES}
    console.log(getHeapSpaceStatistics().find((each) => each.space_name === 'new_space').space_size)`)
}

/** MB that the collector takes away after so many objects are not used any more. */
function collectedMb(releasedObjects: number): number {
  return numberFrom(`
    ${FILE_ALONE}
    const collect = oldMemoryCollector()
    let released = Array.from({ length: ${releasedObjects} }, (_, at) => ({ at, text: 'x' + at }))
    released = undefined
    const before = heap().used_heap_size
    collect()
    console.log((before - heap().used_heap_size) / 1024 / 1024)`)
}

it('the space for new objects does not grow with what survives in it', () => {
  expect(FILE_ALONE.match(/^import /gm)).toHaveLength(2) // node:v8, node:vm
  const usual = youngBytes('')
  const small = youngBytes(`${FILE_ALONE}\n keepYoungMemorySmall()`)
  expect(small).toBeLessThanOrEqual(usual / 4)
})

it('what a keeper has no more use for is collected when it has become much', () => {
  expect(collectedMb(100_000)).toBeGreaterThan(4)
})

it('and is left alone as long as it is little, because that takes time', () => {
  expect(collectedMb(10_000)).toBeLessThan(0.1)
})

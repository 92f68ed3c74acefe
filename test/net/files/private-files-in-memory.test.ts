import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryFiles, type PrivateFiles, privateFiles } from '../../../src/net/files/private-files.ts'

let place: string
let count = 0
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'upnp-ts-memory-files-'))
})
afterAll(() => rmSync(place, { recursive: true, force: true }))

/** What is in memory does as the files that it stands for. */
describe.each<[string, () => PrivateFiles]>([
  ['in memory', memoryFiles],
  ['on a disk', () => privateFiles(join(place, `${count++}`))],
])('private files %s', (_name, make) => {
  it('are not there before they are written', async () => {
    const files = make()
    expect([await files.read('a'), await files.list('')]).toEqual([undefined, []])
    await files.remove('a')
  })

  it('hold what was written last', async () => {
    const files = make()
    await files.write('a', 'one')
    await files.write('a', '')
    expect(await files.read('a')).toBe('')
  })

  it('keep what was created first, and say what that is', async () => {
    const files = make()
    expect(await files.createOnce('a', 'first')).toBe('first')
    expect(await files.createOnce('a', 'second')).toBe('first')
    expect(await files.read('a')).toBe('first')
    await files.write('empty', '')
    expect(await files.createOnce('empty', 'late')).toBe('')
  })

  it('are gone once removed, and can be created again', async () => {
    const files = make()
    await files.write('a', 'one')
    await files.remove('a')
    expect(await files.read('a')).toBeUndefined()
    expect(await files.createOnce('a', 'two')).toBe('two')
  })

  it('are listed by the beginning of their names, sorted', async () => {
    const files = make()
    for (const name of ['b-2', 'a-1', 'b-1', 'b-10', 'B-1x']) await files.write(name, '')
    expect(await files.list('b-')).toEqual(['b-1', 'b-10', 'b-2'])
    expect(await files.list('c')).toEqual([])
  })

  it('are apart from others', async () => {
    const [one, other] = [make(), make()]
    await one.write('a', 'one')
    expect(await other.read('a')).toBeUndefined()
  })

  it('say where they are', () => {
    expect(make().directory).not.toBe('')
  })
})

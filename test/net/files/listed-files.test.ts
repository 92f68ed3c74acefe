import { describe, expect, it } from 'vitest'
import { listedFiles } from '../../../src/net/files/listed-files.ts'
import { memoryFiles, type PrivateFiles } from '../../../src/net/files/private-files.ts'
import { FakeClock } from '../../support/fake-clock.ts'

function listed() {
  const [clock, below] = [new FakeClock(), memoryFiles()]
  let reads = 0
  const counted: PrivateFiles = {
    ...below,
    list(prefix) {
      reads++
      return below.list(prefix)
    },
  }
  return { clock, below, files: listedFiles(counted, clock), reads: () => reads }
}

describe('files that are listed again and again', () => {
  it('are looked for now and then, and what this program does is known at once', async () => {
    const { files, reads } = listed()
    for (const name of ['b-2', 'a-1', 'c-1', 'b-10', 'b-1']) await files.write(name, '')
    await files.write('b-1', 'again')
    expect(await files.list('b-')).toEqual(['b-1', 'b-10', 'b-2'])
    await files.remove('b-10')
    await files.remove('none')
    expect(await files.createOnce('b-3', 'once')).toBe('once')
    expect(await files.list('b-')).toEqual(['b-1', 'b-2', 'b-3'])
    expect(await files.list('')).toEqual(['a-1', 'b-1', 'b-2', 'b-3', 'c-1'])
    expect([await files.list('d'), await files.read('b-1'), files.directory]).toEqual([[], 'again', 'memory'])
    expect(reads()).toBe(1)
  })

  it('are known ten seconds later if others make them', async () => {
    const { clock, below, files, reads } = listed()
    await files.list('')
    await below.write('new', '')
    await clock.advance(9999)
    expect(await files.list('')).toEqual([])
    await clock.advance(1)
    expect([await files.list(''), reads()]).toEqual([['new'], 2])
  })
})

/** How changes come to whoever listens. */
import { describe, expect, it } from 'vitest'
import { MOST_CHANGES, type PortChange, PortChanges } from '../../../src/library/opening/port-changes.ts'
import { settle } from '../../support/fake-clock.ts'
import { ignoredLog } from '../../support/ignored.ts'

function change(type: Exclude<PortChange['type'], 'failed'>, at = 0): PortChange {
  return { type, at: new Date(at), endpoints: [] }
}

async function rest(changes: AsyncIterable<PortChange>): Promise<string[]> {
  const types: string[] = []
  for await (const { type, at } of changes) types.push(`${type} ${at.getTime()}`)
  return types
}

describe('changes', () => {
  it('come to each reader, and end', async () => {
    const changes = new PortChanges()
    const [one, other] = [changes.read(undefined), changes.read(undefined)]
    const first = one.next()
    changes.tell(change('lost', 1))
    changes.tell(change('restored', 2))
    changes.end()
    changes.tell(change('lost', 3))
    expect(await first).toMatchObject({ done: false, value: { type: 'lost' } })
    expect(await rest(one)).toEqual(['restored 2'])
    expect(await rest(other)).toEqual(['lost 1', 'restored 2'])
    expect(await rest(changes.read(undefined))).toEqual([])
  })

  it('are at most 64 for a reader: old renewals go first, the last one never', async () => {
    const changes = new PortChanges()
    const reader = changes.read(undefined)
    changes.tell(change('lost', 1))
    for (let at = 2; at < 1000; at++) changes.tell(change('renewed', at))
    changes.tell(change('restored', 1000))
    for (let at = 1001; at < 1100; at++) changes.tell(change('lost', at))
    changes.tell(change('renewed', 2000))
    changes.end()
    const read = await rest(reader)
    expect(read).toHaveLength(MOST_CHANGES)
    expect(read.at(-1)).toBe('renewed 2000')
    expect(read[0]).toBe('lost 1037')
  })

  it('end for a reader that goes, and for one whose signal aborts, with its reason', async () => {
    const changes = new PortChanges()
    const gone = changes.read(undefined)
    for await (const _ of iterableOnce(gone, changes)) break
    const reason = new Error('enough')
    const stop = new AbortController()
    const [waiting, idle] = [changes.read(stop.signal), changes.read(stop.signal)]
    const [first, second] = [waiting.next(), waiting.next()]
    stop.abort(reason)
    await expect(first).rejects.toBe(reason)
    expect(await second).toEqual({ done: true, value: undefined })
    await expect(idle.next()).rejects.toBe(reason)
    expect(await idle.next()).toEqual({ done: true, value: undefined })
    await expect(changes.read(stop.signal).next()).rejects.toBe(reason)
    changes.tell(change('lost'))
    expect(await rest(gone)).toEqual([])
  })

  it('come to listeners, and what they throw costs nothing', async () => {
    const ignored = ignoredLog()
    const changes = new PortChanges()
    const heard: string[] = []
    const listener = ({ type }: PortChange): void => void heard.push(type)
    changes.listen(() => {
      throw new Error('at once')
    })
    changes.listen(async () => {
      throw new Error('later')
    })
    const takeOff = changes.listen(listener)
    changes.listen(listener)
    changes.tell(change('lost'))
    takeOff()
    changes.tell(change('restored'))
    await settle()
    expect(heard).toEqual(['lost', 'lost', 'restored'])
    expect(new Set(ignored.told())).toEqual(
      new Set(['turn a listener of changes: Error: at once', 'turn a listener of changes: Error: later']),
    )
    ignored.end()
  })
})

function iterableOnce(reader: AsyncIterableIterator<PortChange>, changes: PortChanges): AsyncIterable<PortChange> {
  changes.tell(change('lost'))
  return reader
}

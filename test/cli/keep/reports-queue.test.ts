/** Reports that come when they come, read in their order. */
import { describe, expect, it } from 'vitest'
import { ReportQueue } from '../../../src/cli/keep/reports.ts'
import type { Report } from '../../../src/cli/report.ts'
import { settle } from '../../support/fake-clock.ts'

const address = (address: string): Report => ({ type: 'local-address', address })

function reading(queue: ReportQueue) {
  const state = { read: [] as string[], isOver: false, error: undefined as unknown }
  const read = async (): Promise<void> => {
    for await (const report of queue.read()) if (report.type === 'local-address') state.read.push(report.address)
  }
  read().then(
    () => (state.isOver = true),
    (error: unknown) => (state.error = error),
  )
  return state
}

describe('a queue of reports', () => {
  it('gives what was there before the reader, and what comes later', async () => {
    const queue = new ReportQueue()
    queue.add(address('a'))
    queue.add(address('b'))
    const state = reading(queue)
    await settle()
    expect(state.read).toEqual(['a', 'b'])
    queue.add(address('c'))
    await settle()
    queue.add(address('d'))
    queue.add(address('e'))
    await settle()
    expect(state).toEqual({ read: ['a', 'b', 'c', 'd', 'e'], isOver: false, error: undefined })
  })

  it('ends after what has been added', async () => {
    const queue = new ReportQueue()
    const state = reading(queue)
    await settle()
    queue.add(address('a'))
    queue.end()
    await settle()
    expect(state).toEqual({ read: ['a'], isOver: true, error: undefined })
  })

  it('fails after what has been added, with the first failure', async () => {
    const queue = new ReportQueue()
    const state = reading(queue)
    queue.add(address('a'))
    const error = new Error('defect')
    queue.fail(error)
    queue.fail(new Error('another'))
    await settle()
    expect(state).toEqual({ read: ['a'], isOver: false, error })
  })
})

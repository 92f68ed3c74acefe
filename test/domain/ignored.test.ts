import { afterEach, describe, expect, it } from 'vitest'
import { ignore, onIgnored, orIgnore } from '../../src/domain/ignored.ts'
import { type IgnoredLog, ignoredLog } from '../support/ignored.ts'

const defect = new TypeError('x is undefined')
const logs: IgnoredLog[] = []
afterEach(() => {
  for (const log of logs.splice(0)) log.end()
})

function listening(): IgnoredLog {
  const log = ignoredLog()
  logs.push(log)
  return log
}

describe('what is ignored', () => {
  it('is told to everybody who listens, and to nobody who has stopped', () => {
    const [one, other] = [listening(), listening()]
    ignore('device', 'http://192.168.1.66/', defect)
    other.end()
    ignore('turn', '', defect)
    expect(one.told()).toEqual([
      'device http://192.168.1.66/: TypeError: x is undefined',
      'turn : TypeError: x is undefined',
    ])
    expect(other.told()).toHaveLength(1)
  })

  it('harms nobody if a listener has a defect too', () => {
    const stop = onIgnored(() => {
      throw new Error('another one')
    })
    const log = listening()
    ignore('datagram', 'x', defect)
    stop()
    expect(log.told()).toHaveLength(1)
  })

  it('is what the work throws, and nothing if it throws nothing', () => {
    const log = listening()
    orIgnore('timer', '', () => {})
    expect(log.told()).toEqual([])
    orIgnore('timer', 'a lease', () => {
      throw defect
    })
    expect(log.told()).toEqual(['timer a lease: TypeError: x is undefined'])
  })
})

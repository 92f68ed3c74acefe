/** The signals of the process. */
import { describe, expect, it } from 'vitest'
import { END_SIGNALS, onProcessSignal, PROGRAM_SIGNALS } from '../../src/cli/surroundings.ts'

describe('a listener for signals', () => {
  it('hears the name of each, again and again, until it stops', () => {
    const before = PROGRAM_SIGNALS.map((name) => process.listenerCount(name))
    const heard: string[] = []
    const stop = onProcessSignal(PROGRAM_SIGNALS, (name) => heard.push(name))
    for (const name of [...PROGRAM_SIGNALS, 'SIGTERM']) process.emit(name as NodeJS.Signals, name as NodeJS.Signals)
    expect(heard).toEqual([...PROGRAM_SIGNALS, 'SIGTERM'])
    stop()
    expect(PROGRAM_SIGNALS.map((name) => process.listenerCount(name))).toEqual(before)
  })

  it('may be one of several', () => {
    const heard: string[] = []
    const stop = onProcessSignal(['SIGUSR2'], () => heard.push('one'))
    const stopOther = onProcessSignal(['SIGUSR2'], () => heard.push('other'))
    stop()
    process.emit('SIGUSR2', 'SIGUSR2')
    stopOther()
    expect(heard).toEqual(['other'])
  })

  it('for a command hears of all that end', () => {
    expect(PROGRAM_SIGNALS).toEqual(expect.arrayContaining([...END_SIGNALS]))
  })
})

/** Output that does not wait for its reader: what is kept, what is dropped, and when it is tried again. */
import { describe, expect, it } from 'vitest'
import { PatientOutput } from '../../src/net/patient-output.ts'
import type { Sink } from '../../src/net/sink.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'

const KEPT_BYTES = 64 * 1024
const LINE = `${'x'.repeat(63)}\n`

/** A pipe with room for so many bytes. */
function output(room: number) {
  const state = {
    room,
    written: '',
    tries: 0,
    isBusy: false,
    ends: [] as string[],
    error: undefined as Error | undefined,
  }
  const sink: Sink = {
    take(bytes) {
      state.tries++
      if (state.error !== undefined) throw state.error
      const taken = Math.min(bytes.length, state.room)
      state.written += Buffer.from(bytes.subarray(0, taken)).toString()
      state.room -= taken
      return taken
    },
    finish: () => void state.ends.push('finish'),
    get isBusy() {
      return state.isBusy
    },
    close: () => void state.ends.push('close'),
  }
  const clock = new FakeClock()
  const out = new PatientOutput(sink, { clock, droppedLine: (count) => `${count} dropped\n` })
  return { state, clock, out }
}

describe('output', () => {
  it('is written at once if there is room', () => {
    const { state, clock, out } = output(100)
    out.write('a\n')
    out.write('b\n')
    expect([state.written, clock.pending]).toEqual(['a\nb\n', 0])
  })

  it('that does not fit is written when there is room again, in its order and with no byte lost', async () => {
    const { state, clock, out } = output(3)
    for (const text of ['é1\n', '2\n', '3\n']) out.write(text)
    expect(state.written).toBe('é1')
    state.room = 2
    await clock.advance(1000)
    expect(state.written).toBe('é1\n2')
    state.room = 100
    await clock.advance(1000)
    expect([state.written, clock.pending]).toEqual(['é1\n2\n3\n', 0])
  })

  it('is kept up to 64 KiB; then lines are dropped, and one line says how many when somebody reads again', async () => {
    const { state, clock, out } = output(0)
    const fitting = KEPT_BYTES / LINE.length
    for (let line = 0; line < fitting + 7; line++) out.write(LINE)
    state.room = KEPT_BYTES - 1
    await clock.advance(1000)
    out.write('one more\n') // after lines that are missing: it must not seem that none are
    expect(state.written.length).toBe(KEPT_BYTES - 1)
    state.room = 1000
    await clock.advance(1000)
    expect(state.written).toBe(`${LINE.repeat(fitting)}8 dropped\n`)
    out.write('after\n')
    expect(state.written.endsWith('8 dropped\nafter\n')).toBe(true)
  })

  it('counts every line of a text that is dropped', async () => {
    const { state, clock, out } = output(0)
    out.write('x'.repeat(KEPT_BYTES))
    out.write('a\nb\nc\n')
    state.room = 1e6
    await clock.advance(1000)
    expect(state.written.endsWith('x3 dropped\n')).toBe(true)
  })

  it('is tried again ever more slowly, once a second at last, by one timer', async () => {
    const { state, clock, out } = output(0)
    for (let line = 0; line < 10; line++) out.write('x\n')
    expect(clock.pending).toBe(1)
    await clock.advance(10_000)
    state.tries = 0
    await clock.advance(60_000)
    expect([state.tries, clock.pending]).toEqual([60, 1])
  })

  it('is given up at an error, which is told once', async () => {
    const { state, clock, out } = output(1)
    const told: Error[] = []
    out.on('error', (error) => told.push(error))
    out.write('ab\n')
    state.error = new Error('EPIPE')
    await clock.advance(1000)
    out.write('c\n')
    expect([state.written, told, clock.pending]).toEqual(['a', [state.error], 0])
  })
})

describe('its end', () => {
  it('is at once if everything is written', async () => {
    const { state, clock, out } = output(100)
    out.write('a\n')
    await out.end()
    out.write('b\n')
    expect([state.written, state.ends, clock.pending]).toEqual(['a\n', ['finish', 'close'], 0])
  })

  it('gives a reader half a second', async () => {
    const { state, clock, out } = output(0)
    out.write('a\n')
    let isOver = false
    out.end().then(() => {
      isOver = true
    })
    await clock.advance(300)
    expect(isOver).toBe(false)
    state.room = 100
    await clock.advance(10)
    expect([isOver, state.written, clock.pending]).toEqual([true, 'a\n', 0])
  })

  it('waits no longer than that for what is on its way', async () => {
    const { state, clock, out } = output(100)
    state.isBusy = true
    out.write('a\n')
    void out.end()
    await clock.advance(490)
    expect(state.ends).toEqual(['finish'])
    await clock.advance(20)
    expect([state.ends, clock.pending]).toEqual([['finish', 'close'], 0])
  })

  it('does not wait for a reader that has taken nothing for long', async () => {
    const { state, clock, out } = output(0)
    out.write('a\n')
    await clock.advance(5000)
    void out.end()
    await settle()
    expect([state.ends, state.written, clock.pending]).toEqual([['finish', 'close'], '', 0])
  })
})

import { describe, expect, it } from 'vitest'
import { MAX_AT_A_SLOW_ONE, MAX_SIDE_BY_SIDE, RequestWindow } from '../../../src/client/igd/request-window.ts'
import { MalformedMessageError, NoReplyError, RefusedError, TransportError } from '../../../src/domain/errors.ts'
import { settle } from '../../support/fake-clock.ts'
import { SlowQuestions } from '../../support/slow-questions.ts'

const RESET = new TransportError('connection closed without an answer')
const refused = (number: number): RefusedError =>
  new RefusedError({ action: 'GetStatusInfo', number, standardName: 'scripted' })

const SIGNS_OF_LOAD = [
  ['a connection that is closed', RESET],
  ['silence', new NoReplyError('no answer')],
  ['an answer that makes no sense', new MalformedMessageError('a reply', '<html>')],
  ['501, Action Failed', refused(501)],
  ['603, Out of Memory', refused(603)],
] as const

/** So many questions at once through a window; `ends` is what came of each, by its name. */
async function asking(count: number, window = new RequestWindow()) {
  const questions = new SlowQuestions<string>()
  const ends: Record<string, unknown> = {}
  for (let at = 0; at < count; at++) {
    window
      .ask(() => questions.ask(String(at)))
      .then(
        (answer) => (ends[at] = answer),
        (error: unknown) => (ends[at] = error),
      )
  }
  await settle()
  const answer = (): Promise<void> => questions.next((each) => each.answer(`answer ${each.name}`))
  const fail = (error: unknown): Promise<void> => questions.next((each) => each.fail(error))
  const names = (): string => questions.underWay.map(({ name }) => name).join(' ')
  return { window, questions, ends, answer, fail, names }
}

describe('a gateway that keeps up', () => {
  it('is asked 1, 2, 4 and then 6 questions side by side and never more, in their order', async () => {
    const { questions, ends } = await asking(40)
    expect(await questions.rounds((each) => each.answer(each.name))).toEqual([1, 2, 4, 6, 6, 6, 6, 6, 3])
    expect(MAX_SIDE_BY_SIDE).toBe(6)
    expect(questions.most).toBe(MAX_SIDE_BY_SIDE)
    expect(questions.asked).toEqual(Array.from({ length: 40 }, (_, at) => String(at)))
    expect(Object.entries(ends)).toEqual(questions.asked.map((name) => [name, name]))
  })

  it('is asked the next question when one is answered, whichever that was', async () => {
    const { questions, answer, names } = await asking(9)
    await answer()
    await answer()
    expect(names()).toBe('2 3 4')
    questions.underWay.push(...questions.underWay.splice(0, 2))
    await answer()
    expect(names()).toBe('2 3 5 6')
  })

  it('goes on from what it has borne, after a pause', async () => {
    const first = await asking(3)
    await first.questions.rounds((each) => each.answer(''))
    expect(first.window.size).toBe(4)
    expect((await asking(9, first.window)).names()).toBe('0 1 2 3')
  })
})

describe('a gateway that takes its time', () => {
  async function sizesAt(...tookMs: number[]): Promise<number[]> {
    const window = new RequestWindow()
    const sizes: number[] = []
    for (const each of tookMs) {
      await window.ask(async ({ onReply }) => onReply(each, 0))
      sizes.push(window.size)
    }
    return sizes
  }

  it('is asked up to 16 at once where no answer takes longer for the others', async () => {
    expect((await sizesAt(...Array.from({ length: 30 }, () => 5))).at(-1)).toBe(MAX_AT_A_SLOW_ONE)
    expect(MAX_AT_A_SLOW_ONE).toBe(16)
  })

  it('is asked no more at once while its answers take twice as long', async () => {
    expect(await sizesAt(5, 5, 5, 5, 5, 5, 10, 10.1, 10.1, 6)).toEqual([2, 3, 4, 5, 6, 7, 8, 8, 8, 9])
  })

  it('and answers sooner than others is asked 6 at once', async () => {
    expect((await sizesAt(...Array.from({ length: 30 }, () => 2.9))).at(-1)).toBe(MAX_SIDE_BY_SIDE)
  })
})

describe('how long a question may be unanswered', () => {
  it('is 5 s beside others, from when the gateway answered last; for the first of them it is what the caller says', async () => {
    const window = new RequestWindow()
    await window.ask(async () => '')
    const questions = new SlowQuestions<string>()
    const watches: { silenceMs?: number; freeSinceMs(): number }[] = []
    for (const name of ['a', 'b'])
      window.ask((watch) => {
        watches.push(watch)
        return questions.ask(name).then(() => watch.onReply(5, 1234))
      })
    await settle()
    expect(watches.map(({ silenceMs }) => silenceMs)).toEqual([undefined, 5000])
    expect(watches.map((each) => each.freeSinceMs())).toEqual([0, 0])
    await questions.next((each) => each.answer(''))
    expect(watches[1]?.freeSinceMs()).toBe(1234)
    await questions.next((each) => each.answer(''))
  })

  it('and one that nobody was beside is not asked again', async () => {
    const window = new RequestWindow()
    await window.ask(async () => '')
    const { questions, ends, fail } = await asking(1, window)
    await fail(new NoReplyError('no answer'))
    expect(questions.asked).toEqual(['0'])
    expect(ends[0]).toBeInstanceOf(NoReplyError)
  })
})

describe('a gateway that does not keep up', () => {
  it.each(SIGNS_OF_LOAD)('%s beside others: it is asked again alone, before anything else', async (_, error) => {
    const { window, questions, ends, answer, fail, names } = await asking(12)
    for (let round = 0; round < 3; round++) await answer()
    expect(names()).toBe('3 4 5 6')
    await fail(error)
    expect([window.size, names()]).toEqual([1, '4 5 6'])
    await answer()
    await answer()
    expect([window.size, names()]).toEqual([1, '6']) // those were on their way before
    await answer()
    expect([window.size, names()]).toEqual([1, '3'])
    await answer()
    expect(ends[3]).toBe('answer 3')
    expect(names()).toBe('7 8')
    expect(await questions.rounds((each) => each.answer(''))).toEqual([2, 2, 1]) // half of the 4 that were too much
  })

  it('counts what else fails in that round as the same sign, and asks each again alone', async () => {
    const { window, questions, ends, fail, answer, names } = await asking(12)
    for (let round = 0; round < 3; round++) await answer()
    for (let each = 0; each < 4; each++) await fail(RESET)
    for (const name of ['3', '4', '5', '6']) {
      expect([window.size, names()]).toEqual([1, name])
      await answer()
    }
    expect(names()).toBe('7 8')
    await questions.rounds((each) => each.answer(''))
    expect(Object.keys(ends)).toHaveLength(12)
  })

  it('gets one at a time for good where it failed at one', async () => {
    const { window, questions, ends, answer, fail } = await asking(12)
    await fail(RESET)
    expect(ends[0]).toBe(RESET)
    expect(questions.asked).toEqual(['0', '1']) // the HTTP client is who asks again there
    while (questions.underWay.length > 0) await answer()
    expect([window.size, questions.most]).toEqual([1, 1])
  })

  it('gets one at a time for good where it failed at 6 and at 3', async () => {
    const { window, questions } = await asking(200)
    let limit = 6
    while (questions.underWay.length > 0) {
      const isTooMuch = limit > 1 && window.size === limit && questions.underWay.length === limit
      if (isTooMuch) limit = Math.floor(limit / 2)
      await questions.next((each) => (isTooMuch ? each.fail(RESET) : each.answer('')))
    }
    expect([limit, window.size]).toEqual([1, 1])
    expect(new Set(questions.asked).size).toBe(200)
    expect(questions.asked).toHaveLength(202)
  })

  it('fails with what it fails with alone', async () => {
    const { questions, ends, answer, fail } = await asking(3)
    await answer()
    await fail(RESET)
    await answer()
    const silence = new NoReplyError('no answer')
    await fail(silence)
    expect(questions.asked).toEqual(['0', '1', '2', '1'])
    expect(ends).toEqual({ 0: 'answer 0', 1: silence, 2: 'answer 2' })
  })
})

describe('what says nothing of load', () => {
  it.each([
    ['a refusal', refused(713)],
    ['a defect', new TypeError('x is undefined')],
  ])('%s is the answer, and neither opens nor shuts the window', async (_, error) => {
    const { window, questions, ends, answer, fail } = await asking(4)
    await fail(error)
    expect([ends[0], window.size, questions.underWay.length]).toEqual([error, 1, 1])
    await answer()
    await fail(error)
    expect([ends[2], window.size, questions.underWay.length]).toEqual([error, 2, 1])
  })
})

describe('a connection that is closed without an answer', () => {
  it('is tried again at once where the question is alone, and then one at a time is what there is', async () => {
    const window = new RequestWindow()
    const told: boolean[] = []
    await window.ask(async ({ onReset }) => told.push(onReset()))
    expect([told, window.size]).toEqual([[true], 1])
    expect((await asking(4, window)).questions.underWay).toHaveLength(1)
  })

  it('is not tried again at once beside others', async () => {
    const window = new RequestWindow()
    await window.ask(async () => '')
    const told: boolean[] = []
    const asked = (): Promise<string> =>
      window.ask(async ({ onReset }) => {
        const again = onReset()
        told.push(again)
        if (!again) throw RESET
        return 'answer'
      })
    expect(await asked()).toBe('answer')
    expect(told).toEqual([false, true])
  })
})

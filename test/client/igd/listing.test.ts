/** What marks the end of a table, and what an entry is, is in gateway.test.ts. */
import { describe, expect, it } from 'vitest'
import { listPortMappings, MAX_PORT_MAPPINGS, MAX_TABLE_CHARACTERS } from '../../../src/client/igd/listing.ts'
import { MAX_SIDE_BY_SIDE, RequestWindow } from '../../../src/client/igd/request-window.ts'
import { RefusedError, TransportError } from '../../../src/domain/errors.ts'
import type { SoapArguments } from '../../../src/wire/soap.ts'
import { settle } from '../../support/fake-clock.ts'
import { SlowQuestions } from '../../support/slow-questions.ts'

const RESET = new TransportError('connection closed without an answer')
const refused = (number: number): RefusedError =>
  new RefusedError({ action: 'GetGenericPortMappingEntry', number, standardName: 'scripted' })
const entry = (index: number): SoapArguments => new Map([['newexternalport', String(1000 + index)]])

/** A listing that is read as fast as it comes, of a table whose entries come when the test says so. */
async function listing(window = new RequestWindow(), signal?: AbortSignal) {
  const questions = new SlowQuestions<SoapArguments>()
  const dropped: number[] = []
  const ports: unknown[] = []
  const ask = (index: number, drop: AbortSignal): Promise<SoapArguments> => {
    const onDrop = (): void => void dropped.push(index)
    drop.addEventListener('abort', onDrop)
    return window.ask(() => questions.ask(String(index))).finally(() => drop.removeEventListener('abort', onDrop))
  }
  const entries = listPortMappings({ window, entry: ask, signal })
  const read = async (): Promise<unknown> => {
    for (;;) {
      const next = await entries.next()
      if (next.done === true) return next.value
      ports.push(next.value.externalPort)
    }
  }
  const ended = read().catch((error: unknown) => error)
  await settle()
  return { window, questions, ports, dropped, ended }
}

/** Answers as a table of that length does. */
const table =
  (length: number, end = refused(713)) =>
  (each: { name: string; answer: (value: SoapArguments) => void; fail: (error: unknown) => void }): void =>
    Number(each.name) < length ? each.answer(entry(Number(each.name))) : each.fail(end)

const portsTo = (length: number): number[] => Array.from({ length }, (_, index) => 1000 + index)

describe('a listing', () => {
  it('asks for 1, 2, 4 and then 6 entries side by side and never more, each once', async () => {
    const { questions, ports, ended } = await listing()
    expect((await questions.rounds(table(40))).slice(0, 7)).toEqual([1, 2, 4, 6, 6, 6, 6])
    expect(await ended).toMatchObject({ number: 713 })
    expect(ports).toEqual(portsTo(40))
    expect(questions.most).toBe(MAX_SIDE_BY_SIDE)
    expect(new Set(questions.asked).size).toBe(questions.asked.length)
  })

  it.each([0, 1, 2, 3, 7, 8, 15, 16, 100])(
    'of %i entries asks for all, the end, and no more than the window beyond it',
    async (length) => {
      const { questions, ports, ended } = await listing()
      await questions.rounds(table(length))
      expect(await ended).toEqual({ number: 713, standardName: 'scripted' })
      expect(ports).toEqual(portsTo(length))
      const highest = Math.max(...questions.asked.map(Number))
      expect(highest).toBeGreaterThanOrEqual(length)
      expect(highest).toBeLessThan(length + MAX_SIDE_BY_SIDE)
    },
  )

  it('hands entries on in the order of the table, in whatever order they come', async () => {
    const { questions, ports, ended } = await listing()
    while (questions.underWay.length > 0) {
      questions.underWay.reverse()
      await questions.next(table(30))
    }
    expect(await ended).toMatchObject({ number: 713 })
    expect(ports).toEqual(portsTo(30))
  })

  it('asks for nothing more once the end is known, and drops what is under way beyond it', async () => {
    const { questions, ports, dropped, ended } = await listing()
    for (let round = 0; round < 3; round++) await questions.round(table(10))
    expect(questions.asked.at(-1)).toBe('12')
    const last = questions.underWay.splice(3, 1)[0]
    last?.fail(refused(713)) // 10, before 7, 8 and 9
    await settle()
    for (let each = 0; each < 3; each++) await questions.next(table(10))
    expect(await ended).toMatchObject({ number: 713 })
    expect(questions.asked.at(-1)).toBe('12')
    expect(ports).toEqual(portsTo(10))
    expect(dropped).toEqual([11, 12])
  })

  it('asks for nothing more when its reader stops', async () => {
    const questions = new SlowQuestions<SoapArguments>()
    const window = new RequestWindow()
    const ask = (index: number): Promise<SoapArguments> => window.ask(() => questions.ask(String(index)))
    const entries = listPortMappings({ window, entry: ask, signal: undefined })
    const first = entries.next()
    await settle()
    await questions.round(table(9))
    await first
    await entries.return('limit')
    await settle()
    expect(questions.asked).toEqual(['0'])
  })

  it('ends with the reason of the signal, and drops what is under way', async () => {
    const controller = new AbortController()
    const window = new RequestWindow()
    const why = new Error('interrupted')
    const ask = (_: number, drop: AbortSignal): Promise<SoapArguments> =>
      window.ask(() => new Promise((_resolve, reject) => drop.addEventListener('abort', () => reject(drop.reason))))
    const asked = listPortMappings({ window, entry: ask, signal: controller.signal }).next()
    await settle()
    controller.abort(why)
    await expect(asked).rejects.toBe(why)
  })
})

describe('a listing of a router that does not keep up', () => {
  it('falls to one at a time, asks again for what failed, and goes on with half', async () => {
    const { window, questions, ports, ended } = await listing()
    for (let round = 0; round < 2; round++) await questions.round(table(20))
    await questions.next((each) => each.fail(RESET)) // 3, with 4, 5 and 6 under way
    expect(window.size).toBe(1)
    for (let each = 0; each < 3; each++) await questions.next(table(20))
    expect(questions.underWay.map(({ name }) => name)).toEqual(['3'])
    expect(ports).toEqual(portsTo(3))
    questions.most = 0
    await questions.rounds(table(20))
    expect(await ended).toMatchObject({ number: 713 })
    expect([ports, questions.most]).toEqual([portsTo(20), 2])
    expect(questions.asked.filter((name) => name === '3')).toHaveLength(2)
  })

  it('takes 501 for the end only where it comes to a question that is alone', async () => {
    const { questions, ports, ended } = await listing()
    await questions.round(table(9))
    await questions.next((each) => each.fail(refused(501))) // 1, with 2 under way
    await questions.rounds(table(9, refused(501)))
    expect(await ended).toMatchObject({ number: 501 })
    expect(ports).toEqual(portsTo(9))
  })

  it('gets one at a time where the first question was reset', async () => {
    const window = new RequestWindow()
    await window.ask(async ({ onReset }) => onReset())
    const { questions, ports } = await listing(window)
    expect(await questions.rounds(table(5))).toEqual([1, 1, 1, 1, 1, 1])
    expect(ports).toEqual(portsTo(5))
  })

  it('fails at what fails alone too, after the entries before it', async () => {
    const { questions, ports, ended } = await listing()
    await questions.rounds((each) => (each.name === '4' ? each.fail(RESET) : table(9)(each)))
    expect(await ended).toBe(RESET)
    expect(ports).toEqual(portsTo(4))
  })
})

it('asks for no entry beyond the number of ports in existence', async () => {
  let highest = 0
  const ask = async (index: number): Promise<SoapArguments> => {
    highest = Math.max(highest, index)
    return entry(index)
  }
  const entries = listPortMappings({ window: { size: MAX_SIDE_BY_SIDE }, entry: ask, signal: undefined })
  let next = await entries.next()
  while (next.done !== true) next = await entries.next()
  expect([next.value, highest]).toEqual(['limit', MAX_PORT_MAPPINGS - 1])
}, 60_000)

it('does not read a table of long texts to its end: whoever collects it would have no memory left', async () => {
  const longText = 'x'.repeat(100_000)
  const ask = (index: number) =>
    Promise.resolve(new Map([...entry(index), ['newportmappingdescription', longText] as const]))
  const entries = listPortMappings({ window: { size: MAX_SIDE_BY_SIDE }, entry: ask, signal: undefined })
  let count = 0
  let next = await entries.next()
  for (; next.done !== true; count++) next = await entries.next()
  expect(next.value).toBe('limit')
  expect(count).toBeLessThanOrEqual(MAX_TABLE_CHARACTERS / longText.length)
})

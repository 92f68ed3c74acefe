import { describe, expect, it } from 'vitest'
import { EventedState } from '../../../src/client/listen/evented-state.ts'

type Told = Readonly<Record<string, string>>

/** Whether each of the events is news, the first one being that of a new subscription. */
function news(first: Told, ...others: readonly Told[]): boolean[] {
  const state = new EventedState()
  return [first, ...others].map((told, at) => state.isNews(new Map(Object.entries(told)), at === 0))
}

describe('an event of', () => {
  it.each([
    ['another external address', 'ExternalIPAddress', ['1.2.3.4', '1.2.3.4', '5.6.7.8', '', '5.6.7.8'], [2, 3, 4]],
    ['another state of the connection', 'ConnectionStatus', ['Connected', 'Disconnected', 'Disconnected'], [1]],
    [
      'as many mappings or fewer, but not of more,',
      'PortMappingNumberOfEntries',
      ['0', '1', '2', '2', '1', '2', '10', '9'],
      [3, 4, 7],
    ],
    ['a count of changes that begins anew', 'SystemUpdateID', ['7', '8', '20', '1', '2'], [3]],
    ['something else', 'PossibleConnectionTypes', ['a', 'b', 'a'], []],
    ['a number that is none', 'PortMappingNumberOfEntries', ['2', 'many', '3', ''], []],
  ])('%s is news', (_name, variable, values, expected) => {
    const [first = {}, ...others] = values.map((value) => ({ [variable]: value }))
    expect(news(first, ...others).flatMap((isNews, at) => (isNews ? [at] : []))).toEqual(expected)
  })

  it('something that the first one did not tell is news; nothing at all is none', () => {
    expect(news({}, { ExternalIPAddress: '1.2.3.4' })).toEqual([false, true])
    expect(news({}, { PortMappingNumberOfEntries: '3' }, {})).toEqual([false, true, false])
  })

  it('several things is news where one of them is, and all are remembered', () => {
    const before = { ExternalIPAddress: '1.2.3.4', PortMappingNumberOfEntries: '3' }
    const after = { ExternalIPAddress: '5.6.7.8', PortMappingNumberOfEntries: '2' }
    expect(news(before, after, { ...after, PortMappingNumberOfEntries: '3' })).toEqual([false, true, false])
  })

  it('as many mappings is news also where nothing at all seems to have changed', () => {
    const before = { PortMappingNumberOfEntries: '0', SystemUpdateID: '1' } // miniupnpd 2.3.1, an entry came and went
    expect(news(before, before)).toEqual([false, true])
  })

  it('a variable counts however its name is written', () => {
    expect(news({ externalIPaddress: '1.2.3.4' }, { ExternalIpAddress: '5.6.7.8' })).toEqual([false, true])
  })
})

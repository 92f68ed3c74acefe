/** The word after --quirk -> a quirk of the emulated gateway. */
import type { Quirk } from '../../domain/quirk.js'
import { UsageError } from './words.js'

const KNOWN = 'igd1, late-search=MS and refuse=ACTION:CODE[:TIMES]'

/** Does not check actions and codes: the emulated gateway does, because only it knows them. @throws UsageError */
export function quirkOf(text: string): Quirk {
  if (text === 'igd1') return { name: 'igd1' }
  const [, delay] = /^late-search=(\d{1,9})$/.exec(text) ?? []
  if (delay !== undefined) return { name: 'late-search', delayMs: Number(delay) }
  const [, operation, code, times] = /^refuse=([\w-]+):(\d{1,9})(?::(\d{1,9}))?$/.exec(text) ?? []
  if (operation === undefined) throw new UsageError(`--quirk: '${text}' is not a quirk: there are ${KNOWN}`)
  return { name: 'refuse', operation, code: Number(code), ...(times === undefined ? {} : { times: Number(times) }) }
}

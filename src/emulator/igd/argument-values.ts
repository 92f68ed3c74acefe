/** The numbers and booleans in action arguments (UDA 1.1 2.5, dataType). Any other text is refused with 402. */
import { Refusal } from '../tables/refusal.js'

/** @throws Refusal 402 */
export function unsigned(text: string, largest: number): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > largest) throw new Refusal('InvalidArgs')
  return Number(text)
}

/** @throws Refusal 402 */
export function ui2(text: string): number {
  return unsigned(text, 0xffff)
}

/** The words are deprecated, but a device must accept them (UDA 1.1 2.5). @throws Refusal 402 */
export function boolean(text: string): boolean {
  if (/^(1|true|yes)$/.test(text)) return true
  if (/^(0|false|no)$/.test(text)) return false
  throw new Refusal('InvalidArgs')
}

/** A counter has 32 bits and starts from 0 again after the largest value (WANCommonInterfaceConfig:1 2.2.7). */
export function encodeUi4(value: number): string {
  return String(Math.trunc(value) % 2 ** 32)
}

export function encodeBoolean(value: boolean): string {
  return value ? '1' : '0'
}

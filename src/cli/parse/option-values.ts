/** Reads the values of options from what commander returns. */
import { DEFAULT_TIMEOUT_MS } from './option-table.js'
import { integerWithin, UsageError } from './words.js'

const MAX_TIMEOUT_MS = 24 * 3600 * 1000

export function textOption(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export function listOption(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

export function millisecondsOption(option: string, value: unknown): number | undefined {
  const text = textOption(value)
  return text === undefined ? undefined : integerWithin(option, 'time in milliseconds', text, 1, MAX_TIMEOUT_MS)
}

/** The search time is a part of the command's time. A longer search makes the default of --timeout longer. */
export function timesOf(options: Record<string, unknown>): { discoveryTimeMs: number | undefined; timeoutMs: number } {
  const discoveryTimeMs = millisecondsOption('--discovery-time', options.discoveryTime)
  const timeoutMs = millisecondsOption('--timeout', options.timeout)
  if (discoveryTimeMs !== undefined && timeoutMs !== undefined && discoveryTimeMs >= timeoutMs) {
    throw new UsageError('--discovery-time has to be shorter than --timeout, which is for the whole command')
  }
  return { discoveryTimeMs, timeoutMs: timeoutMs ?? DEFAULT_TIMEOUT_MS + (discoveryTimeMs ?? 0) }
}

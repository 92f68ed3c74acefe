/** Emulated gateways on loopback, in a process of their own: their cost does not count for the programs that ask. */
import { fileURLToPath } from 'node:url'
import { Command } from '../test/lab/command.ts'

const GATEWAYS = fileURLToPath(new URL('gateways.js', import.meta.url))
/** Enough for 10 000 mappings on a slow machine. */
const START_DEADLINE_MS = 120_000

export interface GatewayFacts {
  readonly urls: readonly string[]
  readonly startMs: number
  readonly rssBytes: number
  readonly rssBytesBefore: number
}

export interface GatewayOptions {
  readonly count?: number
  /** How many mappings each of them has from the beginning. */
  readonly mappings?: number
  readonly maxMappings?: number
  readonly replyDelayMs?: number
}

export async function withGateways<T>(
  { count = 1, mappings = 0, ...options }: GatewayOptions,
  use: (url: string, facts: GatewayFacts) => Promise<T>,
): Promise<T> {
  const argv = [process.execPath, GATEWAYS, `${count}`, `${mappings}`, JSON.stringify(options)]
  const command = new Command(argv, { untilEndOfInput: true })
  try {
    const [line] = await command.says(/^\{.*\}\n/, START_DEADLINE_MS)
    const facts = JSON.parse(line) as GatewayFacts
    return await use(facts.urls[0] ?? '', facts)
  } finally {
    command.endInput()
    await command.ends()
  }
}

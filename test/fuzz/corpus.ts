/** The messages that the fuzzer has kept, one file for each decoder: a list of texts in Latin-1. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Decoder } from './decoders.ts'

export interface Corpus {
  /** The good messages of the table, and those that were kept. */
  read(decoder: Decoder): Uint8Array[]
  write(decoder: Decoder, messages: readonly Uint8Array[]): void
}

export function corpusIn(directory: string): Corpus {
  const fileOf = ({ name }: Decoder): string => join(directory, `${name}.json`)
  return {
    read(decoder) {
      const kept: readonly string[] = JSON.parse(unlessMissing(fileOf(decoder)) ?? '[]')
      return [...decoder.seeds, ...kept.map((text) => Uint8Array.from(Buffer.from(text, 'latin1')))]
    },
    write(decoder, messages) {
      const lines = messages.map((bytes) => JSON.stringify(Buffer.from(bytes).toString('latin1')))
      mkdirSync(directory, { recursive: true })
      writeFileSync(fileOf(decoder), `[\n${lines.join(',\n')}\n]\n`)
    },
  }
}

function unlessMissing(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

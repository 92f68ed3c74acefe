/** A row of the table, and what each part of the bench gets and returns. */
import type { Lab, RouterOptions } from '../test/lab/lab.ts'

export interface Row {
  readonly what: string
  readonly upnpTs: string
  /** What it is compared with; empty if nothing. */
  readonly other: string
  readonly ratio: string
  /** Empty if there is no target. */
  readonly target: string
  readonly isMet: boolean | undefined
}

export interface Surroundings {
  readonly rounds: number
  /** Runs `use` with a lab that has a new router, and takes the lab down afterwards. */
  readonly withLab: <T>(options: RouterOptions, use: (lab: Lab) => Promise<T>) => Promise<T>
  /** A directory that is removed when the bench ends. */
  readonly directory: string
  /** Adds a remark below the table. */
  readonly note: (text: string) => void
}

export interface Part {
  readonly name: string
  readonly needsLab: boolean
  readonly measure: (surroundings: Surroundings) => Promise<Row[]>
}

/** A row without a target. */
export const NO_TARGET = { target: '', isMet: undefined } as const

/** A row of the table, and what a part of the bench is given and gives. */
import type { Lab, RouterOptions } from '../test/lab/lab.ts'

export interface Row {
  readonly what: string
  readonly upnpTs: string
  /** What it is compared with; empty for nothing. */
  readonly other: string
  readonly ratio: string
  /** Empty where nothing is asked for. */
  readonly target: string
  readonly isMet: boolean | undefined
}

export interface Surroundings {
  readonly rounds: number
  /** With a router of its own for the time of `use`. */
  readonly withLab: <T>(options: RouterOptions, use: (lab: Lab) => Promise<T>) => Promise<T>
  /** A directory that goes when the bench ends. */
  readonly directory: string
  /** Something that has to be said below the table. */
  readonly note: (text: string) => void
}

export interface Part {
  readonly name: string
  readonly needsLab: boolean
  readonly measure: (surroundings: Surroundings) => Promise<Row[]>
}

/** A row without a target. */
export const NO_TARGET = { target: '', isMet: undefined } as const

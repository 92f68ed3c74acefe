/** What each verb has to give: its sentences, by the type of Report. What a verb has no row for, it does not tell. */
import type { GatewayInvocation } from '../../parse/invocation.js'
import type { Report, ReportOf } from '../../report.js'
import type { Piece } from '../pieces.js'

/** A row that returns undefined leaves the Report to the sentences that are the same for all verbs. */
export type Rows = { readonly [T in Report['type']]?: (report: ReportOf<T>) => readonly Piece[] | undefined }

/** A row may hold what it has heard until there is enough for a whole answer. */
export interface Telling {
  readonly rows: Rows
  /** With --keep: what is held is told before what happens next. */
  beforeNews?(): readonly Piece[]
  /** What is left to say when the command is over. */
  end(exitCode: number): readonly Piece[]
}

/** What the sentences depend on beside the Reports. */
export interface Occasion {
  readonly invocation: GatewayInvocation
  /** The words of the command line. */
  readonly argv: readonly string[]
  /** The wall clock: a date is told as seen from now. */
  readonly nowMs: () => number
  /** Whether the same is opened over IPv6 beside IPv4. */
  readonly opensBeside?: boolean
  /** Of the terminal; undefined if stdout is none. */
  readonly columns: () => number | undefined
  /** --qr: loaded, because it is seldom wanted. */
  readonly drawQr?: ((text: string) => readonly Piece[]) | undefined
}

export function told<T extends Report['type']>(rows: Rows, type: T, report: ReportOf<T>): readonly Piece[] | undefined {
  return rows[type]?.(report)
}

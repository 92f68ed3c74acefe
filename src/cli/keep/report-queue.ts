/** Reports that arrive at any time -> an async iteration, for one reader. */
import type { Report } from '../report.js'

export class ReportQueue {
  readonly #reports: Report[] = []
  #isOver = false
  #failure: { readonly error: unknown } | undefined
  #wake: () => void = () => {}

  add(report: Report): void {
    this.#reports.push(report)
    this.#wake()
  }

  /** The reader ends after the reports that have been added. */
  end(): void {
    this.#isOver = true
    this.#wake()
  }

  /** The reader throws this error after the reports that have been added. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wake()
  }

  async *read(): AsyncGenerator<Report, void> {
    for (;;) {
      const report = this.#reports.shift()
      if (report !== undefined) yield report
      else if (this.#failure !== undefined) throw this.#failure.error
      else if (this.#isOver) return
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

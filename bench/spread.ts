/** Medians and quartiles. */
export interface Spread {
  readonly median: number
  readonly lowerQuartile: number
  readonly upperQuartile: number
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number => {
    const place = share * (sorted.length - 1)
    const [below = Number.NaN, above = below] = sorted.slice(Math.floor(place), Math.floor(place) + 2)
    return below + (above - below) * (place % 1)
  }
  return { median: at(0.5), lowerQuartile: at(0.25), upperQuartile: at(0.75) }
}

export function median(values: readonly number[]): number {
  return spreadOf(values).median
}

/** `61 ms (60–63)`: the median, and the quartiles. */
export function msText(values: readonly number[]): string {
  const spread = spreadOf(values)
  const digits = spread.median < 10 ? 1 : 0
  return `${spread.median.toFixed(digits)} ms${quartilesText(spread, digits)}`
}

/** The ratio of the medians, and the quartiles of the ratios in each round: `1.06 (1.05–1.08)`. */
export function ratioText(above: readonly number[], below: readonly number[]): string {
  const ratio = median(above) / median(below)
  const digits = ratio < 10 ? 2 : 0
  const ratios = above.map((value, round) => value / (below[round] ?? Number.NaN))
  const sameRounds = above.length === below.length && ratios.length > 1
  return ratio.toFixed(digits) + (sameRounds ? quartilesText(spreadOf(ratios), digits) : '')
}

function quartilesText({ lowerQuartile, upperQuartile }: Spread, digits: number): string {
  return ` (${lowerQuartile.toFixed(digits)}–${upperQuartile.toFixed(digits)})`
}

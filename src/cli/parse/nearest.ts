/** What a misspelt word may have meant, if something is near enough. */

/** The name that is nearest. Short names, in which one letter makes another word, have to be right. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const near = names.flatMap((name) => {
    const length = Math.max(word.length, name.length)
    const most = length < 4 ? 0 : length < 8 ? 1 : 2
    const steps = distance(word, name)
    return steps <= most ? [{ name, steps }] : []
  })
  return near.sort((one, other) => one.steps - other.steps)[0]?.name
}

/** Damerau and Levenshtein: letters added, left out, changed, and two neighbours swapped, each one step. */
function distance(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > 2) return 3
  const rows = [Array.from({ length: other.length + 1 }, (_, at) => at)]
  for (let at = 1; at <= one.length; at++) {
    const [row, above = [], aboveThat = []] = [[at], rows[at - 1], rows[at - 2]]
    for (let to = 1; to <= other.length; to++) {
      const isSame = one[at - 1] === other[to - 1]
      const isSwapped = at > 1 && to > 1 && one[at - 1] === other[to - 2] && one[at - 2] === other[to - 1]
      row.push(
        Math.min(
          (above[to] ?? 0) + 1,
          (row[to - 1] ?? 0) + 1,
          (above[to - 1] ?? 0) + (isSame ? 0 : 1),
          isSwapped ? (aboveThat[to - 2] ?? 0) + 1 : Infinity,
        ),
      )
    }
    rows.push(row)
  }
  return rows[one.length]?.[other.length] ?? 0
}

/** Measures programs side by side, in turn, so that what else the machine does falls on all of them alike. */

export type Runs<Name extends string> = Readonly<Record<Name, () => Promise<number>>>

/** Each `rounds` times, after one time that does not count; who begins changes from round to round. */
export async function alternate<Name extends string>(
  rounds: number,
  runs: Runs<Name>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(runs) as Name[]
  const values = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>
  for (const name of names) await runs[name]()
  for (let round = 0; round < rounds; round++) {
    const first = round % names.length
    for (const name of [...names.slice(first), ...names.slice(0, first)]) values[name].push(await runs[name]())
  }
  return values
}

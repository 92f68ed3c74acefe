/** Measures programs in turn, so that whatever else the machine does affects all of them alike. */

export type Runs<Name extends string> = Readonly<Record<Name, () => Promise<number>>>

/** Runs each one `rounds` times, after one run that does not count. Every round begins with another one. */
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

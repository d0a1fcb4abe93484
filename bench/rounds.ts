/** Side by side: what is compared takes turns, so that a noisy moment of the machine meets all of it. */

/** Runs every contestant once a round, each time in another order; what each gave, round by round. */
export async function inTurns<Name extends string, Result>(
  rounds: number,
  contestants: Readonly<Record<Name, () => Result | Promise<Result>>>,
): Promise<Readonly<Record<Name, Result[]>>> {
  const names = Object.keys(contestants) as Name[]
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Result[]>
  for (let round = 0; round < rounds; round++) {
    for (const index of names.keys()) {
      const name = names[(index + round) % names.length] as Name
      results[name].push(await contestants[name]())
    }
  }
  return results
}

/** What can be told of a text by reading it character by character: deterministic automata, made as far as they are walked. */

/** Of one kind; its states are values of its own. */
export interface Reader<State> {
  readonly start: State
  step(state: State, code: number): State
  /** Two states with one key are one. */
  key(state: State): string
  /** What holds of a text that ends here. */
  marks(state: State): string
  /** Code points at which spans begin that it tells apart. */
  readonly edges: readonly number[]
}

/** A reader whose states are small numbers, each step worked out once. */
export class Walked<State> {
  readonly edges: readonly number[]
  readonly #reader: Reader<State>
  readonly #states: State[] = []
  readonly #known = new Map<string, number>()
  readonly #steps: Map<number, number>[] = []
  readonly #marks: (string | undefined)[] = []

  constructor(reader: Reader<State>) {
    this.#reader = reader
    this.edges = reader.edges
    this.#intern(reader.start)
  }

  step(state: number, code: number): number {
    const steps = this.#steps[state] as Map<number, number>
    const known = steps.get(code)
    if (known !== undefined) return known
    const next = this.#intern(this.#reader.step(this.#states[state] as State, code))
    steps.set(code, next)
    return next
  }

  marks(state: number): string {
    this.#marks[state] ??= this.#reader.marks(this.#states[state] as State)
    return this.#marks[state]
  }

  #intern(state: State): number {
    const key = this.#reader.key(state)
    const known = this.#known.get(key)
    if (known !== undefined) return known
    this.#known.set(key, this.#states.length)
    this.#steps.push(new Map())
    return this.#states.push(state) - 1
  }
}

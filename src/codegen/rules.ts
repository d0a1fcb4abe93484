/** The helper rules of one generated package, numbered in the order in which they are needed. */

export class Rules {
  readonly #lines: string[] = []
  #count = 0

  /** Adds a rule (a function, with parameters) that is true when one of the bodies is; gives its name. */
  add(parameters: readonly string[], bodies: readonly (readonly string[])[], about?: string): string {
    const name = `proved_${this.#count++}`
    const head = parameters.length === 0 ? name : `${name}(${parameters.join(', ')})`
    if (about !== undefined) this.#lines.push('', about)
    else this.#lines.push('')
    // No body at all is a rule that nothing proves.
    const all = bodies.length === 0 ? [['false']] : bodies
    for (const body of all)
      this.#lines.push(`${head} if {`, ...(body.length === 0 ? ['\ttrue'] : body.map((line) => `\t${line}`)), '}')
    return name
  }

  /** Adds an else-chain of values, each with its condition but the last; gives the name of its value. */
  choose(links: readonly string[]): string {
    const name = `chosen_${this.#count++}`
    this.#lines.push('', `${name} := ${links[0]}`, ...links.slice(1).map((link) => `else := ${link}`))
    return name
  }

  get text(): string {
    return this.#lines.join('\n')
  }
}

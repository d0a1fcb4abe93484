/** A number of bytes that lines may take. */
export class Room {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  /** Takes the bytes of these lines, if there are as many left. */
  take(lines: readonly string[]): boolean {
    const bytes = new TextEncoder().encode(lines.join('\n')).length + 8 * lines.length
    if (bytes > this.#left) return false
    this.#left -= bytes
    return true
  }
}

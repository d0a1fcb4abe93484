/**
 * What was read of a table in which nothing changes without a record: it holds for as long as no record came but those that
 * this process wrote itself. So a gate that is alone with its ledger reads it once.
 */
export class Fresh {
  /** The last record when it was read. */
  #seq = -1

  /** Does what was read hold, where this is the last record? If not, it is read now. */
  isAt(seq: number): boolean {
    const holds = this.#seq === seq
    this.#seq = seq
    return holds
  }

  /** Records that this process has just written itself changed nothing, unless the table was changed here. */
  wrote(before: number, after: number): void {
    if (this.#seq === before) this.#seq = after
  }

  /** What was read may not be so: it was changed, or rolled back. */
  forget(): void {
    this.#seq = -1
  }
}

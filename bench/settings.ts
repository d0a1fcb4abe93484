/** How long a benchmark may take. */

export interface Settings {
  /** A smoke run: everything is done, nothing of it often enough to mean something. */
  readonly quick: boolean
  /** The command that starts the gate. */
  readonly gate: readonly string[]
  /** How long the soak takes. */
  readonly soakSeconds: number
  /** A folder for ledgers, policies and compiled policies that goes when the run is over. */
  readonly folder: string
}

/** A count, or next to nothing in a smoke run. */
export function times(count: number, { quick }: Settings): number {
  return quick ? Math.max(1, Math.ceil(count / 100)) : count
}

/** News of other processes: somebody is told when what they care for in the ledger may have changed. */
import { answersPollMs } from '../model/limits.ts'

export interface ChangesPorts {
  /** Another text when something else is there. */
  readonly version: () => string
  /** Told of a ledger that cannot be read: then nobody is told anything. */
  readonly report: (error: unknown) => void
  readonly pollMs?: number
}

export class Changes {
  readonly #ports: ChangesPorts
  #poll: NodeJS.Timeout | undefined
  #version: string | undefined
  #isFailing = false

  constructor(ports: ChangesPorts) {
    this.#ports = ports
  }

  /**
   * From now on, until `stop`: told of every change after this, and of the first look itself, unless it finds what `from`
   * says.
   */
  start(changed: () => void, from?: string): void {
    this.#version ??= from
    this.#poll ??= setInterval(() => this.#look(changed), this.#ports.pollMs ?? answersPollMs).unref()
  }

  stop(): void {
    clearInterval(this.#poll)
    this.#poll = undefined
    this.#version = undefined
  }

  #look(changed: () => void): void {
    try {
      const version = this.#ports.version()
      this.#isFailing = false
      if (version === this.#version) return
      this.#version = version
    } catch (error) {
      // Four times a second is no news.
      if (!this.#isFailing) this.#ports.report(error)
      this.#isFailing = true
      return
    }
    changed()
  }
}

/** What is wrong with a start, all of it: command line, variables and settings are told together. */
import { TollgateError } from '../model/errors.ts'
import { UsageError } from './exit.ts'

export class Mistakes {
  readonly #found: TollgateError[] = []

  /** What work gives; undefined where it throws a mistake, which is kept. */
  of<T>(work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof TollgateError)) throw error
      this.#found.push(error)
      return undefined
    }
  }

  add(mistake: TollgateError): void {
    this.#found.push(mistake)
  }

  get any(): boolean {
    return this.#found.length > 0
  }

  /** One error that says them all. A command line with mistakes is one, whatever else is wrong. */
  asError(): TollgateError {
    const [first, ...more] = this.#found
    if (first && more.length === 0) return first
    const all = [...new Set(this.#found.map(({ message }) => message))].join('\n')
    const isSettings = this.#found.every(({ code }) => code === 'settings_invalid')
    return isSettings ? new TollgateError('settings_invalid', all) : new UsageError(all)
  }
}

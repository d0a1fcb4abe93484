/** How the user's own function says that it did not act. */
import { TollgateError } from '../model/errors.ts'

/**
 * Thrown inside the function of `gate.call`: nothing happened, so what the call had reserved is given back. `gate.call`
 * rejects with it all the same. Code `nothing_happened`.
 */
export class NothingHappened extends TollgateError {
  override readonly name = 'NothingHappened'

  constructor(message: string, options?: { cause?: unknown }) {
    super('nothing_happened', message, options)
  }
}

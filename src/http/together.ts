/** Calls of any callers that arrive in one turn of the event loop are judged in one transaction: together they cost half. */
import type { Begun } from '../mcp/clientSide.ts'
import type { Step } from '../mcp/plan.ts'
import type { Decision } from '../model/decision.ts'
import type { Gatekeeper } from '../pep/gatekeeper.ts'
import { judgedTogetherMax } from './limits.ts'

interface Waiting extends Begun {
  readonly resolve: (step: Step) => void
  readonly reject: (error: unknown) => void
}

export class Together {
  readonly #gate: Pick<Gatekeeper, 'admit'>
  #waiting: Waiting[] = []

  constructor(gate: Pick<Gatekeeper, 'admit'>) {
    this.#gate = gate
  }

  /** What becomes of the messages, once their calls are decided; at once when there are none. */
  decide(begun: Begun): Promise<Step> | Step {
    if (begun.calls.length === 0) return begun.conclude([])
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#decideAll())
      this.#waiting.push({ ...begun, resolve, reject })
    })
  }

  #decideAll(): void {
    const now = this.#waiting.slice(0, judgedTogetherMax)
    this.#waiting = this.#waiting.slice(judgedTogetherMax)
    if (this.#waiting.length > 0) setImmediate(() => this.#decideAll())
    try {
      const decisions = this.#gate.admit(now.flatMap(({ calls }) => calls))
      let next = 0
      for (const one of now) {
        concludeOne(one, decisions.slice(next, next + one.calls.length))
        next += one.calls.length
      }
    } catch (error) {
      for (const { reject } of now) reject(error)
    }
  }
}

/** What fails for one must not keep the others waiting. */
function concludeOne({ conclude, resolve, reject }: Waiting, decisions: readonly Decision[]): void {
  try {
    resolve(conclude(decisions))
  } catch (error) {
    reject(error)
  }
}

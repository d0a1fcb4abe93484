/** A call that is made until a limit is reached, or a rule stops it that reads what was counted. Where another limit is in the way, somebody else calls, or time goes on. */
import type { Principal } from '../../model/call.ts'
import type { Stage } from '../stage.ts'
import { type Attempt, callOf } from './climb.ts'
import { judged, made, type PlayedStep } from './play.ts'

/** Calls until a limit is reached, and steps that a person would read. */
const callsMax = 2_000
const stepsMax = 12

export class UntilRefused {
  readonly #stage: Stage
  readonly #attempt: Attempt
  readonly #rule: string
  readonly #steps: PlayedStep[] = []
  #nowMs: number
  /** Time that went on since the last step. */
  #waitedMs = 0
  #allowed = 0
  #users = 1

  constructor(stage: Stage, attempt: Attempt, rule: string) {
    this.#stage = stage
    this.#attempt = attempt
    this.#rule = rule
    this.#nowMs = attempt.timeMs
  }

  /** Undefined when the limit is not reached. */
  steps(): readonly PlayedStep[] | undefined {
    let changed = false
    for (let calls = 0; calls < callsMax && this.#steps.length < stepsMax; calls++) {
      const one = judged(this.#stage, callOf({ ...this.#attempt, principal: this.#principal() }))
      const { decision, rule, retry_after_ms: retryMs } = one.decision
      if (decision === 'allow') {
        this.#allowed++
        changed = false
        continue
      }
      this.#flush()
      if (rule === this.#rule) {
        this.#add(made(one))
        return this.#withRoomAgain(retryMs)
      }
      if (decision !== 'deny' || retryMs === undefined) return undefined
      // Somebody else has room where it is kept by the user; if not, time has to pass.
      if (!changed && this.#attempt.principal.user !== undefined) this.#users++
      else this.#wait(retryMs)
      changed = !changed
    }
    return undefined
  }

  #principal(): Principal {
    const user = this.#user()
    return { ...this.#attempt.principal, ...(user !== undefined && { user }) }
  }

  #user(): string | undefined {
    return this.#users === 1 ? this.#attempt.principal.user : `${this.#attempt.principal.user}-${this.#users}`
  }

  #flush(): void {
    if (this.#allowed > 0) this.#add({ kind: 'call', times: this.#allowed, afterMs: 0, expect: 'allow' })
    this.#allowed = 0
  }

  #add(step: Extract<PlayedStep, { kind: 'call' }>): void {
    const user = this.#users === 1 ? undefined : this.#user()
    this.#steps.push({ ...step, afterMs: this.#waitedMs, ...(user !== undefined && { user }) })
    this.#waitedMs = 0
  }

  /** Once there is room again, the call is allowed again, unless something else is in the way. */
  #withRoomAgain(retryMs: number | undefined): readonly PlayedStep[] {
    if (retryMs === undefined) return this.#steps
    this.#wait(retryMs)
    this.#add(made(judged(this.#stage, callOf({ ...this.#attempt, principal: this.#principal() }))))
    return this.#steps
  }

  /** Durations of a case file are whole seconds. */
  #wait(ms: number): void {
    const wholeMs = Math.ceil(ms / 1_000) * 1_000
    this.#waitedMs += wholeMs
    this.#nowMs += wholeMs
    this.#stage.advance(this.#nowMs)
  }
}

/** Decisions out of a file: lines that `tollgate audit` exported, or a decision log of OPA. */
import { type Body, textIn } from '../log/body.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import type { RecordedEvent } from './event.ts'
import { endIn, exportedEntry, isExported } from './exported.ts'
import { isOpaEvent, opaEvent } from './opa.ts'
import { eventOf } from './read.ts'
import { type FoundValue, unreadable } from './values.ts'

export class DecisionFile {
  readonly #file: string
  /** Only lines of decisions came so far: then these say themselves how the call ended. */
  #decisionsAlone = true
  #ends: RecordedEvent[] = []
  #place = 0
  #hash: string | null = null
  #missing = 0
  #lastAt = 0
  #disordered = 0

  /** `file` is what mistakes call it. */
  constructor(file: string) {
    this.#file = file
  }

  /** Decisions that stood behind later ones: they are judged at the time of those. */
  get disordered(): number {
    return this.#disordered
  }

  /** Records between the first and the last that are not there; of an export of decisions alone nobody can say. */
  get missing(): number {
    return this.#decisionsAlone ? 0 : this.#missing
  }

  /** What a value says, and what has happened before it. Throws `decisions_unreadable`, `record_unreadable`. */
  take(value: FoundValue): readonly RecordedEvent[] {
    const line = this.#lineIn(value)
    try {
      const event = this.#eventOf(line, value.place)
      return event ? this.#inOrder(event, line) : []
    } catch (error) {
      if (error instanceof TollgateError) throw error
      throw unreadable(`value ${value.place} of ${this.#file} cannot be replayed: ${messageOf(error)}`, error)
    }
  }

  #lineIn({ place, bytes }: FoundValue): Body {
    try {
      const line: unknown = JSON.parse(bytes.toString('utf8'))
      if (typeof line === 'object' && line !== null && !Array.isArray(line)) return line as Body
    } catch (cause) {
      throw unreadable(`value ${place} of ${this.#file} is no JSON: ${messageOf(cause)}`, cause)
    }
    throw unreadable(`value ${place} of ${this.#file} is no JSON object`)
  }

  #eventOf(line: Body, place: number): RecordedEvent | undefined {
    if (isExported(line)) {
      const entry = exportedEntry(line)
      if (entry.place <= this.#place)
        throw new Error(`its \`seq\` is ${entry.place} and ${this.#place} came before: put the lines in their order`)
      this.#follows(entry.place, line)
      if (entry.kind !== 'decision' && entry.kind !== 'check') this.#decisionsAlone = false
      const event = eventOf(entry, () => undefined)
      return event.kind === 'call' &&
        this.#decisionsAlone &&
        event.approvalId !== undefined &&
        event.decided.decision === 'allow'
        ? { ...event, isApproved: true }
        : event
    }
    if (isOpaEvent(line)) return opaEvent(line, place)
    // What OPA itself logs stands between its decisions, where they go to the same output.
    if (typeof line['level'] === 'string' && typeof line['msg'] === 'string') return undefined
    throw new Error('it is neither a line of `tollgate audit` nor a decision of OPA')
  }

  /** Throws an `Error` for a record that does not stand behind the one before it in any ledger. */
  #follows(place: number, line: Body): void {
    const [hash, previousHash] = [textIn(line, 'hash'), textIn(line, 'previous_hash')]
    const isNext = place === this.#place + 1
    if (isNext && this.#hash !== null && previousHash !== null && previousHash !== this.#hash)
      throw new Error(
        `its \`previous_hash\` is not the \`hash\` of record ${this.#place}: one of the two is of another ledger, or was changed`,
      )
    if (this.#place > 0) this.#missing += place - this.#place - 1
    this.#place = place
    this.#hash = hash
  }

  #inOrder(event: RecordedEvent, line: Body): readonly RecordedEvent[] {
    if (event.at < this.#lastAt) this.#disordered += 1
    this.#lastAt = Math.max(this.#lastAt, event.at)
    if (!this.#decisionsAlone) this.#ends = []
    // Outcomes are recorded with the next call, and before it.
    const due = this.#ends.filter(({ at }) => at <= event.at)
    if (due.length > 0) this.#ends = this.#ends.filter(({ at }) => at > event.at)
    const end = this.#decisionsAlone && event.kind === 'call' ? endIn(line) : undefined
    if (end) this.#ends.push(end)
    return [...due.sort((one, other) => one.at - other.at), event]
  }
}

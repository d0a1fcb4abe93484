/**
 * Which recorded calls are the same call to the persons who are asked. What went beside the arguments is part of that, and is
 * recorded as a digest, which also covers what is another one each time (`_meta`): equal digests are the same call, and
 * calls of one request are, too. Of others nobody can tell.
 */
import { canonical, type Json } from '../model/canonical.ts'
import type { RecordedCall } from './event.ts'

export class SameCalls {
  /** The digest that stands for a request, by its id in the record. */
  readonly #digests = new Map<string, string>()
  /** Of the requests here that persons have answered: what their calls are but for that digest, and the digest. */
  readonly #answered = new Map<string, readonly { readonly id: string; readonly params: string }[]>()
  readonly #asked = new Map<string, { readonly what: string; readonly params: string }>()

  /** What stands for all that went beside the arguments; empty where nothing did. */
  paramsOf({ approvalId, params = '' }: RecordedCall): string {
    if (approvalId === undefined) return params
    const known = this.#digests.get(approvalId) ?? params
    this.#digests.set(approvalId, known)
    return known
  }

  /** A request was made, or found, for the call. */
  asked(id: string, recorded: RecordedCall): void {
    if (!this.#asked.has(id)) this.#asked.set(id, { what: whatOf(recorded), params: this.paramsOf(recorded) })
  }

  answered(id: string): void {
    const asked = this.#asked.get(id)
    if (!asked) return
    const { what, params } = asked
    this.#answered.set(what, [...(this.#answered.get(what) ?? []).filter((one) => one.id !== id), { id, params }])
  }

  /** Answered requests that may have been about this call, and need not have been. */
  doubtful(recorded: RecordedCall): readonly string[] {
    if (recorded.approvalId !== undefined || this.#answered.size === 0) return []
    const known = this.#answered.get(whatOf(recorded)) ?? []
    return known.filter(({ params }) => params !== (recorded.params ?? '')).map(({ id }) => id)
  }
}

function whatOf({ call, arguments: args }: RecordedCall): string {
  const { method, asked, server, name, principal } = call
  return canonical({ method, asked, server, name, principal, args } as unknown as Json)
}

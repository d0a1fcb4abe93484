/** The kill switch on its way through a proof: what is stopped is not let through, and nothing else is refused for it. */
import { type Body, bodyOf, objectIn, textIn } from '../log/body.ts'
import { type KillKind, type KillTarget, killAmong, killKinds, type Stoppable } from '../model/kill.ts'
import type { StoredRecord } from '../model/ledger.ts'
import type { Method } from '../model/policy.ts'
import type { Findings } from './auditReport.ts'

export class FollowedKills {
  readonly #related: (decisionId: string) => readonly StoredRecord[]
  readonly #findings: Findings
  /** By what they are about. */
  readonly #standing = new Map<string, Standing>()

  /** `related` gives all records of a decision; `before` are the records of kills before the first that is looked at. */
  constructor(
    related: (decisionId: string) => readonly StoredRecord[],
    before: Iterable<StoredRecord>,
    findings: Findings,
  ) {
    this.#related = related
    this.#findings = findings
    for (const record of before) this.#note(record, bodyOf(record))
  }

  /** A record of the kill switch. */
  follow(record: StoredRecord, body: Body): void {
    this.#findings.of(record.seq, 'kill', this.#fault(record, body))
    this.#note(record, body)
  }

  /** A decision, or the refusal of a message: it names what stops it, if something does. */
  decide({ seq }: StoredRecord, body: Body): void {
    const named = textIn(objectIn(body, 'result'), 'kill_id')
    const asked = body['type'] !== 'refusal'
    if (named === null && (!asked || this.#standing.size === 0)) return
    const who = whoIn(body)
    const stops = killAmong(this.#standing.values(), who)
    if (named === null && stops !== undefined)
      this.#findings.of(seq, 'kill', `it was decided though \`${stops.id}\` stops it`)
    const ofName = [...this.#standing.values()].filter(({ id }) => id === named)
    if (named !== null && killAmong(ofName, who) === undefined)
      this.#findings.of(seq, 'kill', `it was refused for \`${named}\`, which does not stop it`)
  }

  #fault({ kind, decisionId }: StoredRecord, body: Body): string | undefined {
    if (body['type'] !== kind) return `its type is \`${body['type']}\`, the record is a ${kind}`
    const target = targetOf(body)
    const id = textIn(body, 'kill_id')
    if (!target || id === null) return 'it does not say what it is about'
    const standing = this.#standing.get(keyOf(target))?.id
    if (kind === 'lift' || body['again'] === true)
      return standing === id ? undefined : `\`${id}\` does not stop it at this time`
    if (standing !== undefined) return `\`${standing}\` stops it already`
    return decisionId === undefined ? undefined : this.#unkilled(decisionId, target)
  }

  /** A policy stops a session by deciding so of a call in it. */
  #unkilled(decisionId: string, { kind, name }: KillTarget): string | undefined {
    const decision = this.#related(decisionId).find((record) => record.kind === 'decision')
    const decided = decision && bodyOf(decision)
    if (!decided || objectIn(decided, 'result')['decision'] !== 'kill') return 'no decision ends the session'
    return kind === 'session' && decided['session_id'] === name ? undefined : 'the decision ends another session'
  }

  #note({ kind }: StoredRecord, body: Body): void {
    const target = targetOf(body)
    if (!target) return
    if (kind === 'lift') this.#standing.delete(keyOf(target))
    else this.#standing.set(keyOf(target), { target, id: textIn(body, 'kill_id') ?? '' })
  }
}

interface Standing {
  readonly target: KillTarget
  readonly id: string
}

function keyOf({ kind, name }: KillTarget): string {
  return `${kind} ${name}`
}

function targetOf(body: Body): KillTarget | undefined {
  const kind = killKinds.find((one) => one === body['target'])
  const name = kind && nameIn(kind, body)
  return kind === undefined || typeof name !== 'string' ? undefined : { kind, name }
}

function nameIn(kind: KillKind, body: Body): unknown {
  if (kind === 'all') return ''
  if (kind === 'session') return body['session_id']
  if (kind === 'server') return body['server']
  if (kind === 'run') return body['run_id']
  return kind === 'tool' ? body['name'] : objectIn(body, 'principal')[kind]
}

/** Who made a recorded call, and what it called. */
function whoIn(body: Body): Stoppable {
  const [session, method, name, server, run] = ['session_id', 'method', 'name', 'server', 'run_id'].map(
    (key) => textIn(body, key) ?? '',
  )
  const principal = objectIn(body, 'principal') as { readonly agent?: string }
  const called = { method: method as Method, name: name ?? '', server: server ?? '' }
  return { session: session ?? '', principal, ...called, ...(run && { run: { run_id: run } }) }
}

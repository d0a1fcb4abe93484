/** Requests to persons on their way through a proof: each goes from asked to answered to used, once, and nothing runs beside. */
import { isDeepStrictEqual } from 'node:util'
import { decisionOfRequest } from '../log/approvals.ts'
import { type Body, bodyOf, objectIn, textIn } from '../log/body.ts'
import { isSamePerson } from '../model/approval.ts'
import type { StoredRecord } from '../model/ledger.ts'
import type { Findings } from './auditReport.ts'

interface Step {
  readonly record: StoredRecord
  readonly body: Body
}

/** A request as the records before one of them leave it. */
interface Request {
  readonly asked: Body
  readonly approvers: readonly string[]
  /** What ended it. */
  readonly end: string | undefined
}

const endings: ReadonlySet<string> = new Set(['reject', 'consumption', 'expiry'])

export class FollowedApprovals {
  readonly #related: (decisionId: string) => readonly StoredRecord[]
  readonly #findings: Findings

  /** `related` gives all records of a decision. */
  constructor(related: (decisionId: string) => readonly StoredRecord[], findings: Findings) {
    this.#related = related
    this.#findings = findings
  }

  /** A record of a request. */
  follow(record: StoredRecord, body: Body): void {
    this.#findings.of(record.seq, 'approval', this.#fault({ record, body }))
  }

  /** A decision that stands on an approval: it was given, and is used up by this decision and no other. */
  decide(record: StoredRecord, body: Body): void {
    const { approved } = objectIn(body, 'input')
    if (approved === undefined) return
    this.#findings.of(record.seq, 'approval', this.#unapproved({ record, body }, approved))
  }

  #unapproved({ record, body }: Step, approved: unknown): string | undefined {
    const result = objectIn(body, 'result')
    if (result['decision'] !== 'allow') return 'it stands on an approval and does not allow the call'
    const first = decisionOfRequest(textIn(objectIn(result, 'approval'), 'id')) ?? ''
    const request = this.#requestBefore(first, record.seq)
    if (!request) return 'it stands on an approval that nobody was asked for'
    if (!isDeepStrictEqual(request.asked['holds'], approved)) return 'it stands on more or less than was approved'
    if (!isSameCall(body, request.asked)) return 'it stands on the approval of another call'
    if (record.kind === 'check') return notUsable(request, record.at)
    const used = this.#related(first).find(({ kind }) => kind === 'consumption')
    const by = used && textIn(bodyOf(used), 'consumed_by')
    return by === record.decisionId ? undefined : 'it stands on an approval that it does not use up'
  }

  #fault({ record, body }: Step): string | undefined {
    const { decisionId = '', seq, at } = record
    if (body['type'] !== record.kind) return `its type is \`${body['type']}\`, the record is a ${record.kind}`
    if (decisionOfRequest(textIn(body, 'approval_id')) !== decisionId || body['decision_id'] !== decisionId)
      return 'it is of another request than the one that it belongs to'
    const request = this.#requestBefore(decisionId, seq)
    if (record.kind === 'hold') return request ? 'it was asked for already' : this.#unheld({ record, body })
    if (!request) return 'nobody was asked'
    if (!isSameCall(body, request.asked)) return 'it is about another call than the one that was asked about'
    if (request.end !== undefined) return `the request was over, by a record of the kind ${request.end}`
    const expires = expiryOf(request.asked)
    if (record.kind === 'expiry') return at >= expires ? undefined : 'the request had time left'
    if (at >= expires) return 'the time of the request was over'
    if (record.kind === 'grant') return wrongGrant(request, body)
    if (record.kind === 'reject') return isEnough(request) ? 'the request was approved before' : undefined
    return notUsable(request, at) ?? this.#unused(record, body)
  }

  /** A request is made by a decision that holds the call. */
  #unheld({ record, body }: Step): string | undefined {
    const decision = this.#related(record.decisionId ?? '').find(({ kind }) => kind === 'decision')
    const decided = decision && bodyOf(decision)
    if (!decided || objectIn(decided, 'result')['decision'] !== 'hold') return 'no decision holds the call'
    return isSameCall(decided, body) ? undefined : 'it is about another call than the one that was held'
  }

  #unused({ seq }: StoredRecord, body: Body): string | undefined {
    const decision = this.#related(textIn(body, 'consumed_by') ?? '').find(({ kind }) => kind === 'decision')
    const decided = decision && decision.seq < seq && bodyOf(decision)
    if (!decided || objectIn(decided, 'result')['decision'] !== 'allow') return 'no decision lets the call through'
    const stands = objectIn(objectIn(decided, 'result'), 'approval')['id'] === body['approval_id']
    return stands ? undefined : 'the decision that lets the call through stands on another approval'
  }

  #requestBefore(decisionId: string, seq: number): Request | undefined {
    const before = this.#related(decisionId).filter((record) => record.seq < seq)
    const asked = before.find(({ kind }) => kind === 'hold')
    const grants = before
      .filter(({ kind }) => kind === 'grant')
      .map((record) => textIn(bodyOf(record), 'approver') ?? '')
    return asked && { asked: bodyOf(asked), approvers: grants, end: before.find(({ kind }) => endings.has(kind))?.kind }
  }
}

function wrongGrant(request: Request, body: Body): string | undefined {
  const { asked, approvers } = request
  const approver = textIn(body, 'approver') ?? ''
  if (isEnough(request)) return 'the request was approved before'
  if (approvers.some((other) => isSamePerson(other, approver)))
    return `\`${approver}\` had approved before, and counts once`
  const user = textIn(objectIn(asked, 'principal'), 'user')
  if (asked['not_requester'] === true && (user === null || isSamePerson(user, approver)))
    return `\`${approver}\` is, or may be, who asked`
  const state = isEnough({ ...request, approvers: [...approvers, approver] }) ? 'approved' : 'pending'
  return body['state'] === state ? undefined : `it leaves the request ${body['state']}, which is ${state}`
}

function notUsable(request: Request, at: number): string | undefined {
  if (request.end !== undefined) return `the request was over, by a record of the kind ${request.end}`
  if (!isEnough(request)) return 'the request was not approved'
  return at < expiryOf(request.asked) ? undefined : 'the time of the request was over'
}

function isEnough({ asked, approvers }: Request): boolean {
  return approvers.length >= Number(asked['quorum'])
}

function expiryOf(asked: Body): number {
  return Date.parse(textIn(asked, 'expires_at') ?? '')
}

/** As far as every record says it; the arguments have a digest in the request and their own place in decisions. */
function isSameCall(one: Body, other: Body): boolean {
  return ['method', 'asked_method', 'server', 'name', 'principal'].every((key) =>
    isDeepStrictEqual(one[key], other[key]),
  )
}

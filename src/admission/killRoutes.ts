/** The kill switch and the sessions that it is about, for programs. */
import { setImmediate as turn } from 'node:timers/promises'
import type { Router } from 'express'
import { ActivitySums } from '../log/activity.ts'
import { type SessionView, sessionView } from '../log/activityView.ts'
import { killView } from '../log/kills.ts'
import { TollgateError } from '../model/errors.ts'
import { type KillTarget, killKinds } from '../model/kill.ts'
import { quoted } from '../model/message/quoted.ts'
import { instantOf } from '../model/time.ts'
import { bytes, valueIn } from './body.ts'
import { approverIn, scoped } from './keys.ts'
import { adminBodyBytesMax, recordsAddedItems, sessionsListedItemsMax } from './limits.ts'
import type { AdmissionPorts } from './ports.ts'

export function killRoutes(router: Router, ports: AdmissionPorts): void {
  const { ledger, kills } = ports
  router.get('/kills', scoped('read'), (_, response) => void response.json({ kills: ledger.kills().map(killView) }))
  router.post('/kills', scoped('kill'), bytes(adminBodyBytesMax), ({ body }, response) => {
    const { target, reason } = killIn(valueIn(body))
    const { kill, again } = kills.kill(target, { by: approverIn(response), ...(reason !== undefined && { reason }) })
    response.status(again ? 200 : 201).json(killView(kill))
  })
  router.delete('/kills/:id', scoped('kill'), ({ params, query }, response) => {
    const reason = textIn('reason', query['reason'])
    const said = { by: approverIn(response), ...(reason !== undefined && { reason }) }
    response.json(killView(kills.lift({ id: params['id'] as string }, said)))
  })
  router.get('/sessions', scoped('read'), async ({ query }, response) => {
    const sessions = await sessionsSince(ports, query['since'])
    response.json({ sessions: sessions.slice(-sessionsListedItemsMax) })
  })
  router.get('/sessions/:id', scoped('read'), async ({ params, query }, response) => {
    const id = params['id'] as string
    const found = (await sessionsSince(ports, query['since'])).find(({ session_id }) => session_id === id)
    if (!found) throw new TollgateError('activity_unknown', `no record is of the session ${quoted(id)}`)
    response.json(found)
  })
}

/** In the order in which they were last heard of. Calls are decided in between: a long record keeps none of them waiting. */
async function sessionsSince({ ledger, chargesOf }: AdmissionPorts, said: unknown): Promise<readonly SessionView[]> {
  const text = textIn('since', said)
  const since = text === undefined ? undefined : instantOf(text)
  if (text !== undefined && since === undefined)
    throw new TollgateError('request_invalid', '`since` must be a time like `2026-01-16T19:11:22Z`')
  const sums = new ActivitySums({ chargesOf })
  let added = 0
  for (const record of ledger.records(since === undefined ? {} : { since })) {
    sums.add(record)
    if (++added % recordsAddedItems === 0) await turn()
  }
  const standing = ledger.kills()
  const sessions = [...sums.sessions.values()].sort((one, other) => one.lastAt - other.lastAt)
  return sessions.map((session) => sessionView(session, standing))
}

/** Throws `request_invalid`. Exactly one thing is stopped; a misspelt member must not stop another one. */
function killIn(body: unknown): { readonly target: KillTarget; readonly reason?: string } {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body)
  const { reason: said, ...named } = (isObject ? body : {}) as Record<string, unknown>
  const [[kind, name] = ['', undefined], ...others] = Object.entries(named)
  const known = killKinds.find((one) => one === kind)
  const right = known === 'all' ? name === true : typeof name === 'string'
  if (known === undefined || !right || others.length > 0)
    throw new TollgateError(
      'request_invalid',
      `the body names one of ${killKinds.join(', ')}: \`all\` as true, another one as a text; and may have a \`reason\``,
    )
  const reason = textIn('reason', said)
  return {
    target: { kind: known, name: known === 'all' ? '' : (name as string) },
    ...(reason !== undefined && { reason }),
  }
}

function textIn(name: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value
  throw new TollgateError('request_invalid', `\`${name}\` must be a text`)
}

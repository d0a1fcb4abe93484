/** Answers that programs and Slack bring, of persons whom they know: signed, fresh, and each heard once. */
import express, { type Request, Router } from 'express'
import type { Approver } from '../model/approval.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { faultOf } from './faults.ts'
import { adminBodyBytesMax, tellMsMax } from './limits.ts'
import { post } from './outbox.ts'
import type { AdmissionPorts } from './ports.ts'
import { shown } from './requests.ts'
import { Heard, verifySlack, verifyWebhook } from './signatures.ts'
import { type Pressed, pressedIn, type Slack, slackReply } from './slack.ts'
import { saidIn } from './webhook.ts'

export function callbacks(ports: AdmissionPorts): Router {
  const heard = new Heard(Date.now())
  const router = Router()
  router.use(express.raw({ type: () => true, limit: adminBodyBytesMax }))
  router.post('/webhook', (request, response) => {
    const webhook = required(ports.notify?.webhook)
    const body = bodyOf(request)
    const id = `webhook ${verifyWebhook(webhook.key, request.headers, body, Date.now())}`
    const approval = once(heard, id, request.headers['webhook-timestamp'], () => {
      const { says, approver, reason, ...about } = saidIn(body)
      const by: Approver = { name: approver, known_by: 'webhook' }
      return ports.approvals[says](about.id, { by, ...(reason !== undefined && { reason }) })
    })
    response.json(shown(ports.ledger, approval.request.id))
  })
  router.post('/slack', (request, response) => {
    const slack = required(ports.notify?.slack)
    const body = bodyOf(request)
    const id = `slack ${verifySlack(slack.signingSecret, request.headers, body, Date.now())}`
    const sent = request.headers['x-slack-request-timestamp']
    const { pressed, told } = once(heard, id, sent, () => answered(ports, slack, pressedIn(body)))
    // Slack waits three seconds; what there is to say goes to the place that it names.
    response.status(200).end()
    if (told !== undefined) reply(ports, slack, pressed, told)
  })
  return router
}

/** A callback that failed because of the ledger is to be sent again; any other was heard, whatever came of it. */
function once<T>(heard: Heard, id: string, timestamp: unknown, work: () => T): T {
  heard.requireNew(id, timestamp, Date.now())
  try {
    const result = work()
    heard.remember(id, Date.now())
    return result
  } catch (error) {
    if (faultOf(error).status < 500) heard.remember(id, Date.now())
    throw error
  }
}

interface Told {
  readonly text: string
  readonly forAll: boolean
}

function answered(ports: AdmissionPorts, slack: Slack, pressed: Pressed): { pressed: Pressed; told: Told | undefined } {
  const { user, answer } = pressed
  if (answer === undefined) return { pressed, told: undefined }
  const name = slack.users.get(user)
  if (name === undefined) return { pressed, told: { text: 'You are no approver of this gate.', forAll: false } }
  try {
    const { state, request } = ports.approvals[answer.says](answer.id, { by: { name, known_by: 'slack' } })
    const said = `${name} ${answer.says === 'approve' ? 'approved' : 'rejected'} ${request.name} (${request.id})`
    const more = state === 'pending' ? '; others have to approve too' : ''
    return { pressed, told: { text: `${said}${more}.`, forAll: state !== 'pending' } }
  } catch (error) {
    if (faultOf(error).status >= 500) throw error
    return { pressed, told: { text: messageOf(error), forAll: false } }
  }
}

function reply(
  { log }: AdmissionPorts,
  { responseOrigin }: Slack,
  { responseUrl }: Pressed,
  { text, forAll }: Told,
): void {
  const url = responseUrl !== undefined && URL.canParse(responseUrl) ? new URL(responseUrl) : undefined
  if (url?.origin !== responseOrigin) return
  const headers = { 'content-type': 'application/json' }
  post(url, slackReply(text, forAll), headers, new AbortController().signal, tellMsMax).catch((error) =>
    log(`slack was not answered: ${messageOf(error)}`),
  )
}

/** Throws `not_found` where this one is not set up. */
function required<T>(found: T | undefined): T {
  if (found === undefined) throw new TollgateError('not_found', 'there is nothing at this path')
  return found
}

/** As it came: the signature is over these bytes. */
function bodyOf({ body }: Request): Uint8Array {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0)
}

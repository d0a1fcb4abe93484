/** Where persons answer with a browser: signed in, and with forms that no other page can send in their name. */
import { fileURLToPath } from 'node:url'
import express, { type NextFunction, type Request, type Response, Router } from 'express'
import { faultOf } from './faults.ts'
import { html } from './html.ts'
import { adminBodyBytesMax } from './limits.ts'
import type { Live } from './live.ts'
import { type AdmissionPorts, approverOf } from './ports.ts'
import { listed, shown } from './requests.ts'
import { isSameToken, type SignIn, type SignIns } from './signIns.ts'
import { listPage, page, requestPage, signInPage } from './views.ts'

/** Requests that are over, on the list. */
const overShown = 20

/** Scripts and styles of this server alone, and nothing of a call can become one. */
const pageFields = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // Not `no-referrer`: browsers then say `Origin: null` of our own forms.
  'referrer-policy': 'same-origin',
}

export interface PagePorts extends AdmissionPorts {
  readonly signIns: SignIns
  readonly live: Live
}

export function pages(ports: PagePorts): Router {
  const { ledger, live } = ports
  const router = Router()
  router.use(
    '/assets',
    express.static(fileURLToPath(new URL('../../web/', import.meta.url)), { index: false, fallthrough: false }),
  )
  router.use((_, response, next) => {
    for (const [name, value] of Object.entries(pageFields)) response.setHeader(name, value)
    next()
  })
  router.use(express.urlencoded({ extended: false, limit: adminBodyBytesMax }))
  addSignIn(router, ports)
  router.use(signedIn(ports))
  router.get('/', (_, response) => {
    const open = listed(ledger, ['pending', 'approved'])
    const over = listed(ledger, ['rejected', 'consumed', 'expired']).slice(-overShown).reverse()
    response.send(listPage({ open, over }, signInOf(response)))
  })
  router.get('/events', (_, response) => {
    if (!live.add(response)) response.sendStatus(503)
  })
  router.get('/approvals/:id', ({ params }, response) => {
    response.send(requestPage(shown(ledger, params.id), signInOf(response)))
  })
  addAnswers(router, ports)
  router.post('/sign-out', (request, response) => {
    response.setHeader('set-cookie', ports.signIns.end(request))
    response.redirect(303, '/')
  })
  router.use((_, response) => void problem(response, 404, 'There is no such page'))
  router.use((error: unknown, _: Request, response: Response, next: NextFunction) => {
    const { status, message } = faultOf(error)
    if (status >= 500) ports.log(`a page failed: ${message}`)
    if (response.headersSent) return next(error)
    problem(response, status, status === 500 ? 'The gate failed' : message)
  })
  return router
}

function addSignIn(router: Router, ports: PagePorts): void {
  const { signIns } = ports
  router.post('/sign-in', async (request, response) => {
    const { key, form_token } = fieldsOf(request.body)
    if (!signIns.isBeforehand(request, form_token))
      return askAgain(response, signIns, 403, 'The form was too old: try again')
    const approver = key === undefined ? undefined : await approverOf(ports, key)
    if (key === undefined || approver === undefined)
      return askAgain(response, signIns, 401, 'Nobody who may answer has this key')
    response.setHeader(
      'set-cookie',
      signIns.begin(approver, async () => approverOf(ports, key), Date.now()),
    )
    response.redirect(303, '/')
  })
}

function askAgain(response: Response, signIns: SignIns, status: number, why?: string): void {
  const { formToken, cookie } = signIns.beforehand()
  response.setHeader('set-cookie', cookie)
  response.status(status).send(signInPage(formToken, why))
}

/** What follows is for who is signed in; what changes something, for a form of ours. */
function signedIn({ signIns }: PagePorts) {
  return async (request: Request, response: Response, next: NextFunction) => {
    const signIn = await signIns.of(request, Date.now())
    if (signIn === undefined) return askAgain(response, signIns, 401)
    response.locals['signIn'] = signIn
    const isForm = request.method !== 'GET' && request.method !== 'HEAD'
    if (!isForm || isSameToken(signIn.formToken, fieldsOf(request.body)['form_token'])) return next()
    problem(response, 403, 'The form is not one of this page: go back, load the page anew and try again')
  }
}

function addAnswers(router: Router, { ledger, approvals }: PagePorts): void {
  for (const says of ['approve', 'reject'] as const)
    router.post(`/approvals/:id/${says}`, ({ params, body }, response) => {
      const signIn = signInOf(response)
      const reason = fieldsOf(body)['reason']?.trim()
      try {
        approvals[says](params.id, { by: signIn.approver, ...(reason && { reason }) })
      } catch (error) {
        const { status, message } = faultOf(error)
        if (status === 404 || status >= 500) throw error
        return void response.status(status).send(requestPage(shown(ledger, params.id), signIn, message))
      }
      response.redirect(303, `/approvals/${encodeURIComponent(params.id)}`)
    })
}

function signInOf(response: Response): SignIn {
  return response.locals['signIn'] as SignIn
}

/** A field that stands twice is none. */
function fieldsOf(body: unknown): Readonly<Record<string, string | undefined>> {
  const fields = Object.entries((body ?? {}) as Record<string, unknown>)
  return Object.fromEntries(fields.filter((field): field is [string, string] => typeof field[1] === 'string'))
}

function problem(response: Response, status: number, message: string): void {
  const signIn = response.locals['signIn'] as SignIn | undefined
  const body = html`<p role="alert" class="problem">${message}</p>`
  response.status(status).send(page({ title: 'That did not work', body, ...(signIn && { signIn }) }))
}

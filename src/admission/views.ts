/** The pages as HTML. They work without their script, which only keeps them up to date. */
import type { AnswerView, ApprovalView } from '../log/approvals.ts'
import { approvalReasonCharsMax } from '../model/limits.ts'
import { type Html, html, json, type Part } from './html.ts'
import type { Shown } from './requests.ts'
import type { SignIn } from './signIns.ts'

interface Page {
  readonly title: string
  readonly signIn?: SignIn
  readonly body: Html
}

export function page({ title, signIn, body }: Page): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Tollgate</title>
<link rel="stylesheet" href="/assets/approvals.css">
<script src="/assets/approvals.js" defer></script>
</head>
<body${signIn ? html` data-live` : undefined}>
<a class="skip" href="#main">Skip to the content</a>
<header>
<nav aria-label="Pages"><a href="/">Tollgate: calls that wait</a></nav>
${signIn && signedIn(signIn)}
</header>
<main id="main" tabindex="-1">
<h1>${title}</h1>
<p id="news" role="status"></p>
${body}
</main>
</body>
</html>
`.text
}

function signedIn({ approver, formToken }: SignIn): Html {
  return html`<form method="post" action="/sign-out">${tokenField(formToken)}<span>Signed in as <b><bdi>${approver.name}</bdi></b></span> <button>Sign out</button></form>`
}

export function signInPage(formToken: string, problem?: string): string {
  return page({
    title: 'Sign in',
    body: html`${alert(problem)}<form method="post" action="/sign-in" class="stacked">${tokenField(formToken)}
<label for="key">Your key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus${problem !== undefined && html` aria-invalid="true" aria-describedby="problem"`}>
<button>Sign in</button>
</form>
<p>A key is made with <code>tollgate approvals key NAME</code>, and its line stands in the file of <code>--approvers</code>.</p>`,
  })
}

export interface List {
  readonly open: readonly ApprovalView[]
  readonly over: readonly ApprovalView[]
}

export function listPage({ open, over }: List, signIn: SignIn): string {
  const pending = open.filter(({ state }) => state === 'pending').length
  return page({
    title: 'Calls that wait for a person',
    signIn,
    body: html`<div id="live" data-news="${pending === 1 ? '1 call waits' : `${pending} calls wait`}">
${open.length === 0 ? html`<p>No call waits.</p>` : table('Open', open)}
${over.length > 0 && table('Over', over)}
</div>`,
  })
}

function table(caption: string, views: readonly ApprovalView[]): Html {
  return html`<div class="wide" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr><th scope="col">Call</th><th scope="col">State</th><th scope="col">Server</th><th scope="col">For</th><th scope="col">Rule</th><th scope="col">Risk</th><th scope="col">Until</th></tr></thead>
<tbody>
${views.map(row)}
</tbody>
</table></div>`
}

function row(view: ApprovalView): Html {
  const { id, name, server, principal, rule, risk_level, expires_at } = view
  return html`<tr><th scope="row"><a id="${id}" href="/approvals/${encodeURIComponent(id)}"><bdi>${name}</bdi></a></th><td>${stateOf(view)}</td><td><bdi>${server || '–'}</bdi></td><td><bdi>${principal.user ?? principal.agent ?? 'nobody known'}</bdi></td><td><bdi>${rule}</bdi></td><td>${risk_level ?? '–'}</td><td>${time(expires_at)}</td></tr>
`
}

export function requestPage(view: Shown, signIn: SignIn, problem?: string): string {
  const { id, state, name } = view
  return page({
    title: name === '' ? 'A call' : name,
    signIn,
    body: html`${alert(problem)}<div id="live" data-news="This request is ${state}">
${facts(view)}
${section('Arguments', view.arguments === null ? html`<p>Not kept any more; their SHA-256 is <code>${view.arguments_sha256}</code>.</p>` : block('Arguments', view.arguments))}
${view.input !== null && section('What the policy read', block('What the policy read', view.input))}
${section('Answers', answers(view.answers))}
</div>
${state === 'pending' && answerForm(id, signIn)}`,
  })
}

function facts(view: Shown): Html {
  const { principal, message, rule, policy_id, policy_version, quorum, not_requester, risk_level } = view
  const rows: readonly (readonly [string, Part])[] = [
    ['State', stateOf(view)],
    ['Rule', html`<bdi>${rule}</bdi>: <bdi>${message}</bdi>`],
    ['Policy', html`<bdi>${`${policy_id} ${policy_version}`.trim()}</bdi>`],
    ['Risk', risk_level ?? 'not said'],
    ['Method', view.asked_method === undefined ? view.method : `${view.asked_method} (${view.method})`],
    ['Server', html`<bdi>${view.server || '–'}</bdi>`],
    ['User', html`<bdi>${principal.user ?? 'not known'}</bdi>`],
    ['Agent', html`<bdi>${principal.agent ?? 'not known'}</bdi>`],
    ['Project', html`<bdi>${principal.project ?? 'not known'}</bdi>`],
    ['Session', html`<bdi>${view.session_id || '–'}</bdi>`],
    ['Wanted', `${quorum === 1 ? 'one person' : `${quorum} persons`}${not_requester ? ', not the requester' : ''}`],
    ['Asked', time(view.requested_at)],
    ['Until', time(view.expires_at)],
    ['Request', html`<code>${view.id}</code>`],
  ]
  return html`<dl>${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`
}

function answers(said: readonly AnswerView[]): Html {
  if (said.length === 0) return html`<p>Nobody has answered.</p>`
  return html`<ul>${said.map(
    ({ says, approver, at, reason }) =>
      html`<li><b><bdi>${approver}</bdi></b> ${says === 'approve' ? 'approved' : 'rejected'} it, ${time(at)}${reason !== null && html`: <bdi>${reason}</bdi>`}</li>`,
  )}</ul>`
}

function answerForm(id: string, { formToken }: SignIn): Html {
  const path = `/approvals/${encodeURIComponent(id)}`
  return html`<section id="answer"><h2>Your answer</h2>
<form method="post" action="${path}/approve" class="stacked">${tokenField(formToken)}
<label for="reason">Reason (it is recorded; of a no, the caller is told)</label>
<textarea id="reason" name="reason" rows="3" maxlength="${approvalReasonCharsMax}"></textarea>
<div class="buttons"><button class="approve">Approve</button> <button class="reject" formaction="${path}/reject">Reject</button></div>
</form></section>`
}

/** The blocks in it are regions of their own. */
function section(title: string, content: Html): Html {
  return html`<section><h2>${title}</h2>${content}</section>`
}

function block(label: string, value: unknown): Html {
  return html`<pre tabindex="0" role="region" aria-label="${label}" dir="ltr">${json(value)}</pre>`
}

function alert(problem: string | undefined): Part {
  return problem !== undefined && html`<p id="problem" role="alert" class="problem">${problem}</p>`
}

function stateOf({ state, approvals, quorum }: ApprovalView): Html {
  return html`<span class="state ${state}">${state}${state === 'pending' && quorum > 1 && html` (${approvals} of ${quorum})`}</span>`
}

function time(at: string): Html {
  return html`<time datetime="${at}">${at.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}</time>`
}

function tokenField(formToken: string): Html {
  return html`<input type="hidden" name="form_token" value="${formToken}">`
}

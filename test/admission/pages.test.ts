/** The page of approvals without a browser: signing in, forms and their tokens, and every text of a call as text. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { newKey } from '../../src/admission/approvers.ts'
import { html, json } from '../../src/admission/html.ts'
import { Desk, Visitor } from './fixtures/desk.ts'

let desk: Desk
let ada: Visitor
before(async () => {
  desk = await Desk.open()
  ada = new Visitor(desk.url)
  await ada.signIn(desk.keys.ada)
})
after(() => desk[Symbol.asyncDispose]())

const stateOf = async (id: string) => (await desk.api(`/v1/approvals/${id}`)).body.state

test('a person signs in, reads the call, approves it with a reason, and signs out', async () => {
  const id = desk.held({ account: 1 })
  assert.match((await ada.get('/')).text, new RegExp(`<a id="${id}" href="/approvals/${id}"><bdi>close</bdi></a>`))
  const { text, headers } = await ada.get(`/approvals/${id}`)
  assert.match(text, /&quot;account&quot;: 1/)
  assert.match(text, /<bdi>ask<\/bdi>: <bdi>a person has to approve this call<\/bdi>/)
  assert.match(text, /What the policy read/)
  assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'; script-src 'self'/)
  assert.doesNotMatch(text, /<script(?! src="\/assets)|<style|style="| on[a-z]+="/)
  const form_token = await ada.formToken(`/approvals/${id}`)
  const answered = await ada.post(`/approvals/${id}/approve`, { form_token, reason: ' fine ' })
  assert.deepEqual([answered.status, answered.headers.get('location')], [303, `/approvals/${id}`])
  assert.match((await ada.get(`/approvals/${id}`)).text, /<b><bdi>ada<\/bdi><\/b> approved it, .*: <bdi>fine<\/bdi>/)
  const bob = new Visitor(desk.url)
  await bob.signIn(desk.keys.bob)
  await bob.post('/sign-out', { form_token: await bob.formToken() })
  assert.equal((await bob.get('/')).status, 401)
})

test('a form without its token, or with another one, changes nothing', async () => {
  const id = desk.held({ account: 2 })
  const bob = new Visitor(desk.url)
  await bob.signIn(desk.keys.bob)
  for (const fields of [{}, { form_token: '' }, { form_token: await bob.formToken() }] as Record<string, string>[])
    for (const says of ['approve', 'reject'])
      assert.equal((await ada.post(`/approvals/${id}/${says}`, fields)).status, 403)
  assert.equal((await ada.post('/sign-out', {})).status, 403)
  const own = { form_token: await ada.formToken() }
  assert.equal((await ada.post(`/approvals/${id}/approve`, own, { origin: 'https://evil.example' })).status, 403)
  const twice = `form_token=${own.form_token}&form_token=x`
  const cookie = [...ada.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const headers = { cookie, 'content-type': 'application/x-www-form-urlencoded' }
  assert.equal(
    (await fetch(`${desk.url}/approvals/${id}/approve`, { method: 'POST', body: twice, headers })).status,
    403,
  )
  assert.equal(await stateOf(id), 'pending')
})

test('nobody reads or answers without having signed in, nor signs in with a form of another page', async () => {
  const id = desk.held({ account: 3 })
  const stranger = new Visitor(desk.url)
  for (const path of ['/', `/approvals/${id}`, '/events']) {
    const { status, text } = await stranger.get(path)
    assert.equal(status, 401)
    assert.doesNotMatch(text, /account|close/)
  }
  assert.equal((await stranger.post(`/approvals/${id}/approve`, {})).status, 401)
  const form_token = await stranger.formToken()
  assert.equal((await stranger.post('/sign-in', { key: desk.keys.ada, form_token: 'x' })).status, 403)
  assert.equal((await stranger.post('/sign-in', { key: 'none', form_token: await stranger.formToken() })).status, 401)
  assert.equal((await new Visitor(desk.url).post('/sign-in', { key: desk.keys.ada, form_token })).status, 403)
  stranger.cookies.set('tollgate', 'x'.repeat(43))
  assert.equal((await stranger.get('/')).status, 401)
  const headers = { authorization: `Bearer ${desk.keys.ada}` }
  assert.equal((await fetch(`${desk.url}/approvals/${id}/approve`, { method: 'POST', headers })).status, 401)
  assert.equal(await stateOf(id), 'pending')
})

test('what was answered, has expired, or is for somebody else, is said on the page', async () => {
  const pair = desk.held({}, { name: 'pair' })
  const eve = new Visitor(desk.url)
  await eve.signIn(desk.keys.eve)
  const refused = await eve.post(`/approvals/${pair}/approve`, { form_token: await eve.formToken() })
  assert.equal(refused.status, 403)
  assert.match(refused.text, /role="alert" class="problem">`eve` asked for/)
  const token = { form_token: await ada.formToken() }
  assert.equal((await ada.post(`/approvals/${pair}/approve`, token)).status, 303)
  assert.match((await ada.get('/')).text, /pending \(1 of 2\)/)
  const again = await ada.post(`/approvals/${pair}/approve`, token)
  assert.equal(again.status, 409)
  assert.match(again.text, /counts once/)
  assert.equal((await ada.post('/approvals/apr_none/approve', token)).status, 404)
  const late = desk.held({ account: 4 })
  desk.aheadMs = 11 * 60_000
  assert.match((await ada.post(`/approvals/${late}/approve`, token)).text, /is expired already/)
  desk.aheadMs = 0
})

test('a key that is taken back signs its person out', async () => {
  await using other = await Desk.open()
  const visitor = new Visitor(other.url)
  await visitor.signIn(other.keys.ada)
  assert.equal((await visitor.get('/')).status, 200)
  writeFileSync(other.approversFile, `${newKey('ada').line}\n`)
  assert.equal((await visitor.get('/')).status, 401)
})

test('open pages hear of a change, and of nothing else', async () => {
  const cookie = [...ada.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const leave = new AbortController()
  const { body, headers } = await fetch(`${desk.url}/events`, { headers: { cookie }, signal: leave.signal })
  assert.equal(headers.get('content-type'), 'text/event-stream')
  const heard: string[] = []
  const change = (async () => {
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      heard.push(Buffer.from(chunk).toString())
      if (heard.join('').includes('event: change')) return
    }
  })()
  desk.held({ account: 'secret' })
  await change
  leave.abort()
  assert.equal(heard.join(''), 'retry: 2000\n\nevent: change\ndata:\n\n')
})

test('HTML, escape sequences and marks that turn text around are shown as text', async () => {
  const evil = `</pre><script>alert(1)</script>"'&\u001b[2J\u202e\u2066\u200b\r\nx`
  const id = desk.held({ [evil]: evil }, { name: `<img src=x onerror=alert(1)>${evil}`, server: evil, session: evil })
  const shown = '&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;'
  for (const path of ['/', `/approvals/${id}`]) {
    const { text } = await ada.get(path)
    assert.ok(
      text.includes(
        `&lt;img src=x onerror=alert(1)&gt;${shown}&quot;&#39;&amp;\\u001b[2J\\u202e\\u2066\\u200b\\u000d\\u000ax`,
      ),
      text,
    )
    assert.doesNotMatch(text, /<img|<script>|alert\(1\)<|(?!\n)[\p{Cc}\p{Cf}]/u)
  }
  const reason = `<b>${evil}`
  await ada.post(`/approvals/${id}/reject`, { form_token: await ada.formToken(), reason })
  assert.doesNotMatch((await ada.get(`/approvals/${id}`)).text, /<b>&lt;\/pre|<b><\/pre/)
})

test('what is put into HTML is escaped, wherever it stands', () => {
  assert.equal(
    html`<a title="${'"><x'}">${['<', html`<b>${'&'}</b>`]}${undefined}${false}${0}</a>`.text,
    '<a title="&quot;&gt;&lt;x">&lt;<b>&amp;</b>0</a>',
  )
  assert.equal(json({ a: '<\n\ud800' }).text, '{\n  &quot;a&quot;: &quot;&lt;\\n\\ud800&quot;\n}')
})

/** The page of approvals in a real Chromium: with the keyboard alone, kept up to date, without its script, and for axe. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core'
import { Desk } from '../admission/fixtures/desk.ts'
import { args, findBrowser } from './browser.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let browser: Browser
let desk: Desk
before(async () => {
  const found = await findBrowser()
  if (found === undefined) throw new Error('there is no Chromium: `make chromium` brings one')
  browser = await chromium.launch({ executablePath: found, args })
  desk = await Desk.open()
})
after(async () => {
  await desk?.[Symbol.asyncDispose]()
  await browser?.close()
})

/** A page of somebody who is signed in, and what went wrong on it. */
async function signedIn(key = desk.keys.ada, options: BrowserContextOptions = {}) {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(20_000)
  const page = await context.newPage()
  const wrong: string[] = []
  // Of the pages that say no, and of nothing else.
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of 40[139]/.test(message.text())) wrong.push(message.text())
  })
  page.on('pageerror', (error) => wrong.push(error.message))
  page.on('dialog', (dialog) => {
    wrong.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  await page.goto(desk.url)
  await page.getByLabel('Your key').fill(key)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Calls that wait for a person' }).waitFor()
  return { page, wrong, [Symbol.asyncDispose]: () => context.close() }
}

/** What axe finds, in both colour schemes. */
async function violations(page: Page): Promise<readonly string[]> {
  const found: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    // By the debugger, which the page's policy does not bind.
    await page.evaluate(axe)
    const results = await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')
    for (const { id, nodes } of (results as { violations: { id: string; nodes: { html: string }[] }[] }).violations)
      found.push(`${colorScheme}: ${id}: ${nodes.map((node) => node.html).join(' ')}`)
  }
  return found
}

/** Presses Tab until the element has the focus. */
async function tabTo(page: Page, role: 'link' | 'button' | 'textbox', name: string): Promise<void> {
  const wanted = page.getByRole(role, { name })
  for (let presses = 0; presses < 60; presses++) {
    if (await wanted.evaluate((element) => element === element.ownerDocument.activeElement)) return
    await page.keyboard.press('Tab')
  }
  assert.fail(`the keyboard does not reach ${name}`)
}

const text = async (found: Locator) => (await found.textContent()) ?? ''
const stateOf = async (id: string) => (await desk.api(`/v1/approvals/${id}`)).body.state
const approve = (id: string) => desk.api(`/v1/approvals/${id}/approve`, { method: 'POST' })

test('with the keyboard alone: from the list to the call, a reason, and approved', async () => {
  const id = desk.held({ account: 4711 })
  await using open = await signedIn()
  const { page, wrong } = open
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await tabTo(page, 'link', 'close')
  await page.keyboard.press('Enter')
  await page.getByRole('region', { name: 'Arguments' }).first().waitFor()
  assert.match(await text(page.locator('pre').first()), /"account": 4711/)
  await tabTo(page, 'textbox', 'Reason')
  await page.keyboard.type('ticket 812')
  await tabTo(page, 'button', 'Approve')
  await page.keyboard.press('Enter')
  await page.getByText('approved it').waitFor()
  assert.match(await text(page.locator('#live')), /ada approved it, .*: ticket 812/)
  assert.equal(await page.getByRole('button', { name: 'Approve' }).count(), 0)
  assert.equal(await stateOf(id), 'approved')
  assert.deepEqual(wrong, [])
})

test('a call that comes, and one that is answered elsewhere, are shown and said without a reload; the focus stays', async () => {
  const first = desk.held({ account: 1 })
  await using open = await signedIn()
  const { page, wrong } = open
  await page.locator(`a[id="${first}"]`).focus()
  const second = desk.held({ account: 2 })
  await page.locator(`a[id="${second}"]`).waitFor()
  assert.match(await text(page.getByRole('status')), /^\d+ calls wait$/)
  assert.equal(await page.evaluate('document.activeElement.id'), first)
  await page.goto(`${desk.url}/approvals/${second}`)
  const reason = page.getByLabel('Reason')
  await reason.fill('half a sent')
  desk.held({ account: 3 })
  await approve(first)
  await page.waitForTimeout(1_200)
  assert.equal(await reason.inputValue(), 'half a sent', 'what is typed stays')
  await approve(second)
  await reason.waitFor({ state: 'detached' })
  assert.match(await text(page.getByRole('status')), /This request is approved/)
  assert.deepEqual(wrong, [])
})

test('what a call says is text: no element, no script, no request comes of it', async () => {
  const evil = `</script><img src=x onerror=alert(1)><svg onload=alert(2)>\u202eevil\u001b[31m`
  const id = desk.held({ [evil]: evil, html: '<b>bold</b>' }, { name: `<img src=x onerror=alert(3)>${evil}` })
  await using open = await signedIn()
  const { page, wrong } = open
  const asked: string[] = []
  page.on('request', (request) => asked.push(new URL(request.url()).pathname))
  await page.goto(`${desk.url}/approvals/${id}`)
  await page.waitForTimeout(300)
  assert.equal(await page.locator('img, svg, b:has-text("bold")').count(), 0)
  assert.match(await text(page.locator('pre').first()), /<img src=x onerror=alert\(1\)>.*\\u202eevil\\u001b\[31m/)
  assert.match(await text(page.getByRole('heading', { level: 1 })), /^<img src=x onerror=alert\(3\)>/)
  assert.deepEqual(
    new Set(asked),
    new Set([`/approvals/${id}`, '/assets/approvals.css', '/assets/approvals.js', '/events']),
  )
  assert.deepEqual(wrong, [])
})

test('it works without its script', async () => {
  const id = desk.held({ account: 5 })
  await using open = await signedIn(desk.keys.bob, { javaScriptEnabled: false })
  const { page } = open
  await page.goto(`${desk.url}/approvals/${id}`)
  await page.getByLabel('Reason').fill('not today')
  await page.getByRole('button', { name: 'Reject' }).click()
  await page.getByText('rejected it').waitFor()
  assert.equal(await stateOf(id), 'rejected')
})

test('axe finds nothing, on any page, light or dark, wide or narrow', async () => {
  const waits = desk.held({ account: 6, long: 'x'.repeat(500) })
  const pair = desk.held({ n: 1 }, { name: 'pair' })
  for (const width of [1200, 360]) {
    const stranger = await browser.newPage({ viewport: { width, height: 800 } })
    await stranger.goto(desk.url)
    assert.deepEqual(await violations(stranger), [])
    await stranger.getByLabel('Your key').fill('none')
    await stranger.keyboard.press('Enter')
    await stranger.getByRole('alert').waitFor()
    assert.deepEqual(await violations(stranger), [])
    await stranger.close()
    await using open = await signedIn(desk.keys.eve, { viewport: { width, height: 800 } })
    const { page, wrong } = open
    for (const path of ['/', `/approvals/${waits}`, '/approvals/none', '/nothing']) {
      await page.goto(desk.url + path)
      assert.deepEqual(await violations(page), [], path)
      assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), `${path} is too wide`)
    }
    await page.goto(`${desk.url}/approvals/${pair}`)
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByRole('alert').waitFor()
    assert.deepEqual(await violations(page), [])
    assert.deepEqual(
      wrong.filter((line) => !/status of 404/.test(line)),
      [],
    )
  }
})

/** Tool pinning over real ledger files: several gates, a restart, servers that lie, ledgers that fail, and the proof of it. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { buildPolicy } from '../../src/bundle/build.ts'
import { readLedger } from '../../src/cli/auditLedger.ts'
import { proveRecords } from '../../src/cli/auditProof.ts'
import { openLedger } from '../../src/ledger/ledger.ts'
import { describeWith } from '../../src/log/describe.ts'
import type { Approver } from '../../src/model/approval.ts'
import type { Decision } from '../../src/model/decision.ts'
import { definitionBytesMax, heldDefinitionsMax, toolsKnownMax } from '../../src/model/limits.ts'
import { definitionOf } from '../../src/model/pinning.ts'
import type { Gate } from '../../src/pep/gate.ts'
import { Tools } from '../../src/pep/tools.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'
import { scratchFile } from '../ledger/fixtures.ts'
import { rewriteChain, tamper } from '../log/ledgers.ts'

const compiled = async (pinning: string) =>
  buildPolicy({ name: 'bank.yaml', text: `version: "1"\n${pinning}\ndefault: deny\ntools: { pay: {}, read: {} }\n` })
const [firstUse, strict, plain] = await Promise.all(['pinning: first_use', 'pinning: strict', ''].map(compiled))
const by: Approver = { name: 'ada', known_by: 'os_user', os_user: 'ada' }
const describe = describeWith({ id: 'person', version: '0' }, 'full')
const pay = { name: 'pay', description: 'Pays.' }
const payOther = { name: 'pay', description: 'Pays, and tells mallory.' }
const read = { name: 'read' }

interface Bank {
  readonly gate: Gate
  readonly ledger: ReturnType<typeof openLedger>
  readonly tools: Tools
  readonly reported: unknown[]
  /** Names of the tools that a list shows. */
  list(...items: readonly unknown[]): readonly unknown[]
  call(name: string): Decision
}

function bank(t: TestContext, file: string, artifact = firstUse): Bank {
  const reported: unknown[] = []
  const { gate, ledger } = openGateWith({ ledgerFile: file, report: (error) => reported.push(error) })
  t.after(() => ledger.close())
  gate.activate(activePolicy(artifact as NonNullable<typeof artifact>))
  const about = { server: 'bank', principal: { agent: 'bot' }, session: 's-1' }
  return {
    gate,
    ledger,
    reported,
    tools: new Tools({ ledger, describe }),
    list: (...tools) => {
      const shown = gate.listed({ ...about, tools, isLast: true })
      return tools.filter((_, index) => shown?.[index] !== false).map((item) => (item as { name: unknown }).name)
    },
    call: (name) => gate.admit([{ ...about, method: 'tools/call', name, arguments: {} }])[0] as Decision,
  }
}

const accept = ({ tools }: Bank, ...names: readonly string[]) => tools.accept({ server: 'bank', tools: names }, { by })
const prove = (file: string) => readLedger(file, (source) => proveRecords(source))
const kinds = (file: string) => {
  const ledger = openLedger({ file, readOnly: true })
  const all = [...ledger.records()].map(({ kind }) => kind)
  ledger.close()
  return all.filter((kind) => ['pin', 'drift', 'accept'].includes(kind))
}

test('what one process holds back, every other refuses from its next call on; what one accepts, all let through', (t) => {
  const file = scratchFile(t)
  const [one, two] = [bank(t, file), bank(t, file)]
  assert.deepEqual(one.list(pay, read), ['pay', 'read'])
  assert.equal(two.call('pay').decision, 'allow')
  assert.deepEqual(one.list(payOther, read), ['read'])
  assert.equal(two.call('pay').reason_code, 'TOOL_CHANGED')
  assert.deepEqual(two.list(pay, read), ['read'], 'the first definition, to another client')
  assert.equal(two.call('read').decision, 'allow')
  accept(two, 'pay')
  assert.equal(one.call('pay').decision, 'allow')
  assert.deepEqual(one.list(payOther, read), ['pay', 'read'])
  assert.deepEqual(kinds(file), ['pin', 'drift', 'accept'])
  assert.deepEqual(prove(file).findings, [])
})

test('pins and what is held back survive a restart', (t) => {
  const file = scratchFile(t)
  const before = bank(t, file)
  before.list(pay, read)
  before.list(payOther, read)
  before.ledger.close()
  const after = bank(t, file)
  assert.equal(after.call('pay').reason_code, 'TOOL_CHANGED')
  assert.equal(after.call('read').decision, 'allow')
  assert.deepEqual(after.list(pay, payOther, read, { name: 'new' }), ['read'])
  assert.deepEqual(prove(file).findings, [])
})

test('a policy that pins nothing is asked nothing, and nothing is recorded', (t) => {
  const file = scratchFile(t)
  const gate = bank(t, file, plain)
  assert.equal(gate.gate.listed({ server: 'bank', tools: [pay], isLast: true, principal: {}, session: '' }), undefined)
  assert.equal(gate.call('pay').decision, 'allow')
  assert.deepEqual(kinds(file), [])
  assert.deepEqual(gate.ledger.tools(), [])
})

test('a list that shows what is known writes nothing', (t) => {
  const gate = bank(t, scratchFile(t))
  gate.list(pay, read)
  const { seq } = gate.ledger.head()
  for (let i = 0; i < 5; i++) assert.deepEqual(gate.list(read, pay), ['read', 'pay'])
  assert.equal(gate.ledger.head().seq, seq)
})

test('where the ledger cannot be written no tool is shown, and none is called', (t) => {
  const file = scratchFile(t)
  const gate = bank(t, file)
  gate.list(pay)
  gate.ledger.close()
  assert.deepEqual(gate.list(pay, read), [])
  assert.equal(gate.call('pay').decision, 'deny')
  assert.equal(gate.reported.length, 2)
})

test('clients hear of a tool that was shown and is held back, and of one that is accepted elsewhere', async (t) => {
  const file = scratchFile(t)
  const [one, two] = [bank(t, file), bank(t, file)]
  let heard = 0
  one.gate.onPolicyChange(() => heard++)
  one.list(pay, read)
  one.list(pay, read, { name: 'new' })
  await new Promise(setImmediate)
  assert.equal(heard, 0, 'nothing that a client knows has changed')
  const before = one.ledger.pinsVersion()
  one.list(payOther)
  await new Promise(setImmediate)
  assert.equal(heard, 1)
  one.list(payOther)
  await new Promise(setImmediate)
  assert.equal(heard, 1, 'once')
  assert.equal(one.ledger.pinsVersion(), before, 'what this process did is no news to it')
  accept(two, 'pay')
  assert.notEqual(one.ledger.pinsVersion(), before)
})

test('a server that says something else each time is held back, and fills nothing', async (t) => {
  const file = scratchFile(t)
  const gate = bank(t, file)
  let heard = 0
  gate.gate.onPolicyChange(() => heard++)
  gate.list(pay)
  for (let i = 0; i < 100; i++) assert.deepEqual(gate.list({ name: 'pay', description: `Pays ${i}.` }), [])
  await new Promise(setImmediate)
  assert.equal(heard, 1)
  assert.equal(gate.ledger.tools()[0]?.held.length, heldDefinitionsMax)
  assert.equal(kinds(file).length, 1 + heldDefinitionsMax)
  assert.throws(() => accept(gate, 'pay'), { code: 'tool_ambiguous' })
  assert.deepEqual(prove(file).findings, [])
})

test('more tools than a server can have are not shown, and not called', (t) => {
  const gate = bank(t, scratchFile(t))
  const items = Array.from({ length: toolsKnownMax + 10 }, (_, index) => ({ name: `tool ${index}` }))
  assert.equal(gate.list(...items).length, toolsKnownMax)
  assert.equal(gate.list(...items).length, toolsKnownMax)
  assert.equal(gate.call(`tool ${toolsKnownMax}`).reason_code, 'TOOL_NOT_PINNED')
})

test('a definition that is too large has a digest and no text; one that is too deep is not shown', (t) => {
  const gate = bank(t, scratchFile(t))
  const large = { name: 'pay', description: 'x'.repeat(definitionBytesMax) }
  let deep: unknown = {}
  for (let i = 0; i < 100_000; i++) deep = { deep }
  assert.deepEqual(gate.list(large, { name: 'read', inputSchema: deep }), ['pay'])
  const [known] = gate.ledger.tools()
  assert.equal(known?.pinned[0], definitionOf(large)?.sha256)
  assert.equal(gate.ledger.toolDefinition(known?.pinned[0] ?? ''), undefined)
  assert.equal(gate.call('read').reason_code, 'TOOL_NOT_PINNED')
})

test('items of a list that are no tools are shown to nobody', (t) => {
  const gate = bank(t, scratchFile(t))
  const about = { server: 'bank', isLast: true, principal: {}, session: '' }
  const odd = [null, 'pay', 7, [], {}, { name: 7 }, { name: 'n'.repeat(10_000) }]
  assert.deepEqual(
    gate.gate.listed({ ...about, tools: odd }),
    odd.map(() => false),
  )
  for (const name of ['__proto__', 'constructor', 'toString', ''])
    assert.deepEqual(gate.gate.listed({ ...about, server: `of ${name}`, tools: [{ name }] }), [true])
})

test('what nobody has seen cannot be accepted, nor what is not held back', (t) => {
  const gate = bank(t, scratchFile(t), strict)
  assert.throws(() => accept(gate, 'pay'), { code: 'tool_unknown' })
  gate.list(pay, read)
  assert.throws(() => accept(gate, 'pay', 'nothing'), { code: 'tool_unknown' })
  assert.equal(gate.call('pay').decision, 'deny', 'all or none')
  accept(gate, 'pay')
  assert.throws(() => accept(gate, 'pay'), { code: 'tool_unknown' })
  const bad = { ...by, name: 'a\nb' }
  assert.throws(() => gate.tools.accept({ server: 'bank', tools: ['read'] }, { by: bad }), { code: 'tool_invalid' })
})

test('a policy that begins to pin finds nothing accepted, and one that ends to pin lets everything through', (t) => {
  const gate = bank(t, scratchFile(t), plain)
  gate.gate.activate(activePolicy(strict as never))
  assert.deepEqual(gate.list(pay), [])
  gate.gate.activate(activePolicy(plain as never))
  assert.deepEqual(gate.list(pay), ['pay'])
  assert.equal(gate.call('pay').decision, 'allow')
})

test('two definitions of the same tool are different to every byte, and keys in another order are not', () => {
  const digest = (item: object) => definitionOf(item as never)?.sha256
  assert.equal(digest({ name: 'a', description: 'b' }), digest({ description: 'b', name: 'a' }))
  assert.equal(digest({ name: 'a', icons: [] }), digest({ name: 'a', _meta: {} }))
  for (const other of [
    { name: 'a', description: 'b\u200b' },
    { name: 'a', title: 'b' },
    { name: 'a', DESCRIPTION: 'b' },
  ])
    assert.notEqual(digest(other), digest({ name: 'a', description: 'b' }))
  assert.equal(digest({ name: 'a', inputSchema: { maximum: Number.POSITIVE_INFINITY } }), undefined)
})

test('a record of pins that was made up is found', (t) => {
  const told = (change: (from: string) => string) => {
    const file = scratchFile(t)
    const gate = bank(t, file)
    gate.list(pay, read)
    gate.call('pay')
    gate.list(payOther, read)
    gate.call('pay')
    accept(gate, 'pay')
    gate.ledger.close()
    assert.deepEqual(prove(file).findings, [])
    tamper(file, (db) => {
      const rows = db.prepare('SELECT seq, body FROM records').all() as { seq: number; body: string }[]
      for (const { seq, body } of rows) db.prepare('UPDATE records SET body = ? WHERE seq = ?').run(change(body), seq)
      rewriteChain(db)
    })
    return prove(file).findings.map(({ kind, message }) => `${kind}: ${message}`)
  }
  const [one = '', other = ''] = [pay, payOther].map((item) => definitionOf(item)?.sha256)
  const nowhere = told((body) => (body.includes('"accept"') ? body.replaceAll(other, 'f'.repeat(64)) : body))
  assert.match(nowhere[0] ?? '', /^pin: .*`pay`: a definition is accepted that no list has shown/)
  const allowed = told((body) => (body.includes('"drift"') ? body.replace(`"held":["${other}"]`, '"held":[]') : body))
  assert.match(allowed.join('\n'), /pin: .*it was refused for TOOL_CHANGED, which is not so/)
  const hidden = told((body) =>
    body.includes('"type":"pin"') ? body.replace(`"held":[]`, `"held":["${other}"]`) : body,
  )
  assert.match(hidden.join('\n'), /pin: .*it was decided though the tool is held back \(TOOL_CHANGED\)/)
  const given = told((body) => (body.includes('"drift"') ? body.replace(`"${one}"`, `"${one}","${other}"`) : body))
  assert.match(given.join('\n'), /pin: .*`pay`: a definition is accepted that nobody accepted/)
})

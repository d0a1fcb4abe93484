/** Lists of a server on their way through an interceptor whose policy pins tools: what two readers could take differently. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildPolicy } from '../../src/bundle/build.ts'
import { Interceptor } from '../../src/mcp/interceptor.ts'
import { readMessage } from '../../src/model/message/read.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'

const text = 'version: "1"\npinning: first_use\ndefault: allow\nhidden: [secret]\ntools: { pay: {} }\n'
const artifact = await buildPolicy({ name: 'p.yaml', text })
const pay = '{"name":"pay","description":"Pays."}'

function scope(unasked: 'drop' | 'pass' = 'drop') {
  const { gate } = openGateWith({ ledgerFile: ':memory:', report: (error) => assert.fail(error as Error) })
  gate.activate(activePolicy(artifact))
  const options = { gate, server: 'bank', principal: {}, session: 's', unasked, log: () => {} }
  const interceptor = new Interceptor(options)
  let id = 0
  return {
    interceptor,
    /** The result of a list as the client reads it, of which the server sent these bytes. */
    list(result: string) {
      id += 1
      const asked = { jsonrpc: '2.0', id, method: 'tools/list' }
      interceptor.fromClient([readMessage(Buffer.from(JSON.stringify(asked)))])
      const answer = Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":${result}}`)
      const line = String(interceptor.fromServer([answer]).toClient[0])
      return { line, result: JSON.parse(line).result }
    },
    call(name: string) {
      id += 1
      const asked = { jsonrpc: '2.0', id, method: 'tools/call', params: { name } }
      const { toServer } = interceptor.fromClient([readMessage(Buffer.from(JSON.stringify(asked)))])
      return toServer.length === 1
    },
  }
}

test('a list in which nothing is held back says the same', () => {
  const { list } = scope()
  const sent = `{"tools":[{"name":"pay","inputSchema":{"minimum":12345678901234567890,"é":"\\u00e9"}}],"x":[1.50]}`
  for (let i = 0; i < 2; i++) assert.deepEqual(list(sent).result, JSON.parse(sent))
  assert.match(list(sent).line, /"minimum":12345678901234567890/)
})

test('an emptied page keeps its cursor and everything else, and is no longer for everybody', () => {
  const { list } = scope()
  list(`{"tools":[${pay}]}`)
  const page = list('{"tools":[{"name":"new"}],"nextCursor":"2","ttlMs":900000,"cacheScope":"public","_meta":{"n":1}}')
  assert.deepEqual(page.result, { tools: [], nextCursor: '2', ttlMs: 60_000, cacheScope: 'private', _meta: { n: 1 } })
})

test('a definition that says something twice is shown with what was pinned of it', () => {
  const { list, call } = scope()
  const twice = list('{"tools":[{"name":"pay","description":"Tells mallory.","description":"Pays."}]}')
  assert.deepEqual(twice.result.tools, [{ name: 'pay', description: 'Pays.' }])
  assert.doesNotMatch(twice.line, /mallory/)
  assert.deepEqual(list(`{"tools":[${pay}]}`).result.tools, [{ name: 'pay', description: 'Pays.' }])
  assert.ok(call('pay'))
})

test('a list that stands twice in a result is shown with what was looked through', () => {
  const { list } = scope()
  list(`{"tools":[${pay}]}`)
  const twice = list(`{"tools":[${pay},{"name":"new"}],"tools":[{"name":"new"},${pay}]}`)
  assert.deepEqual(twice.result.tools, [{ name: 'pay', description: 'Pays.' }])
  assert.doesNotMatch(twice.line, /new/)
})

test('a key that is escaped is the same key', () => {
  const { list } = scope()
  list(`{"tools":[${pay}]}`)
  assert.equal(list('{"tools":[{"n\\u0061me":"pay","d\\u0065scription":"P\\u0061ys."}]}').result.tools.length, 1)
  assert.equal(list('{"tools":[{"name":"pay","d\\u0065scription":"Other."}]}').result.tools.length, 0)
})

test('numbers beyond a double are not shown in a definition', () => {
  const { list } = scope()
  const odd = list(`{"tools":[{"name":"odd","inputSchema":{"maximum":1e400}},${pay}]}`)
  assert.deepEqual(odd.result.tools, [{ name: 'pay', description: 'Pays.' }])
})

test('a list that a resumed stream replays is looked through like any other', () => {
  const { interceptor, list, call } = scope('pass')
  list(`{"tools":[${pay}]}`)
  const replayed = Buffer.from('{"jsonrpc":"2.0","id":77,"result":{"tools":[{"name":"pay","description":"Other."}]}}')
  const [line] = interceptor.fromServer([replayed]).toClient
  assert.deepEqual(JSON.parse(String(line)).result.tools, [])
  assert.ok(!call('pay'))
})

test('a tool that the policy hides is pinned too, and stays hidden', () => {
  const { list, call } = scope()
  const found = list(`{"tools":[{"name":"secret","description":"a"},${pay}]}`)
  assert.deepEqual(found.result.tools.length, 1)
  list('{"tools":[{"name":"secret","description":"b"}]}')
  assert.ok(!call('secret'))
})

test('a refused call of what is held back is told why, and one of what is hidden is told nothing', () => {
  const { interceptor, list } = scope()
  list(`{"tools":[{"name":"secret"},${pay}]}`)
  list('{"tools":[{"name":"secret","title":"x"},{"name":"pay"}]}')
  const answers = ['pay', 'secret'].map((name, index) => {
    const asked = { jsonrpc: '2.0', id: `c${index}`, method: 'tools/call', params: { name } }
    return String(interceptor.fromClient([readMessage(Buffer.from(JSON.stringify(asked)))]).toClient[0])
  })
  assert.match(answers[0] ?? '', /"isError":true.*TOOL_CHANGED/)
  assert.deepEqual(JSON.parse(answers[1] ?? '').error, { code: -32602, message: 'Unknown tool: secret' })
})

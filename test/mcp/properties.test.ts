/** What holds for whatever a client and a server write. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, tries } from '../random.ts'
import { Scope } from './fixtures/scope.ts'

const method = fc.constantFrom(
  'tools/call',
  'resources/read',
  'prompts/get',
  'resources/subscribe',
  'tools/list',
  'ping',
  'initialize',
  'completion/complete',
  'subscriptions/listen',
  'notifications/cancelled',
  'notifications/initialized',
  'other/method',
  '__proto__',
)
const id = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom('0', '1', 'a', null, true))
const name = fc.constantFrom('open', 'denied', 'held', 'hidden', '', 5)
const optional = { requiredKeys: [] }
const params = fc.oneof(
  fc.record(
    {
      name,
      uri: name,
      arguments: fc.oneof(fc.object({ maxDepth: 1 }), fc.constant([])),
      requestId: id,
      ref: fc.record({ type: fc.constantFrom('ref/prompt', 'ref/resource'), name, uri: name }, optional),
      argument: fc.record({ name, value: name }, optional),
      notifications: fc.record({ toolsListChanged: fc.boolean(), resourceSubscriptions: fc.array(name) }, optional),
    },
    optional,
  ),
  fc.constantFrom([], null, 5),
)
const tools = fc.array(fc.record({ name }))
const answered = fc.oneof(
  fc.record(
    { tools, isError: fc.boolean(), capabilities: fc.object({ maxDepth: 1 }), cacheScope: fc.string() },
    optional,
  ),
  fc.jsonValue(),
)
const message = fc.record(
  { jsonrpc: fc.constantFrom('2.0', '2.0', '2.0', 1), id, method, params, result: answered, error: fc.jsonValue() },
  optional,
)
const traffic = fc.array(
  fc.tuple(fc.constantFrom('client', 'server'), fc.array(message, { minLength: 1, maxLength: 5 })),
)

const acting = new Set(['tools/call', 'resources/read', 'prompts/get', 'resources/subscribe', 'completion/complete'])
const rules = { deny: ['denied'], hold: ['held'], hide: ['hidden'] }

test('no traffic makes it throw; only what was allowed goes on; no decision is settled twice', () => {
  fc.assert(
    fc.property(traffic, (chunks) => {
      const scope = new Scope(rules)
      for (const [side, messages] of chunks) {
        const { toServer } = side === 'client' ? scope.client(...messages) : scope.server(...messages)
        for (const line of toServer) {
          const sent = JSON.parse(line)
          if (!acting.has(sent.method)) continue
          const { ref } = sent.params
          const named = sent.method === 'completion/complete' ? [ref.type === 'ref/prompt' ? ref.name : ref.uri] : []
          const names = named.length > 0 ? named : [sent.params.name, sent.params.uri]
          assert.ok(names.includes('open'), line)
        }
      }
      scope.gone()
      const ids = scope.settled.map((outcome) => outcome.split(' ')[0])
      assert.equal(new Set(ids).size, ids.length)
      const allowed = scope.admitted.flat().filter((called) => called === 'open')
      assert.equal(ids.length, allowed.length)
    }),
    { numRuns: tries(3_000) },
  )
})

test('every request gets exactly one answer when the server answers or ends', () => {
  const request = fc.record({ method, params: fc.record({ name, uri: name }, optional) })
  fc.assert(
    fc.property(fc.array(request, { maxLength: 30 }), fc.boolean(), (requests, answers) => {
      const scope = new Scope(rules)
      const written: string[] = []
      requests.forEach((one, number) => {
        const { toServer, toClient } = scope.client({ jsonrpc: '2.0', id: number, ...one })
        written.push(...toClient)
        if (!answers) return
        for (const line of toServer)
          written.push(...scope.server({ jsonrpc: '2.0', id: JSON.parse(line).id, result: {} }).toClient)
      })
      written.push(...scope.gone().toClient)
      const ids = written.map((line) => JSON.parse(line).id).sort((a, b) => a - b)
      assert.deepEqual(
        ids,
        requests.map((_, number) => number),
      )
    }),
    { numRuns: tries(1_000) },
  )
})

test('a hidden tool is in no list that reaches the client', () => {
  fc.assert(
    fc.property(fc.constantFrom('tools/list', 'prompts/list'), fc.jsonValue(), tools, (list, extra, items) => {
      const scope = new Scope(rules)
      scope.client({ jsonrpc: '2.0', id: 1, method: list })
      const { toClient } = scope.server({ jsonrpc: '2.0', id: 1, result: { extra, tools: items, prompts: items } })
      const { result } = JSON.parse(toClient[0] ?? '')
      const shown = items.filter((item) => typeof item.name === 'string' && item.name !== 'hidden')
      assert.deepEqual(result, JSON.parse(JSON.stringify({ extra, tools: shown, prompts: shown })))
    }),
  )
})

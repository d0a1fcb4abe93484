import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { durationText, notFound, refusal, unknownMethod } from '../../src/mcp/refusal.ts'
import type { Decision } from '../../src/model/decision.ts'

const denied: Decision = {
  decision: 'deny',
  reason_code: 'DENIED_BY_RULE',
  rule: 'no-refunds',
  message: 'refunds are closed',
  decision_id: 'd1',
  revision: 'r7',
}
const call = { id: 5, method: 'tools/call', modern: false }

function answer(line: string) {
  return JSON.parse(line)
}

describe('a refused tool call', () => {
  test('is a tool result whose text says by itself that nothing happened', () => {
    assert.deepEqual(answer(refusal(call, denied)), {
      jsonrpc: '2.0',
      id: 5,
      result: {
        isError: true,
        content: [{ type: 'text', text: 'Blocked by policy: refunds are closed. Do not retry unchanged.' }],
        _meta: { 'dev.tollgate/decision': denied },
      },
    })
  })

  test('says that it is complete in the modern era alone', () => {
    assert.equal(answer(refusal({ ...call, modern: true }, denied)).result.resultType, 'complete')
  })

  test('says when to try again', () => {
    const limited = { ...denied, retry_after_ms: 41_001 }
    const { result } = answer(refusal(call, limited))
    assert.equal(result.content[0].text, 'Blocked by policy: refunds are closed. Try again in 42 s.')
    assert.equal(result._meta['dev.tollgate/decision'].retry_after_ms, 41_001)
  })

  test('says which approval it waits for', () => {
    const approval = { id: 'apr_9', expires_at: '2026-11-21T12:00:00.000Z' }
    const { result } = answer(refusal(call, { ...denied, decision: 'hold', approval }))
    assert.match(result.content[0].text, /^Waiting for approval apr_9: .*Nothing was done.*12:00/)
    assert.deepEqual(result._meta['dev.tollgate/decision'].approval, approval)
  })

  test('tells nothing of a decision but what is meant for the caller', () => {
    const layers = [{ name: 'secret', decision: 'deny', reason_code: 'RATE_LIMITED', rule: 'r' }] as const
    const decision: Decision = { ...denied, layers, conflicts: [] }
    assert.doesNotMatch(refusal(call, decision), /secret|conflicts/)
  })

  test('has no structured content, which v1 clients would check against the schema of the tool', () => {
    assert.equal(answer(refusal(call, denied)).result.structuredContent, undefined)
  })

  test('has no doubled full stop', () => {
    assert.match(refusal(call, { ...denied, message: 'no.' }), /policy: no\. Do/)
  })
})

test('other refused requests are errors with a code of our own and the decision', () => {
  const { error } = answer(refusal({ id: 'x', method: 'resources/read', modern: true }, denied))
  assert.equal(error.code, -31403)
  assert.equal(error.message, 'Blocked by policy: refunds are closed. Do not retry unchanged.')
  assert.deepEqual(error.data, { 'dev.tollgate/decision': denied })
})

test('what the caller may not know of answers as if it did not exist', () => {
  const modern = { id: 1, method: 'x', modern: true }
  const legacy = { id: 1, method: 'x', modern: false }
  const tool = { method: 'tools/call', name: 'get-env' } as const
  const resource = { method: 'resources/read', name: 'file:///etc/passwd' } as const
  const prompt = { method: 'prompts/get', name: 'p' } as const
  assert.deepEqual(answer(notFound(legacy, tool)).error, { code: -32602, message: 'Unknown tool: get-env' })
  assert.deepEqual(answer(notFound(modern, prompt)).error, { code: -32602, message: 'Unknown prompt: p' })
  assert.equal(answer(notFound(legacy, resource)).error.code, -32002)
  assert.deepEqual(answer(notFound(modern, resource)).error, {
    code: -32602,
    message: 'Resource not found: file:///etc/passwd',
  })
  assert.equal(answer(unknownMethod(legacy)).error.code, -32601)
})

test('a duration is rounded up', () => {
  const cases = [
    [1, '1 s'],
    [41_001, '42 s'],
    [119_000, '119 s'],
    [121_000, '3 min'],
    [7_200_000, '2 h'],
    [7_260_001, '2 h 2 min'],
  ] as const
  for (const [ms, text] of cases) assert.equal(durationText(ms), text)
})

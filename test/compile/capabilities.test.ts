import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { policyCapabilities } from '../../src/compile/capabilities.ts'
import { openCompiler } from '../../src/compile/compiler.ts'
import type { Modules } from '../../src/compile/request.ts'
import { evaluate } from './evaluate.ts'

const compiler = await openCompiler()
after(() => compiler.close())

const refused = {
  'http.send': 'http.send({"method": "get", "url": "http://localhost"})',
  'time.now_ns': 'time.now_ns()',
  'rand.intn': 'rand.intn("a", 3)',
  'opa.runtime': 'opa.runtime()',
  'uuid.rfc4122': 'uuid.rfc4122("a")',
  sprintf: 'sprintf("%v", [1])',
  trace: 'trace("a")',
  'net.lookup_ip_addr': 'net.lookup_ip_addr("localhost")',
  'io.jwt.decode': 'io.jwt.decode("a.b.c")',
  'crypto.sha256': 'crypto.sha256("a")',
  'regex.replace': 'regex.replace("a", "b", "c")',
  'semver.compare': 'semver.compare("1.0.0", "1.0.1")',
  'json.patch': 'json.patch({}, [])',
  re_match: 're_match("a", "a")',
}

const allowed = {
  'count(input.list)': 3,
  'concat(",", ["a", "b"])': 'a,b',
  'startswith(input.path, "/tmp/")': true,
  'glob.match("/tmp/*", ["/"], input.path)': true,
  'regex.match("^/t.p/", input.path)': true,
  '2 in input.list': true,
  'array.flatten([[1], [2]])': [1, 2],
  'object.get(input, "none", "other")': 'other',
  'bits.and(6, 3)': 2,
  'json.unmarshal("[1]")': [1],
  'base64.decode("YQ==")': 'a',
  'net.cidr_contains("10.0.0.0/8", "10.1.2.3")': true,
  '$"over {input.list[0]}"': 'over 1',
  'sum([m | some n in input.list; m := n * 2])': 12,
  'to_number("1.5") / 2': 0.75,
}

test('built-ins that depend on more than the input, or on the host, are refused by name', async () => {
  for (const [name, call] of Object.entries(refused)) {
    const [found, ...more] = await compiler.check({ modules: { 'a.rego': `package a\n\nx := ${call}\n` } })
    assert.deepEqual([found?.code, found?.row, found?.col, more], ['builtin_refused', 3, 6, []], name)
    assert.ok(found?.message.includes(`\`${name}\``), found?.message)
  }
})

test('capabilities that are undefined allow no more than none', async () => {
  const request = { modules: { 'a.rego': 'package a\n\nx := opa.runtime()\n' }, capabilities: undefined }
  assert.equal((await compiler.check(request as unknown as { modules: Modules })).length, 1)
})

test('print is refused where OPA would drop it without a word', async () => {
  const modules = { 'a.rego': 'package a\n\nx if {\n\tprint("a")\n\tinput.y\n}\n' }
  const [found] = await compiler.check({ modules })
  assert.deepEqual([found?.code, found?.row], ['builtin_refused', 4])
  await assert.rejects(compiler.build({ modules, entrypoints: ['a/x'] }), /`print` is refused/)
})

test('built-ins of the WebAssembly module are allowed and need nothing from the host', async () => {
  const input = { list: [1, 2, 3], path: '/tmp/x' }
  for (const [call, want] of Object.entries(allowed)) {
    const modules = { 'a.rego': `package a\n\nx := ${call}\n` }
    const { wasm } = await compiler.build({ modules, entrypoints: ['a/x'] })
    assert.deepEqual(await evaluate(wasm, input), [want], call)
    assert.deepEqual(await compiler.eval({ modules, query: 'data.a.x', input }), [want], call)
  }
})

test('a function that the policy defines under the name of a refused built-in is still refused as a call of it', async () => {
  const modules = { 'a.rego': 'package a\n\nx := time.now_ns() with time.now_ns as 1\n' }
  assert.notDeepEqual(await compiler.check({ modules }), [])
})

test('every built-in that the capabilities name is known to the pinned OPA and named once', async () => {
  const names = policyCapabilities.builtins.map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
  assert.deepEqual(await compiler.check({ modules: { 'a.rego': 'package a\n' } }), [])
})

test('a built-in that no OPA has is a bad request', async () => {
  const capabilities = { ...policyCapabilities, builtins: [{ name: 'no.such' }] }
  await assert.rejects(compiler.check({ modules: { 'a.rego': 'package a\n' }, capabilities }), {
    code: 'compiler_bad_request',
  })
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { callBytesMax, jsonDepthMax, nameCharsMax, objectKeysMax, uriCharsMax } from '../../src/model/limits.ts'
import type { Message, Unreadable } from '../../src/model/message/message.ts'
import { readMessage } from '../../src/model/message/read.ts'
import { serialise } from '../../src/model/message/serialise.ts'

function read(text: string | Uint8Array): Message {
  const answer = readMessage(Buffer.from(text))
  assert.ok(answer.ok, answer.ok ? '' : answer.message)
  return answer.message
}

function refuse(text: string | Uint8Array): Unreadable {
  const answer = readMessage(Buffer.from(text))
  assert.ok(!answer.ok, 'the message was accepted')
  return answer
}

function call(args: string): string {
  return `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"pay","arguments":${args}}}`
}

function request(method: string, params: string): string {
  return `{"jsonrpc":"2.0","id":"a","method":"${method}","params":${params}}`
}

describe('what is read', () => {
  test('a tool call is a request that acts', () => {
    const message = read(call('{"amount":12.5}'))
    assert.equal(message.kind, 'request')
    assert.deepEqual(message.kind === 'request' && message.act, {
      method: 'tools/call',
      name: 'pay',
      arguments: { amount: 12.5 },
    })
  })

  test('a call without arguments is judged with none', () => {
    const message = read(request('tools/call', '{"name":"pay"}'))
    assert.deepEqual(message.kind === 'request' && message.act?.arguments, {})
  })

  test('a subscription to a resource is judged as a read of it', () => {
    const message = read(request('resources/subscribe', '{"uri":"file:///a"}'))
    assert.deepEqual(message.kind === 'request' && message.act, {
      method: 'resources/read',
      name: 'file:///a',
      arguments: {},
      asked: 'resources/subscribe',
    })
  })

  test('a request that does not act, a notification and a response are told apart', () => {
    const ping = read('{"jsonrpc":"2.0","id":1.5,"method":"ping"}')
    assert.equal(ping.kind, 'request')
    assert.equal(ping.kind === 'request' && ping.act, undefined)
    assert.equal(read('{"jsonrpc":"2.0","method":"notifications/initialized"}').kind, 'notification')
    assert.equal(read('{"jsonrpc":"2.0","id":3,"result":{}}').kind, 'response')
    assert.equal(read('{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}').kind, 'response')
  })

  test('members named like parts of a prototype survive as data', () => {
    const text = call('{"__proto__":{"x":1},"constructor":2,"toString":"\\u0041"}')
    const line = serialise(read(text))
    assert.equal(line, text.replace('\\u0041', 'A'))
    const plain = call('{"__proto__":{"x":1},"constructor":2}')
    assert.equal(serialise(read(plain)), plain)
  })

  test('tools may be called like parts of a prototype', () => {
    for (const name of ['__proto__', 'constructor', 'hasOwnProperty']) {
      const message = read(request('tools/call', `{"name":"${name}"}`))
      assert.equal(message.kind === 'request' && message.act?.name, name)
    }
  })

  test('what goes on is minified and has one spelling', () => {
    const message = read(
      '  {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"a": "\\u00e9\\/", "n": 1.50e0}}\r\n',
    )
    assert.equal(serialise(message), '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"é/","n":1.5}}')
  })

  test('what goes on is one line to every reader, whatever its strings hold', () => {
    const said = 'a\u2028b\u2029c'
    for (const text of [JSON.stringify(said), '"a\\u2028b\\u2029c"']) {
      const line = serialise(read(call(`{"note":${text}}`)))
      assert.doesNotMatch(line, /[\u2028\u2029]/)
      assert.deepEqual(JSON.parse(line).params.arguments, { note: said })
    }
  })
})

describe('what has two readings', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['a key that stands twice', call('{"a":1,"b":2,"a":3}'), /`a` stands twice/],
    ['a key that stands twice, once escaped', call('{"a":1,"\\u0061":3}'), /`a` stands twice/],
    ['keys that differ by letter case', call('{"amount":1,"Amount":3}'), /letter case/],
    ['keys that differ by the Kelvin sign', call('{"key":1,"\u212aey":3}'), /letter case/],
    ['keys that differ by the long s, escaped', call('{"sum":1,"\\u017fum":3}'), /letter case/],
    ['a NUL in a key', call('{"a\\u0000":1}'), /NUL/],
    ['half of a surrogate pair', call('{"a":"x\\ud83d"}'), /surrogate/],
    ['the wrong half of a surrogate pair', call('{"a":"\\udc00\\ud83d"}'), /surrogate/],
    ['half of a surrogate pair in a key', call('{"\\ud83d":1}'), /surrogate/],
    ['half of a surrogate pair after an escaped quote', call('{"a":"\\"\\ud83d\\""}'), /surrogate/],
    ['a number beyond a double', call('{"a":1e400}'), /1e400/],
    ['a number that a double rounds', call('{"a":12345678901234567890}'), /12345678901234567890/],
    ['a number below a double', call('{"a":-1e-400}'), /-1e-400/],
    ['a number with digits that a double loses', call('{"a":0.12345678901234567890123}'), /does not fit/],
    ['a number of thousands of digits', call(`{"a":1${'0'.repeat(5_000)}1}`), /does not fit/],
    ['a name that stands twice', request('tools/call', '{"name":"a","name":"b"}'), /`name` stands twice/],
    ['another spelling of a known member', request('tools/call', '{"name":"a","Arguments":{}}'), /`Arguments`/],
    ['another spelling of the method', '{"jsonrpc":"2.0","id":1,"Method":"ping"}', /`Method`/],
  ]
  for (const [what, text, message] of cases) {
    test(`${what} is refused`, () => {
      const refused = refuse(text)
      assert.equal(refused.reason, 'MALFORMED_CALL')
      assert.match(refused.message, message)
    })
  }

  test('the request is still known when what is twice lies below', () => {
    assert.deepEqual(refuse(call('{"a":1,"a":2}')).id, 7)
    assert.deepEqual(refuse(call('{"a":1,"a":2}')).method, 'tools/call')
  })

  test('an id or a method that stands twice is not known', () => {
    const twice = refuse('{"jsonrpc":"2.0","id":1,"id":2,"method":"ping","Method":"pong"}')
    assert.equal(twice.id, undefined)
    assert.equal(twice.method, undefined)
  })

  test('an id that a double rounds is not known', () => {
    assert.equal(refuse('{"jsonrpc":"2.0","id":12345678901234567890,"method":"ping"}').id, undefined)
  })

  test('an answer to the server is known as one', () => {
    const refused = refuse('{"jsonrpc":"2.0","id":4,"result":{"a":1,"a":2}}')
    assert.equal(refused.response, true)
    assert.equal(refused.id, 4)
  })

  test('the same key in different objects, and equal values, have one reading', () => {
    read(
      call(
        '{"a":{"a":{"a":"a"}},"b":[{"a":1},{"a":1}],"c":"\\ud83d\\ude00\\n\\"","d":[0.1,-0,1e3,1.50,9007199254740992]}',
      ),
    )
  })
})

describe('what is no message', () => {
  const cases: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
    ['what is not JSON', 'hello', /not JSON: unexpected character at 0|not JSON/],
    ['half a message', '{"jsonrpc":"2.0"', /not JSON/],
    ['two messages in one line', '{"a":1} {"b":2}', /not JSON/],
    ['a byte order mark', Buffer.from('\ufeff{}'), /byte order mark/],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), /not UTF-8/],
    ['a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), /not UTF-8/],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', /batch/],
    ['a string', '"ping"', /object/],
    ['null', 'null', /object/],
    ['an empty object', '{}', /jsonrpc/],
    ['another version of JSON-RPC', '{"jsonrpc":"1.0","id":1,"method":"ping"}', /jsonrpc/],
    ['a version that is a number', '{"jsonrpc":2.0,"id":1,"method":"ping"}', /jsonrpc/],
    ['an id of null', '{"jsonrpc":"2.0","id":null,"method":"ping"}', /`id`/],
    ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"ping"}', /`id`/],
    ['an id that is true', '{"jsonrpc":"2.0","id":true,"result":{}}', /`id`/],
    ['a method that is a number', '{"jsonrpc":"2.0","id":1,"method":5}', /`method`/],
    ['a method of null', '{"jsonrpc":"2.0","id":1,"method":null}', /`method`/],
    ['an id that is long', `{"jsonrpc":"2.0","id":"${'i'.repeat(nameCharsMax + 1)}","method":"ping"}`, /`id` must be/],
    ['a method that is long', request('m'.repeat(nameCharsMax + 1), '{}'), /`method` is longer/],
    ['a request that is a response', '{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}', /not both/],
    ['neither request nor response', '{"jsonrpc":"2.0","id":1}', /`method`, a `result`/],
    ['params that are an array', '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', /`params`/],
    ['params of null', '{"jsonrpc":"2.0","id":1,"method":"ping","params":null}', /`params`/],
    ['a call without params', '{"jsonrpc":"2.0","id":1,"method":"tools/call"}', /`params.name`/],
    ['a call without a name', request('tools/call', '{"arguments":{}}'), /`params.name` must be a string/],
    ['a name that is a number', request('tools/call', '{"name":5}'), /`params.name` must be a string/],
    ['an empty name', request('tools/call', '{"name":""}'), /empty/],
    ['a name with a NUL', request('tools/call', '{"name":"a\\u0000"}'), /control character/],
    ['a name with a line end', request('prompts/get', '{"name":"a\\n"}'), /control character/],
    ['a name that is too long', request('tools/call', `{"name":"${'n'.repeat(nameCharsMax + 1)}"}`), /longer than/],
    ['arguments that are an array', call('[]'), /`params.arguments` must be an object/],
    ['arguments of null', call('null'), /`params.arguments` must be an object/],
    ['arguments that are a string', call('"{}"'), /`params.arguments` must be an object/],
    ['a resource without a URI', request('resources/read', '{"name":"a"}'), /`params.uri`/],
    ['a URI that is too long', request('resources/read', `{"uri":"a:${'u'.repeat(uriCharsMax)}"}`), /longer than/],
    ['a URI with a control character', request('resources/subscribe', '{"uri":"file:///\\u0007"}'), /control/],
    ['JSON that is too deep', call(`${'['.repeat(100)}${']'.repeat(100)}`), /deeper than/],
    ['an object of too many keys', call(manyKeys(4_000)), /keys/],
  ]
  for (const [what, text, message] of cases) {
    test(`${what} is refused`, () => {
      const refused = refuse(text)
      assert.equal(refused.reason, 'MALFORMED_CALL')
      assert.match(refused.message, message)
    })
  }

  test('what is said of it holds nothing that a terminal obeys', () => {
    const refused = refuse(request('tools/call', '{"name":"\\u001b[31m\\u202e"}'))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    assert.doesNotMatch(refused.message, /[\u0000-\u001f\u007f-\u009f\u202e]/)
  })

  test('the syntax error does not repeat the message', () => {
    assert.doesNotMatch(refuse('{"password":"hunter2",}').message, /hunter2/)
  })
})

describe('limits', () => {
  test('what is just within every limit is read', () => {
    const depth = jsonDepthMax - 3
    read(call(`{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`))
    read(call(manyKeys(objectKeysMax)))
    read(request('tools/call', `{"name":"${'n'.repeat(nameCharsMax)}"}`))
    const room = callBytesMax - call('{"a":""}').length
    read(call(`{"a":"${'x'.repeat(room)}"}`))
  })

  test('one more of each is refused', () => {
    refuse(call(`{"a":${'['.repeat(jsonDepthMax - 2)}${']'.repeat(jsonDepthMax - 2)}}`))
    refuse(call(manyKeys(objectKeysMax + 1)))
  })

  test('a call that is too large is still known by its id', () => {
    const text = call(`{"a":"${'x"{'.replaceAll('"', '\\"').repeat(3_000_000)}"}`)
    const refused = refuse(text)
    assert.equal(refused.reason, 'CALL_TOO_LARGE')
    assert.equal(refused.id, 7)
    assert.equal(refused.method, 'tools/call')
  })

  test('the id of a call that is too large may stand behind it and be no ASCII', () => {
    const text = `{"method":"ping","params":{"a":"${'é'.repeat(callBytesMax / 2)}","id":1},"id":"naïve"}`
    assert.equal(refuse(text).id, 'naïve')
  })

  test('an id that stands twice in a call that is too large is not known', () => {
    assert.equal(refuse(`{"id":1,"a":"${'x'.repeat(callBytesMax)}","\\u0069d":2}`).id, undefined)
  })

  test('what is large and no JSON is refused as well', () => {
    assert.equal(refuse('{'.repeat(callBytesMax + 1)).reason, 'CALL_TOO_LARGE')
    assert.equal(refuse('"'.repeat(callBytesMax + 1)).reason, 'CALL_TOO_LARGE')
  })
})

function manyKeys(count: number): string {
  return `{${Array.from({ length: count }, (_, i) => `"k${i}":${i}`).join(',')}}`
}

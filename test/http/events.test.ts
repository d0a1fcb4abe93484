/** Server-sent events: read alike however they arrive, written so that every reader finds the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventSplitter, eventText, withoutMessage } from '../../src/http/events.ts'
import { fc } from '../random.ts'

function read(text: string | Buffer, sizes: readonly number[] = []): [string | undefined, ...string[]][] {
  const bytes = Buffer.from(text as string)
  const splitter = new EventSplitter(100_000)
  const events = []
  let at = 0
  for (const size of sizes) {
    events.push(...splitter.push(bytes.subarray(at, at + size)))
    at += size
  }
  events.push(...splitter.push(bytes.subarray(at)))
  return events.map(({ data, fields }) => [data?.toString(), ...fields])
}

const cases: readonly [string, string, [string | undefined, ...string[]][]][] = [
  ['one event', 'data: {}\n\n', [['{}']]],
  ['no space after the colon', 'data:{}\n\n', [['{}']]],
  ['only the first space goes', 'data:  {}\n\n', [[' {}']]],
  ['other line ends', 'data: a\r\n\r\ndata: b\r\rdata: c\n\n', [['a'], ['b'], ['c']]],
  ['several lines of data', 'data: {\ndata: }\n\n', [['{\n}']]],
  [
    'id, event and retry',
    'id: 7\nevent: message\nretry: 10\ndata: x\n\n',
    [['x', 'id: 7', 'event: message', 'retry: 10']],
  ],
  ['a comment', ': ping\n\n', [[undefined, ': ping']]],
  ['a field that nobody knows', 'foo: bar\ndata: x\n\n', [['x']]],
  ['a field whose name only begins like ours', 'dataX: bar\n\n', []],
  ['a line without a colon', 'data\n\n', [['']]],
  ['a byte order mark', '\ufeffdata: x\n\n', [['x']]],
  ['empty lines alone', '\n\n\r\n', []],
  ['an event that never ends', 'data: x\n', []],
]

for (const [name, text, events] of cases) test(name, () => assert.deepEqual(read(text), events))

test('where the stream is cut makes no difference', () => {
  const parts = fc.constantFrom('data: é', 'id: 1', ': c', 'event: message', '\n', '\r', '\r\n', '\n\n', 'data', 'x:y')
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 20 }), fc.array(fc.nat(9), { maxLength: 30 }), (texts, sizes) => {
      const text = texts.join('')
      assert.deepEqual(read(text, sizes), read(text))
    }),
  )
})

test('what is written is read as the same', () => {
  const line = fc.json().map((text) => text.replaceAll(/[\r\n]/g, ' '))
  const fields = fc.subarray(['id: 1', 'event: message', 'retry: 5', ': c'])
  fc.assert(
    fc.property(line, fields, (data, given) => {
      assert.deepEqual(read(eventText(given, data)), [[data.trimEnd() === '' ? '' : data, ...given]])
    }),
  )
  assert.deepEqual(read(eventText(['id: 1'], undefined)), [['', 'id: 1']])
  assert.deepEqual(read(eventText([': c'], undefined)), [[undefined, ': c']])
  assert.deepEqual(read(eventText([], Buffer.from('{\n}\n'))), [['{\n}']])
})

test('an event that is too long ends the reading', () => {
  const splitter = new EventSplitter(1_000)
  splitter.push(Buffer.from('data: x\n'.repeat(100)))
  assert.throws(() => splitter.push(Buffer.from('data: x\n'.repeat(100))), /larger than 1000 bytes/)
})

test('of a dropped event its place in the stream is left', () => {
  assert.deepEqual(withoutMessage({ data: undefined, fields: ['id: 1', 'event: message', 'retry: 5'] }), [
    'id: 1',
    'retry: 5',
  ])
})

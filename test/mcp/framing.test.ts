import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Frame, LineSplitter, piecesOf, tooLong } from '../../src/mcp/framing.ts'
import { fc } from '../random.ts'

function split(chunks: readonly (string | Uint8Array)[], bytesMax = 1_000): readonly string[] {
  const splitter = new LineSplitter(bytesMax)
  const frames: Frame[] = chunks.flatMap((chunk) => [...splitter.push(Buffer.from(chunk))])
  return [...frames, ...splitter.end()].map((frame) => (frame === tooLong ? 'TOO LONG' : frame.toString()))
}

test('a chunk gives all the lines it completes at once, each with its line end', () => {
  const splitter = new LineSplitter(100)
  assert.deepEqual(splitter.push(Buffer.from('a\nb\r\nc')).map(String), ['a\n', 'b\r\n'])
  assert.deepEqual(splitter.push(Buffer.from('d')).map(String), [])
  assert.deepEqual(splitter.push(Buffer.from('\ne')).map(String), ['cd\n'])
  assert.deepEqual(splitter.end().map(String), ['e\n'])
  assert.deepEqual(splitter.end(), [])
})

test('empty lines are left out', () => {
  assert.deepEqual(split(['\n\r\n', '\r', '\n', 'a\n', '\n']), ['a\n'])
})

test('a line over the limit is gone, the next one is not', () => {
  assert.deepEqual(split(['12345678\nabc\n'], 4), ['TOO LONG', 'abc\n'])
  assert.deepEqual(split(['12', '345', '678', '\nabc', '\n'], 4), ['TOO LONG', 'abc\n'])
  assert.deepEqual(split(['abc\n'], 4), ['abc\n'])
  assert.deepEqual(split(['123456'], 4), ['TOO LONG'])
})

test('however a stream is cut, its lines are the same', () => {
  const line = fc.oneof(fc.string({ maxLength: 30 }), fc.constantFrom('', '\r', 'é😀', 'x'.repeat(50)))
  fc.assert(
    fc.property(
      fc.array(line),
      fc.array(fc.nat(300), { maxLength: 30 }),
      fc.integer({ min: 2, max: 60 }),
      (lines, cuts, max) => {
        const bytes = Buffer.from(lines.map((one) => `${one.replaceAll('\n', '')}\n`).join(''))
        const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
        const chunks = places.slice(1).map((end, i) => bytes.subarray(places[i], end))
        assert.deepEqual(split(chunks, max), split([bytes], max))
      },
    ),
    { numRuns: 2_000 },
  )
})

test('a line that arrives byte by byte costs no more memory than twice its length', () => {
  const splitter = new LineSplitter(1 << 20)
  const before = process.memoryUsage().arrayBuffers
  const one = Buffer.from('x')
  for (let i = 0; i < 1 << 20; i++) splitter.push(one)
  assert.ok(process.memoryUsage().arrayBuffers - before < 8 << 20)
  assert.equal(splitter.push(Buffer.from('\n'))[0] as symbol, tooLong)
})

test('a line that was kept does not change when the next one arrives', () => {
  const splitter = new LineSplitter(100)
  splitter.push(Buffer.from('fir'))
  const [first] = splitter.push(Buffer.from('st\nsec'))
  const [second] = splitter.push(Buffer.from('ond\n'))
  assert.equal(String(first), 'first\n')
  assert.equal(String(second), 'second\n')
})

test('lines that arrived together are written as one piece, in order, without a copy', () => {
  const chunk = Buffer.from('a\nb\nc\n')
  const [a, b, c] = new LineSplitter(100).push(chunk) as Buffer[]
  assert.ok(a && b && c)
  const pieces = piecesOf([a, b, '{"x":1}', '{"y":2}', c])
  assert.deepEqual(pieces.map(String), ['a\nb\n', '{"x":1}\n{"y":2}\n', 'c\n'])
  assert.equal((pieces[0] as Buffer).buffer, chunk.buffer)
  assert.deepEqual(piecesOf([a, c]).map(String), ['a\n', 'c\n'])
  assert.deepEqual(piecesOf([]), [])
})

/**
 * Every combination of what readers say of one text, each with the shortest text that shows it. The walk goes through all
 * states that the readers can be in together, so what it does not find does not exist, unless it says that it gave up.
 */
import { type Reader, Walked } from './reader.ts'

export interface WalkOptions {
  /** States after which it gives up. */
  readonly statesMax: number
  /** Names: not empty, without control characters. Else any text. */
  readonly names?: true
  readonly expired: () => boolean
}

export interface TextsFound {
  readonly texts: readonly string[]
  readonly complete: boolean
}

export function walkTexts(readers: readonly Reader<never>[], { statesMax, names, expired }: WalkOptions): TextsFound {
  const walked = readers.map((reader) => new Walked(reader))
  const alphabet = alphabetOf(
    walked.flatMap(({ edges }) => edges),
    names === true,
  )
  const found = new Map<string, string>()
  const visit = (states: readonly number[], text: string) => {
    const marks = JSON.stringify(walked.map((one, index) => one.marks(states[index] as number)))
    // A text that is not empty shows more, where both show the same.
    const before = found.get(marks)
    if ((before === undefined || before === '') && !(names && text === '')) found.set(marks, text)
  }
  const start = walked.map(() => 0)
  const queue = [{ states: start, text: '' }]
  const known = new Set([start.join()])
  visit(start, '')
  for (const { states, text } of queue) {
    if (known.size > statesMax || expired()) return { texts: [...found.values()], complete: false }
    for (const code of alphabet) {
      const next = walked.map((one, index) => one.step(states[index] as number, code))
      const key = next.join()
      const isNew = !known.has(key)
      if (!isNew && text !== '') continue
      const longer = text + String.fromCodePoint(code)
      visit(next, longer)
      if (!isNew) continue
      known.add(key)
      queue.push({ states: next, text: longer })
    }
  }
  return { texts: [...found.values()], complete: true }
}

const plain = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./: '

/** One character of each span that is told apart, those first that are read best. */
function alphabetOf(edges: readonly number[], names: boolean): readonly number[] {
  // Surrogates are no characters; those of control are none of a name.
  const fixed = [0, 0x20, 0x7f, 0xa0, 0xd800, 0xe000, 0x110000]
  const sorted = [...new Set([...edges, ...fixed])]
    .filter((edge) => edge >= 0 && edge <= 0x110000)
    .sort((a, b) => a - b)
  const spans = sorted.slice(0, -1).map((from, index) => ({ from, to: (sorted[index + 1] as number) - 1 }))
  return spans
    .filter(({ from }) => from < 0xd800 || from >= 0xe000)
    .filter(({ from }) => !names || (from >= 0x20 && (from < 0x7f || from >= 0xa0)))
    .map(bestIn)
    .sort((a, b) => rank(a) - rank(b) || a - b)
}

function bestIn({ from, to }: { readonly from: number; readonly to: number }): number {
  for (const char of plain) {
    const code = char.charCodeAt(0)
    if (from <= code && code <= to) return code
  }
  for (let code = from; code <= Math.min(to, from + 64); code++)
    if (/[\p{L}\p{N}\p{P}\p{S}]/u.test(String.fromCodePoint(code))) return code
  return from
}

function rank(code: number): number {
  const place = code < 0x80 ? plain.indexOf(String.fromCharCode(code)) : -1
  if (place >= 0) return place
  return code < 0x20 ? 300 : code < 0x7f ? 100 : 200
}

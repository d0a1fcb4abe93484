/** What is told of a text by its length, its place in the order of texts, and the characters it is made of. */
import { codeOf } from '../../model/fnmatch.ts'
import type { Reader } from './reader.ts'

/** Which of the lengths the text has reached, in code points or (as JavaScript counts) in halves of surrogate pairs. */
export function lengthReader(lengths: readonly number[], unit: 'points' | 'halves'): Reader<number> {
  const last = Math.max(0, ...lengths)
  return {
    start: 0,
    step: (length, code) => Math.min(last, length + (unit === 'halves' && code > 0xffff ? 2 : 1)),
    key: String,
    marks: (length) => String(lengths.filter((one) => length >= one).length),
    edges: unit === 'halves' ? [0x10000] : [],
  }
}

/** Whether the text stands before, at or after another one, by code points. A state is how far the two are the same. */
export function orderReader(text: string): Reader<number | 'before' | 'after'> {
  const codes = [...text].map(codeOf)
  return {
    start: 0,
    step(state, code) {
      if (typeof state === 'string') return state
      const other = codes[state]
      if (other === undefined || code > other) return 'after'
      return code < other ? 'before' : state + 1
    },
    key: String,
    marks: (state) => (typeof state === 'string' ? state : state < codes.length ? 'before' : 'at'),
    edges: codes.flatMap((code) => [code, code + 1]),
  }
}

export const asciiReader: Reader<boolean> = {
  start: true,
  step: (ascii, code) => ascii && code < 0x80,
  key: String,
  marks: String,
  edges: [0x80],
}

/**
 * Regular expressions as readers: the program that RE2JS makes of one, which is what the reference evaluator runs, walked
 * as a set of places at once.
 */
import { RE2JS } from 're2js'
import type { Reader } from './reader.ts'

/** Of RE2's program; the numbers are its own (`Inst` and `Utils` of RE2JS). */
interface Inst {
  readonly op: number
  readonly out: number
  readonly arg: number
  readonly runes: ArrayLike<number>
  matchRune(code: number): boolean
}

const op = {
  alt: 1,
  altMatch: 2,
  capture: 3,
  empty: 4,
  fail: 5,
  match: 6,
  nop: 7,
  rune: 8,
  rune1: 9,
  any: 10,
  line: 11,
}
const foldCase = 1
const at = { lineStart: 1, lineEnd: 2, textStart: 4, textEnd: 8, boundary: 16, noBoundary: 32 } as const

/** What stood before: nothing, a line feed, a character of a word, or another one. */
type Before = 'start' | 'feed' | 'word' | 'other'

interface State {
  /** Where the program stands, before it is known what comes next. */
  readonly places: readonly number[]
  readonly before: Before
  /** A search has found. */
  readonly found: boolean
}

/** `whole`: it must match the whole text; else somewhere in it. Undefined for a program of a kind that is not known here. */
export function patternReader(pattern: string, whole: boolean): Reader<State> | undefined {
  const prog = RE2JS.compile(pattern).re2().prog as { readonly inst?: readonly Inst[]; readonly start?: number }
  const { inst, start } = prog
  if (!Array.isArray(inst) || typeof start !== 'number' || !inst.every(isKnown)) return undefined
  const looksAround = inst.some((one) => one.op === op.empty)
  const beginning: State = { places: [start], before: 'start', found: false }
  const reached = (state: State, next: number | undefined) => closure(inst, state, next)
  return {
    start: beginning,
    step(state, code) {
      if (state.found) return state
      const { runes, matched } = reached(state, code)
      if (!whole && matched) return { places: [], before: 'start', found: true }
      const places = new Set(
        runes.filter((one) => takes(inst[one] as Inst, code)).map((one) => (inst[one] as Inst).out),
      )
      if (!whole) places.add(start)
      const before = !looksAround ? 'other' : code === 10 ? 'feed' : isWord(code) ? 'word' : 'other'
      return { places: [...places].sort((a, b) => a - b), before, found: false }
    },
    key: ({ places, before, found }) => (found ? 'found' : `${before} ${places.join()}`),
    marks: (state) => String(state.found || reached(state, undefined).matched),
    edges: [...inst.flatMap(edgesOf), ...(looksAround ? [10, 11, ...wordEdges] : [])],
  }
}

function isKnown({ op: kind, matchRune }: Inst): boolean {
  return kind >= op.alt && kind <= op.line && typeof matchRune === 'function'
}

/** All places that are reached without a character, and whether one of them is a match. */
function closure(inst: readonly Inst[], { places, before }: State, next: number | undefined) {
  const holds = holding(before, next)
  const seen = new Set<number>()
  const runes: number[] = []
  let matched = false
  const follow = [...places]
  for (let place = follow.pop(); place !== undefined; place = follow.pop()) {
    if (seen.has(place)) continue
    seen.add(place)
    const { op: kind, out, arg } = inst[place] as Inst
    if (kind === op.match) matched = true
    else if (kind === op.alt || kind === op.altMatch) follow.push(out, arg)
    else if (kind === op.capture || kind === op.nop) follow.push(out)
    else if (kind === op.empty) {
      if ((arg & ~holds) === 0) follow.push(out)
    } else if (kind !== op.fail) runes.push(place)
  }
  return { runes, matched }
}

/** Which of the things that RE2 asks between two characters hold here. */
function holding(before: Before, next: number | undefined): number {
  const starts = before === 'start' ? at.textStart | at.lineStart : before === 'feed' ? at.lineStart : 0
  const ends = next === undefined ? at.textEnd | at.lineEnd : next === 10 ? at.lineEnd : 0
  const isBoundary = (before === 'word') !== (next !== undefined && isWord(next))
  return starts | ends | (isBoundary ? at.boundary : at.noBoundary)
}

function takes(inst: Inst, code: number): boolean {
  return inst.op === op.any || (inst.op === op.line ? code !== 10 : inst.matchRune(code))
}

const wordEdges = ['0', ':', 'A', '[', '_', '`', 'a', '{'].map((char) => char.charCodeAt(0))

function isWord(code: number): boolean {
  return code < 0x80 && /\w/.test(String.fromCharCode(code))
}

function edgesOf(inst: Inst): readonly number[] {
  if (inst.op === op.line) return [10, 11]
  if (inst.op !== op.rune && inst.op !== op.rune1) return []
  const runes = Array.from(inst.runes)
  if (runes.length === 1) {
    const rune = runes[0] as number
    return (inst.arg & foldCase) === 0 ? [rune, rune + 1] : foldedEdges(rune, inst)
  }
  return runes.map((rune, index) => (index % 2 === 0 ? rune : rune + 1))
}

const folded = new Map<number, readonly number[]>()

/** All spellings of a letter. No letter beyond the second plane has two. */
function foldedEdges(rune: number, inst: Inst): readonly number[] {
  const known = folded.get(rune)
  if (known) return known
  const edges: number[] = []
  for (let code = 0; code < 0x20000; code++) if (inst.matchRune(code)) edges.push(code, code + 1)
  folded.set(rune, edges)
  return edges
}

/** Text in what a server says that a person does not see and a model reads: where it stands, and what it is made of. */
import { codePointName } from './codePoints.ts'
import { isObject } from './fields.ts'
import { definitionDepthMax, hiddenCodePointsMax, hiddenPlacesMax, hiddenSpeltCharsMax } from './limits.ts'
import { called, isPlain, oneLine, shortened, unseen } from './visible.ts'

export type HiddenKind = (typeof hiddenKinds)[number]

export const hiddenKinds = [
  'terminal_escape',
  'control',
  'direction',
  'variation_selector',
  'tag',
  'zero_width',
  'html_comment',
  'white_space',
  'too_deep',
] as const

export interface Hidden {
  /** Keys from the root downwards, with dots between them: `inputSchema.properties.path.description`. */
  readonly path: string
  readonly kind: HiddenKind
  /** The first of them, in UTF-16 units from 1. */
  readonly at: number
  /** Of characters; of comments. */
  readonly count: number
  /** The first of them, each once: `U+200B ZERO WIDTH SPACE`. */
  readonly code_points: readonly string[]
  /** What they come to, where that is text. */
  readonly spells?: string
}

/** What characters are hidden with. Each is of the first kind that it fits. */
const signs: readonly (readonly [HiddenKind, RegExp])[] = [
  ['control', /\p{Cc}/v],
  ['direction', /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/v],
  ['variation_selector', /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/v],
  ['tag', /[\u{e0000}-\u{e0fff}]/v],
  ['zero_width', /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/v],
]

/** In every text and every key of a value. */
export function hiddenIn(value: unknown): readonly Hidden[] {
  const found: Hidden[] = []
  walk(value, [], found)
  return found.slice(0, hiddenPlacesMax)
}

function walk(value: unknown, path: readonly string[], found: Hidden[]): void {
  if (found.length >= hiddenPlacesMax) return
  if (typeof value === 'string') found.push(...hiddenInText(value, path.join('.')))
  if (typeof value !== 'object' || value === null) return
  if (path.length > definitionDepthMax) {
    found.push({ path: path.join('.'), kind: 'too_deep', at: 1, count: 1, code_points: [] })
    return
  }
  const entries = Object.entries(value)
  for (const [key, member] of entries) {
    const own = [...path, key]
    if (isObject(value)) found.push(...hiddenInText(key, own.join('.')))
    walk(member, own, found)
  }
}

function hiddenInText(text: string, path: string): readonly Hidden[] {
  const byKind = new Map<HiddenKind, { readonly at: number; readonly chars: string[] }>()
  for (const { 0: char, index } of text.matchAll(unseen)) {
    if (isPlain(char, index, text)) continue
    const kind = kindOf(char)
    const known = byKind.get(kind)
    if (known) known.chars.push(char)
    else byKind.set(kind, { at: index + 1, chars: [char] })
  }
  const chars = [...byKind].map(([kind, { at, chars }]): Hidden => {
    const spells = speltBy(kind, chars)
    const names = [...new Set(chars)].slice(0, hiddenCodePointsMax).map(codePointName)
    return { path, kind, at, count: chars.length, code_points: names, ...(spells && { spells }) }
  })
  return [...chars, ...commentsIn(text, path), ...blanksIn(text, path)]
}

function kindOf(char: string): HiddenKind {
  if (char === '\u001b' || char === '\u009b') return 'terminal_escape'
  return signs.find(([, sign]) => sign.test(char))?.[0] ?? 'zero_width'
}

/** Tag characters are ASCII moved up; variation selectors have 256 values, as bytes do. */
function speltBy(kind: HiddenKind, chars: readonly string[]): string | undefined {
  const codes = chars.map((char) => char.codePointAt(0) as number)
  const bytes =
    kind === 'tag' ? codes.map((code) => code - 0xe0000) : kind === 'variation_selector' ? codes.map(selected) : []
  const text = new TextDecoder().decode(Uint8Array.from(bytes.filter((byte) => byte < 256)))
  const shown = /[ -~]{3}/.test(text) ? text.replace(/\p{C}/gu, '') : ''
  return shown === '' ? undefined : shortened(oneLine(shown), hiddenSpeltCharsMax)
}

function selected(code: number): number {
  return code >= 0xe0100 ? code - 0xe0100 + 16 : code - 0xfe00
}

/** Whoever renders Markdown does not show them. */
function commentsIn(text: string, path: string): readonly Hidden[] {
  const [first, ...others] = [...text.matchAll(/<!--[\s\S]*?(?:-->|$)/g)]
  if (!first) return []
  const spells = shortened(oneLine(first[0].replace(/^<!--|-->$/g, '')), hiddenSpeltCharsMax)
  const count = 1 + others.length
  return [{ path, kind: 'html_comment', at: first.index + 1, count, code_points: [], spells }]
}

/** What stands behind so much of nothing stands where nobody scrolls. */
const blanks = /[ \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]{60}|(?:\r?\n[ \t]*){12}/

function blanksIn(text: string, path: string): readonly Hidden[] {
  const run = blanks.exec(text)
  if (!run) return []
  const count = /^\s*/.exec(text.slice(run.index))?.[0].length ?? 0
  return [{ path, kind: 'white_space', at: run.index + 1, count, code_points: [] }]
}

const nouns: Readonly<Record<HiddenKind, readonly [one: string, many: string]>> = {
  terminal_escape: ['terminal escape', 'terminal escapes'],
  control: ['control character', 'control characters'],
  direction: ['direction control', 'direction controls'],
  variation_selector: ['variation selector', 'variation selectors'],
  tag: ['tag character', 'tag characters'],
  zero_width: ['zero-width character', 'zero-width characters'],
  html_comment: ['HTML comment', 'HTML comments'],
  white_space: ['character of white space in a row', 'characters of white space in a row'],
  too_deep: ['part nested too deep to be searched', 'parts nested too deep to be searched'],
}

/** `2 zero-width characters (U+200B ZERO WIDTH SPACE) in `description`, from character 7 on`. */
export function hiddenSentence({ path, kind, at, count, code_points, spells }: Hidden): string {
  const [one, many] = nouns[kind]
  const names = code_points.length === 0 ? '' : ` (${code_points.join(', ')})`
  const where = path === '' ? '' : ` in ${called(path)}`
  const from = kind === 'too_deep' ? '' : `, from character ${at} on`
  const says = spells === undefined ? '' : `: \`${spells.replaceAll('`', "'")}\``
  return `${count} ${count === 1 ? one : many}${names}${where}${from}${says}`
}

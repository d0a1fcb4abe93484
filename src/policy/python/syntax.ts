/**
 * Regular expressions as Python's `re` (3.11) reads them, as a tree. What Python itself refuses, and what no tree of ours
 * has a word for, is a `PatternFault`.
 */

export interface Flags {
  /** Letters match in either case. */
  readonly i: boolean
  /** `^` and `$` match at lines. */
  readonly m: boolean
  /** `.` matches a line break. */
  readonly s: boolean
  /** Classes know ASCII alone. */
  readonly a: boolean
}

export type ClassLetter = 'd' | 'D' | 's' | 'S' | 'w' | 'W'

export type SetItem =
  | { readonly kind: 'range'; readonly from: number; readonly to: number }
  | { readonly kind: 'class'; readonly letter: ClassLetter }

export type Tree =
  | { readonly kind: 'char'; readonly code: number; readonly flags: Flags }
  | { readonly kind: 'any'; readonly flags: Flags }
  | { readonly kind: 'set'; readonly negated: boolean; readonly items: readonly SetItem[]; readonly flags: Flags }
  | { readonly kind: 'assert'; readonly at: '^' | '$' | 'A' | 'Z' | 'b'; readonly flags: Flags }
  | { readonly kind: 'seq'; readonly items: readonly Tree[] }
  | { readonly kind: 'choice'; readonly of: readonly Tree[] }
  | { readonly kind: 'repeat'; readonly of: Tree; readonly min: number; readonly max: number | undefined }

/** Why a pattern cannot be honoured, to follow its name. */
export class PatternFault extends Error {}

export function parsePattern(pattern: string): Tree {
  return new PatternReader(pattern).read()
}

class PatternReader {
  readonly #chars: readonly string[]
  #at = 0

  constructor(pattern: string) {
    this.#chars = [...pattern]
  }

  read(): Tree {
    const tree = this.#choice(this.#globalFlags())
    if (this.#at < this.#chars.length) throw invalid('a `)` closes nothing')
    return tree
  }

  #globalFlags(): Flags {
    const none = { i: false, m: false, s: false, a: false }
    const [whole, letters] = /^\(\?([A-Za-z]+)\)/.exec(this.#chars.join('')) ?? []
    if (whole === undefined) return none
    this.#at = whole.length
    return withFlags(none, letters as string)
  }

  #choice(flags: Flags): Tree {
    const of = [this.#sequence(flags)]
    while (this.#take('|')) of.push(this.#sequence(flags))
    return of.length === 1 ? (of[0] as Tree) : { kind: 'choice', of }
  }

  #sequence(flags: Flags): Tree {
    const items: Tree[] = []
    while (this.#at < this.#chars.length && this.#peek() !== '|' && this.#peek() !== ')') {
      const item = this.#atom(flags)
      if (item) items.push(this.#repeated(item))
    }
    return { kind: 'seq', items }
  }

  /** Undefined for a comment. */
  #atom(flags: Flags): Tree | undefined {
    const char = this.#next()
    switch (char) {
      case '.':
        return { kind: 'any', flags }
      case '^':
      case '$':
        return { kind: 'assert', at: char, flags }
      case '(':
        return this.#group(flags)
      case '[':
        return this.#set(flags)
      case '\\':
        return this.#escape(flags)
      case '*':
      case '+':
      case '?':
        throw invalid(`the \`${char}\` repeats nothing`)
    }
    return { kind: 'char', code: codeOf(char), flags }
  }

  #repeated(item: Tree): Tree {
    const bounds = this.#bounds()
    if (!bounds) return item
    if (item.kind === 'assert') throw invalid('a `*`, `+`, `?` or `{` repeats nothing')
    if (this.#take('+')) throw foreign('a possessive repetition')
    this.#take('?') // lazy: the same texts match
    if (this.#bounds()) throw invalid('a repetition is repeated')
    return { kind: 'repeat', of: item, ...bounds }
  }

  /** Braces that bound nothing are characters. */
  #bounds(): { min: number; max: number | undefined } | undefined {
    if (this.#take('*')) return { min: 0, max: undefined }
    if (this.#take('+')) return { min: 1, max: undefined }
    if (this.#take('?')) return { min: 0, max: 1 }
    const rest = this.#peek() === '{' ? this.#chars.slice(this.#at, this.#at + 24).join('') : ''
    const [whole, low = '', comma, high = ''] = /^\{([0-9]*)(,?)([0-9]*)\}/.exec(rest) ?? []
    if (whole === undefined || whole === '{}') return undefined
    this.#at += whole.length
    const min = Number(low)
    const max = comma === '' ? min : high === '' ? undefined : Number(high)
    if (max !== undefined && max < min) throw invalid(`${mark(whole)} has its bounds the wrong way round`)
    return { min, max }
  }

  #group(flags: Flags): Tree | undefined {
    if (!this.#take('?')) return this.#closed(flags)
    const rest = this.#chars.slice(this.#at).join('')
    if (rest.startsWith('#')) return this.#comment()
    refuseForeign(rest)
    const named = /^P<[\p{L}_][\p{L}\p{N}_]*>/u.exec(rest)?.[0]
    if (named !== undefined) {
      this.#at += [...named].length
      return this.#closed(flags)
    }
    const [scoped, on, minus, off] = /^([A-Za-z]*)(-?)([A-Za-z]*):/.exec(rest) ?? []
    if (scoped === undefined) {
      if (/^[aiLmsux]+\)/.test(rest)) throw invalid('flags for the whole pattern stand at its start')
      throw invalid(`Python has no ${mark(`(?${[...rest].slice(0, 2).join('')}`)}`)
    }
    if (minus !== '' && off === '') throw invalid('a flag is missing after the `-`')
    this.#at += scoped.length
    return this.#closed(withoutFlags(withFlags(flags, on as string), off as string))
  }

  #closed(flags: Flags): Tree {
    const tree = this.#choice(flags)
    if (!this.#take(')')) throw invalid('a `(` is not closed')
    return { kind: 'seq', items: [tree] }
  }

  #comment(): undefined {
    const end = this.#chars.indexOf(')', this.#at)
    if (end === -1) throw invalid('a comment is not closed')
    this.#at = end + 1
  }

  #set(flags: Flags): Tree {
    const negated = this.#take('^')
    const items: SetItem[] = []
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      const from = this.#setItem(flags)
      if (this.#peek() !== '-' || this.#chars[this.#at + 1] === ']') {
        items.push(from)
        continue
      }
      this.#next()
      const to = this.#setItem(flags)
      if (from.kind === 'class' || to.kind === 'class' || to.from < from.from)
        throw invalid('a set has a range that is none')
      items.push({ kind: 'range', from: from.from, to: to.from })
    }
    this.#next()
    return { kind: 'set', negated, items, flags }
  }

  #setItem(flags: Flags): SetItem {
    if (this.#at >= this.#chars.length) throw invalid('a `[` is not closed')
    const char = this.#next()
    if (char !== '\\') return single(codeOf(char))
    if (this.#take('b')) return single(8)
    const read = this.#escape(flags, true)
    if (read.kind === 'set') return read.items[0] as SetItem
    if (read.kind !== 'char') throw invalid('a set has an escape that is no character')
    return single(read.code)
  }

  #escape(flags: Flags, inSet = false): Tree {
    if (this.#at >= this.#chars.length) throw invalid('it ends in a backslash')
    const char = this.#next()
    if (/[dDsSwW]/.test(char))
      return { kind: 'set', negated: false, items: [{ kind: 'class', letter: char as ClassLetter }], flags }
    if (char === 'B') throw foreign('`\\B`')
    if (!inSet && (char === 'A' || char === 'Z' || char === 'b')) return { kind: 'assert', at: char, flags }
    return { kind: 'char', code: /[0-9]/.test(char) ? this.#octal(char, inSet) : this.#escaped(char), flags }
  }

  #octal(first: string, inSet: boolean): number {
    const rest = this.#chars.slice(this.#at, this.#at + 2).join('')
    const [more = ''] = (first === '0' || inSet ? /^[0-7]{0,2}/ : /^[0-7]{2}/).exec(rest) ?? []
    const octal = first === '0' || (/[0-7]/.test(first) && (inSet || more.length === 2))
    if (!octal) throw foreign(`a backreference ${mark(`\\${first}`)}`)
    this.#at += more.length
    const code = Number.parseInt(first + more, 8)
    if (code > 0o377) throw invalid(`${mark(`\\${first}${more}`)} is no character`)
    return code
  }

  #escaped(char: string): number {
    const control = 'afnrtv'.indexOf(char)
    if (control !== -1) return [7, 12, 10, 13, 9, 11][control] as number
    const length = { x: 2, u: 4, U: 8 }[char]
    if (length !== undefined) return this.#hexadecimal(char, length)
    if (char === 'N') throw foreign('a character by its name, `\\N`')
    if (/[A-Za-z]/.test(char)) throw invalid(`Python has no ${mark(`\\${char}`)}`)
    return codeOf(char)
  }

  #hexadecimal(char: string, length: number): number {
    const digits = this.#chars.slice(this.#at, this.#at + length).join('')
    const code = Number.parseInt(digits, 16)
    const whole = digits.length === length && /^[0-9A-Fa-f]+$/.test(digits) && code <= 0x10ffff
    if (!whole || (code >= 0xd800 && code <= 0xdfff)) throw invalid(`${mark(`\\${char}${digits}`)} is no character`)
    this.#at += length
    return code
  }

  #peek(): string | undefined {
    return this.#chars[this.#at]
  }

  #next(): string {
    return this.#chars[this.#at++] as string
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false
    this.#at++
    return true
  }
}

/** What RE2 has not, because it could take exponential time. */
function refuseForeign(group: string): void {
  const kinds: readonly (readonly [string, string])[] = [
    ['=', 'a lookahead `(?=`'],
    ['!', 'a lookahead `(?!`'],
    ['<=', 'a lookbehind `(?<=`'],
    ['<!', 'a lookbehind `(?<!`'],
    ['P=', 'a backreference `(?P=`'],
    ['(', 'a condition `(?(`'],
    ['>', 'an atomic group `(?>`'],
  ]
  const found = kinds.find(([sign]) => group.startsWith(sign))
  if (found) throw foreign(found[1])
  if (/^<[\p{L}_]/u.test(group)) throw invalid('a group is named as `(?P<name>...)`, Python has no `(?<name>...)`')
}

function withFlags(flags: Flags, letters: string): Flags {
  const odd = [...letters].find((letter) => !'aimsux'.includes(letter))
  if (odd !== undefined) throw invalid(`there is no flag ${mark(odd)} here`)
  if (letters.includes('x')) throw foreign('the flag `x` (white space that is not part of the pattern)')
  if (letters.includes('a') && letters.includes('u')) throw invalid('the flags `a` and `u` exclude each other')
  const has = (letter: 'i' | 'm' | 's') => flags[letter] || letters.includes(letter)
  return { i: has('i'), m: has('m'), s: has('s'), a: !letters.includes('u') && (flags.a || letters.includes('a')) }
}

function withoutFlags(flags: Flags, letters: string): Flags {
  const odd = [...letters].find((letter) => !'imsx'.includes(letter))
  if (odd !== undefined) throw invalid(`the flag ${mark(odd)} cannot be taken off`)
  const has = (letter: 'i' | 'm' | 's') => flags[letter] && !letters.includes(letter)
  return { i: has('i'), m: has('m'), s: has('s'), a: flags.a }
}

function invalid(why: string): PatternFault {
  return new PatternFault(`is no regular expression of Python: ${why}`)
}

export function foreign(what: string): PatternFault {
  return new PatternFault(`has ${what}, which the policy engine cannot run (it is RE2)`)
}

function mark(text: string): string {
  return `\`${text}\``
}

function single(code: number): SetItem & { kind: 'range' } {
  return { kind: 'range', from: code, to: code }
}

function codeOf(char: string): number {
  return char.codePointAt(0) as number
}

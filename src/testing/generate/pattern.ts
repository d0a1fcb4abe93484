/**
 * Texts that a pattern (RE2's syntax, as policies write it) matches: simple ones, tried on the pattern before they are
 * given. What this does not read gives none, which costs a generated case and nothing else.
 */
import { RE2JS } from 're2js'

/** Up to three, each matched as the test matches: over the whole text, or anywhere in it. */
export function textsMatching(pattern: string, whole: boolean): readonly string[] {
  const matcher = compiled(pattern)
  if (!matcher) return []
  const fits = (text: string) => (whole ? matcher.matches(text) : matcher.matcher(text).find())
  const tries = [0, 1, 2].flatMap((choice) => sampled(pattern, choice) ?? [])
  return [...new Set([...tries, ...usual])].filter(fits).slice(0, 3)
}

const usual = [
  'a',
  'a1',
  'abc',
  'A',
  '1',
  '123',
  'name',
  'a-b',
  'a/b',
  '/a',
  'a@example.com',
  'https://example.com/a',
  '',
]

function compiled(pattern: string): RE2JS | undefined {
  try {
    return RE2JS.compile(pattern)
  } catch {
    return undefined // a policy would not have been loaded with it
  }
}

/** `choice` says which of the alternatives is taken, and how often something is repeated. */
function sampled(pattern: string, choice: number): string | undefined {
  try {
    return new Sampler(pattern, choice).text()
  } catch {
    return undefined // more of the syntax than is read here
  }
}

class Sampler {
  readonly #chars: readonly string[]
  readonly #choice: number
  #at = 0

  constructor(pattern: string, choice: number) {
    this.#chars = [...pattern]
    this.#choice = choice
  }

  text(): string {
    const text = this.#alternatives()
    if (this.#at < this.#chars.length) throw new SyntaxError('more than one pattern')
    return text
  }

  #alternatives(): string {
    const all = [this.#sequence()]
    while (this.#take('|')) all.push(this.#sequence())
    return all[this.#choice % all.length] as string
  }

  #sequence(): string {
    let text = ''
    while (this.#at < this.#chars.length && !['|', ')'].includes(this.#peek())) text += this.#repeated(this.#atom())
    return text
  }

  #repeated(atom: string): string {
    const [least, most] = this.#counts()
    this.#take('?')
    const times = Math.min(most, Math.max(least, least + (this.#choice === 0 ? 1 : this.#choice - 1)))
    return atom.repeat(Math.min(times, 1_000))
  }

  #counts(): readonly [number, number] {
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY]
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY]
    if (this.#take('?')) return [0, 1]
    const found = /^\{(\d+)(?:(,)(\d*))?\}/.exec(this.#chars.slice(this.#at, this.#at + 12).join(''))
    if (!found) return [1, 1]
    this.#at += found[0].length
    const least = Number(found[1])
    return [least, found[2] === undefined ? least : found[3] ? Number(found[3]) : Number.POSITIVE_INFINITY]
  }

  #atom(): string {
    const char = this.#next()
    if (char === '(') return this.#group()
    if (char === '[') return this.#set()
    if (char === '\\') return this.#escape()
    if (char === '^' || char === '$') return ''
    return char === '.' ? 'a' : char
  }

  #group(): string {
    const head = /^\?(?:P?<\w+>|[a-zA-Z-]*:)/.exec(this.#chars.slice(this.#at, this.#at + 40).join(''))
    const flags = /^\?[a-zA-Z-]+\)/.exec(this.#chars.slice(this.#at, this.#at + 12).join(''))
    if (flags) {
      this.#at += flags[0].length
      return ''
    }
    this.#at += head?.[0].length ?? 0
    const text = this.#alternatives()
    if (!this.#take(')')) throw new SyntaxError('a group is not closed')
    return text
  }

  #set(): string {
    const negated = this.#take('^')
    const members: string[] = []
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      const char = this.#next()
      members.push(char === '\\' ? this.#escape() : char)
      if (char !== '\\' && this.#peek() === '-' && this.#chars[this.#at + 1] !== ']') {
        this.#at++
        this.#next()
      }
    }
    this.#at++
    if (!negated) return members[this.#choice % members.length] as string
    return ['a', 'B', '1', '_', ' '].find((char) => !members.includes(char)) ?? '~'
  }

  #escape(): string {
    const char = this.#next()
    const named: Readonly<Record<string, string>> = { d: '1', w: 'a', s: ' ', D: 'a', W: '-', S: 'a', n: '\n', t: '\t' }
    if (['b', 'B', 'A', 'z'].includes(char)) return ''
    if (/[a-zA-Z0-9]/.test(char) && named[char] === undefined) throw new SyntaxError('an escape that is not read')
    return named[char] ?? char
  }

  #peek(): string {
    return this.#chars[this.#at] ?? ''
  }

  #next(): string {
    const char = this.#chars[this.#at++]
    if (char === undefined) throw new SyntaxError('the pattern ends')
    return char
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false
    this.#at++
    return true
  }
}

/** The one file that writes YAML: what it prints is read back as the same values, by readers of YAML 1.1 and 1.2 alike. */
import { oldYesNo } from '../policy/forms.ts'

export type Out = Word | ListOut | MapOut

/** A scalar, as it is written. */
export interface Word {
  readonly kind: 'word'
  readonly text: string
}

export interface ListOut {
  readonly kind: 'list'
  readonly items: readonly Item[]
}

export interface MapOut {
  readonly kind: 'map'
  readonly entries: readonly Entry[]
}

export interface Item {
  readonly value: Out
  /** The line of the source that says it. */
  readonly line?: number | undefined
}

export interface Entry extends Item {
  readonly key: string
}

/** Comments of a source that go with an item or an entry. */
export interface Remarks {
  readonly before: readonly string[]
  readonly after: readonly string[]
}

export interface Printed {
  readonly text: string
  /** For each line of the text, the line of the source that it comes from, as far as it is known. */
  readonly lines: readonly (number | undefined)[]
}

export function map(entries: readonly (Entry | undefined)[]): MapOut {
  return { kind: 'map', entries: entries.filter((entry) => entry !== undefined) }
}

export function list(items: readonly Out[]): ListOut {
  return { kind: 'list', items: items.map((value) => ({ value })) }
}

export function entry(key: string, value: Out, line?: number): Entry {
  return { key, value, line }
}

/** A text that stands without quotes only where nobody could take it for anything else. */
export function text(value: string): Word {
  return { kind: 'word', text: isPlain(value) ? value : quoted(value) }
}

const plain = /^[\p{L}_/(^$.](?:[\p{L}\p{N}_./()*?@+<>$=~^%;!'"|-]| (?! |#)|:(?=[^ ]))*(?<! )$/u
const reserved = /^(?:true|false|null|~|\.nan|[-+]?\.inf)$/i

function isPlain(value: string): boolean {
  if (!plain.test(value) || reserved.test(value) || oldYesNo.test(value) || value === '=') return false
  return !/^[.]+(?:$|[0-9_])|^\.\.\.|[\p{Cf}]/u.test(value)
}

function quoted(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not stand bare
  const bare = /^[^\u0000-\u001f\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\uFEFF]*$/u
  if (/[\\"]/.test(value) && bare.test(value)) return `'${value.replaceAll("'", "''")}'`
  return JSON.stringify(value).replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => {
    const code = (char.codePointAt(0) as number).toString(16)
    return char.length === 1 ? `\\u${code.padStart(4, '0')}` : `\\U${code.padStart(8, '0')}`
  })
}

/** A length of time or a rate: nobody takes it for a number. */
export function word(value: string): Word {
  return { kind: 'word', text: value }
}

export function boolean(value: boolean): Word {
  return { kind: 'word', text: String(value) }
}

/** All digits written out: an exponent is read differently by many. */
export function number(value: number): Word {
  return { kind: 'word', text: decimalText(value) }
}

function decimalText(value: number): string {
  const [, sign = '', digits = '', power] = /^(-?)([0-9.]+)(?:e([+-][0-9]+))?$/.exec(String(value)) ?? []
  if (power === undefined) return `${sign}${digits}`
  const [whole = '', fraction = ''] = digits.split('.')
  const all = whole + fraction
  const point = whole.length + Number(power)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${all}`
  return `${sign}${all.padEnd(point, '0')}`
}

export function scalar(value: string | number | boolean | null): Word {
  if (value === null) return { kind: 'word', text: 'null' }
  if (typeof value === 'string') return text(value)
  return typeof value === 'number' ? number(value) : boolean(value)
}

const flowCharsMax = 80

/** On one line, between brackets. */
export function flow(out: Out): string {
  switch (out.kind) {
    case 'word':
      return out.text
    case 'list':
      return `[${out.items.map(({ value }) => flow(value)).join(', ')}]`
    case 'map':
      return out.entries.length === 0
        ? '{}'
        : `{ ${out.entries.map((one) => `${keyText(one)}: ${flow(one.value)}`).join(', ')} }`
  }
  return out satisfies never
}

function keyText({ key }: Entry): string {
  return isPlain(key) ? key : quoted(key)
}

/** `remarksOf` has the comments; `end` are those behind everything. */
export function print(
  root: MapOut,
  remarksOf: (item: Item) => Remarks = () => ({ before: [], after: [] }),
  end: readonly string[] = [],
): Printed {
  const printer = new Printer(remarksOf)
  printer.map(root, '', '', undefined)
  for (const comment of end) printer.line(comment, undefined)
  return printer.printed()
}

class Printer {
  readonly #remarksOf: (item: Item) => Remarks
  readonly #text: string[] = []
  readonly #lines: (number | undefined)[] = []

  constructor(remarksOf: (item: Item) => Remarks) {
    this.#remarksOf = remarksOf
  }

  printed(): Printed {
    return { text: `${this.#text.join('\n')}\n`, lines: this.#lines }
  }

  line(text: string, from: number | undefined): void {
    const isBlank = text.trim() === ''
    if (isBlank && (this.#text.at(-1) ?? '') === '') return
    this.#text.push(text.trimEnd())
    this.#lines.push(from)
  }

  /** `lead` is what stands before the first line of it: the dash of its list. */
  map({ entries }: MapOut, lead: string, indent: string, from: number | undefined): void {
    for (const [index, one] of entries.entries()) {
      const { before, after } = this.#remarksOf(one)
      const start = index === 0 ? lead || indent : indent
      // Comments before the first key of an item stand before its dash.
      if (index > 0 || lead === '') for (const comment of before) this.line(comment && `${indent}${comment}`, one.line)
      this.#value(`${start}${keyText(one)}:`, one, indent, after, one.line ?? from)
    }
  }

  #list({ items }: ListOut, indent: string, from: number | undefined): void {
    for (const item of items) {
      const line = item.line ?? from
      const own = this.#remarksOf(item)
      const first = item.value.kind === 'map' ? item.value.entries[0] : undefined
      const inner = first ? this.#remarksOf(first).before : []
      for (const comment of [...own.before, ...inner]) this.line(comment && `${indent}${comment}`, line)
      if (item.value.kind === 'map' && first) {
        for (const comment of own.after) this.line(`${indent}${comment}`, line)
        this.map(item.value, `${indent}- `, `${indent}  `, line)
      } else this.line(`${indent}- ${flow(item.value)}${behind(own.after)}`, line)
    }
  }

  #value(
    start: string,
    { key, value }: Entry,
    indent: string,
    after: readonly string[],
    from: number | undefined,
  ): void {
    // People read rules line by line.
    const isShort = this.#fits(value, start) && (key !== 'rules' || isEmpty(value))
    this.line(`${start}${isShort ? ` ${flow(value)}` : ''}${behind(after)}`, from)
    if (isShort) return
    if (value.kind === 'map') this.map(value, '', `${indent}  `, from)
    else if (value.kind === 'list') this.#list(value, `${indent}  `, from)
  }

  /** Short, of one level or two, and without a comment in it. */
  #fits(out: Out, start: string): boolean {
    if (out.kind === 'word') return true
    if (this.#isRemarked(out)) return false
    if (childrenOf(out).length === 0) return true
    return depthOf(out) <= 2 && start.length + flow(out).length < flowCharsMax && !isTall(out)
  }

  #isRemarked(out: Out): boolean {
    if (out.kind === 'word') return false
    return childrenOf(out).some((child) => {
      const { before, after } = this.#remarksOf(child)
      return before.length > 0 || after.length > 0 || this.#isRemarked(child.value)
    })
  }
}

function isEmpty(out: Out): boolean {
  return out.kind !== 'word' && childrenOf(out).length === 0
}

function childrenOf(out: ListOut | MapOut): readonly Item[] {
  return out.kind === 'map' ? out.entries : out.items
}

/** A map of maps, and what has one in it. */
function isTall(out: Out): boolean {
  if (out.kind === 'list') return out.items.some(({ value }) => isTall(value))
  return out.kind === 'map' && out.entries.some(({ key, value }) => key === 'rules' || value.kind === 'map')
}

function depthOf(out: Out): number {
  if (out.kind === 'word') return 0
  return 1 + childrenOf(out).reduce((most, { value }) => Math.max(most, depthOf(value)), 0)
}

function behind(comments: readonly string[]): string {
  return comments.length === 0 ? '' : ` ${comments.join(' ')}`
}

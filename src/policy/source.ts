/**
 * YAML 1.2 (and so JSON) as a small tree of our own, every value with its place. Whatever two readers could take
 * differently is refused here: duplicate keys, merge keys, tags, other YAML versions, aliases that explode.
 */
import type { Document, ParsedNode, Scalar, YAMLMap, YAMLSeq } from 'yaml'
import { Composer, isAlias, isMap, isScalar, Lexer, Parser } from 'yaml'
import type { Json } from '../model/canonical.ts'
import { type DiagnosticCode, quote, type Report, type Spot } from './diagnostics.ts'
import { aliasedValuesMax, policyDepthMax, policyTokensMax } from './limits.ts'
import { reportSyntax } from './syntax.ts'
import { Lines, start } from './text.ts'

export type Node = ScalarNode | ListNode | MapNode

interface Common {
  readonly at: Spot
  /** Values in it, itself included: what an alias to it stands for. */
  readonly size: number
  /** Levels of it, its own included. */
  readonly height: number
}

export interface ScalarNode extends Common {
  readonly kind: 'scalar'
  /** As the YAML 1.2 core schema reads it. */
  readonly value: string | number | boolean | null
  /** As the file writes it, if it is plain; what the quotes hold, if not. */
  readonly text: string
  readonly plain: boolean
}

export interface ListNode extends Common {
  readonly kind: 'list'
  readonly items: readonly Node[]
}

export interface MapNode extends Common {
  readonly kind: 'map'
  /** Keys are unique, and are text as written: `5:` is the key "5", `null:` the key "null". */
  readonly entries: readonly MapEntry[]
}

export interface MapEntry {
  readonly key: string
  readonly keyAt: Spot
  /** Written without quotes. */
  readonly plain: boolean
  readonly value: Node
}

/** Undefined when there is no tree; the report has failed when some of it is refused. */
export function readSource(text: string, report: Report): Node | undefined {
  const lines = new Lines(text)
  const [document, second] = compose(text, lines, report)
  if (second)
    report.error(lines.spot(second.range[0]), 'yaml_unsupported', 'a policy file is one YAML document, found a second')
  if (!document || report.failed) return undefined
  reportSyntax(text, [...document.errors, ...document.warnings], lines, report)
  const { version, explicit } = document.directives.yaml
  if (explicit && version !== '1.2')
    report.error(start, 'yaml_unsupported', `policies are YAML 1.2, found \`%YAML ${version}\``)
  if (report.failed) return undefined
  const reader = new Reader(lines, report)
  const root = reader.read(document.contents, start)
  return reader.broken ? undefined : root
}

/** The library's parser, stopped before it runs out of memory or stack. */
function compose(text: string, lines: Lines, report: Report): Document.Parsed[] {
  const parser = new Parser()
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false, logLevel: 'error' })
  const documents: Document.Parsed[] = []
  let tokens = 0
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) documents.push(...composer.next(token))
    const deep = parser.stack.length > policyDepthMax
    if (deep || ++tokens > policyTokensMax) {
      const found = deep ? `${policyDepthMax} levels` : `${policyTokensMax} words and signs`
      report.error(lines.spot(parser.offset), 'too_large', `a policy has at most ${found}`)
      return []
    }
  }
  for (const token of parser.end()) documents.push(...composer.next(token))
  documents.push(...composer.end(true, text.length))
  return documents
}

/** Builds our tree; an alias becomes the very node it stands for. */
class Reader {
  readonly #lines: Lines
  readonly #report: Report
  /** `open` while the value is being read: an alias to it would never end. */
  readonly #anchors = new Map<string, Node | 'open'>()
  #aliased = 0
  /** How many collections are being read. */
  #level = 0
  /** An alias stands for nothing: what is read of the tree would be fallout. */
  broken = false

  constructor(lines: Lines, report: Report) {
    this.#lines = lines
    this.#report = report
  }

  /** `emptyAt` is where a value that is not written at all is said to stand: at its key. */
  read(node: ParsedNode | null, emptyAt: Spot): Node {
    if (node === null) return empty(emptyAt)
    const at = this.#place(node)
    if (isAlias(node)) return this.#alias(node.source, at)
    if (node.tag !== undefined)
      this.#report.error(at, 'yaml_unsupported', `tags are not supported, found ${quote(shortTag(node.tag))}`)
    if (node.anchor) this.#anchors.set(node.anchor, 'open')
    const read = isScalar(node) ? this.#scalar(node, at, emptyAt) : this.#collection(node, at)
    if (node.anchor) this.#anchors.set(node.anchor, read)
    return read
  }

  /** A map begins where its first key does, so the two must not seem to be the same: it has no end. */
  #place(node: ParsedNode): Spot {
    const [start, end] = node.range
    return isScalar(node) || isAlias(node) ? this.#lines.span(start, end) : this.#lines.spot(start)
  }

  #alias(name: string, at: Spot): Node {
    const target = this.#anchors.get(name)
    if (target === undefined)
      return this.#refuse(at, 'yaml_unsupported', `the alias ${quote(`*${name}`)} has no anchor before it`)
    if (target === 'open')
      return this.#refuse(at, 'yaml_unsupported', `the alias ${quote(`*${name}`)} stands inside the value it repeats`)
    if (this.#level + target.height > policyDepthMax)
      return this.#refuse(at, 'too_large', `a policy has at most ${policyDepthMax} levels`)
    // Told once: every later alias would be one too many.
    if (this.#aliased > aliasedValuesMax) return empty(at)
    this.#aliased += target.size
    if (this.#aliased <= aliasedValuesMax) return target
    return this.#refuse(at, 'too_large', `the aliases of a policy stand for at most ${aliasedValuesMax} values`)
  }

  #refuse(at: Spot, code: DiagnosticCode, message: string): Node {
    this.broken = true
    this.#report.error(at, code, message)
    return empty(at)
  }

  #scalar(node: Scalar.Parsed, at: Spot, emptyAt: Spot): ScalarNode {
    const { value, source, type } = node
    if (value === null && source === '') return empty(emptyAt)
    if (typeof value === 'string') this.#checkText(value, at)
    const plain = type === 'PLAIN'
    const text = plain ? source : String(value)
    return { kind: 'scalar', value: value as ScalarNode['value'], text, plain, at, size: 1, height: 1 }
  }

  #collection(node: YAMLMap.Parsed | YAMLSeq.Parsed, at: Spot): Node {
    this.#level++
    const read = isMap(node) ? this.#map(node, at) : this.#list(node, at)
    this.#level--
    return read
  }

  #list(node: YAMLSeq.Parsed, at: Spot): ListNode {
    const items = node.items.map((item) => this.read(item as ParsedNode | null, at))
    return { kind: 'list', items, at, ...measured(items) }
  }

  #map(node: YAMLMap.Parsed, at: Spot): MapNode {
    const entries = new Map<string, MapEntry>()
    for (const pair of node.items) {
      const key = this.#key(pair.key, at)
      const value = this.read(pair.value, key?.at ?? at)
      if (!key) continue
      const first = entries.get(key.text)
      if (first) this.#duplicate(key.text, key.at, first.keyAt)
      else entries.set(key.text, { key: key.text, keyAt: key.at, plain: key.plain, value })
    }
    const values = [...entries.values()]
    return { kind: 'map', entries: values, at, ...measured(values.map((entry) => entry.value)) }
  }

  #key(node: ParsedNode | null, mapAt: Spot): Pick<ScalarNode, 'text' | 'at' | 'plain'> | undefined {
    const at = node ? this.#place(node) : mapAt
    if (isAlias(node)) this.#report.error(at, 'yaml_unsupported', aliasKey(node.source))
    else if (!isScalar(node)) this.#report.error(at, 'yaml_unsupported', 'a key must be text, found a list or a map')
    else return this.#textKey(this.#scalar(node, at, at), node.tag)
    return undefined
  }

  #textKey(
    { text, plain, at }: ScalarNode,
    tag: string | undefined,
  ): Pick<ScalarNode, 'text' | 'at' | 'plain'> | undefined {
    if (tag !== undefined)
      this.#report.error(at, 'yaml_unsupported', `tags are not supported, found ${quote(shortTag(tag))}`)
    if (text === '') this.#report.error(at, 'bad_name', 'a key is missing, found an empty one')
    else if (plain && text === '<<')
      this.#report.error(at, 'yaml_unsupported', 'merge keys (`<<`) are not supported: write the keys out')
    else return { text, at, plain }
    return undefined
  }

  #duplicate(key: string, at: Spot, first: Spot): void {
    this.#report.error(at, 'duplicate_key', `${quote(key)} stands here twice, first on line ${first.line}`)
  }

  /** Escapes can say what the bytes of the file may not. */
  #checkText(text: string, at: Spot): void {
    if (text.includes('\0')) this.#report.error(at, 'unreadable', 'text must not hold a NUL')
    if (!text.isWellFormed()) this.#report.error(at, 'unreadable', 'half of a surrogate pair is no character')
  }
}

function measured(children: readonly Node[]): { size: number; height: number } {
  let [size, height] = [1, 1]
  for (const child of children) {
    size += child.size
    height = Math.max(height, child.height + 1)
  }
  return { size, height }
}

function empty(at: Spot): ScalarNode {
  return { kind: 'scalar', value: null, text: '', plain: true, at, size: 1, height: 1 }
}

function shortTag(tag: string): string {
  return tag.startsWith('tag:yaml.org,2002:') ? `!!${tag.slice('tag:yaml.org,2002:'.length)}` : tag
}

function aliasKey(name: string): string {
  return `${quote(`*${name}`)} is an alias: a name that begins with \`*\` needs quotes`
}

/** What a node says, without its places. */
export function plainOf(node: Node): Json {
  switch (node.kind) {
    case 'scalar':
      return node.value
    case 'list':
      return node.items.map(plainOf)
    case 'map':
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, plainOf(value)]))
  }
  return node satisfies never
}

/**
 * Parameters of tools that callers repeat in headers (`x-mcp-header`, 2026-07-28), for whoever routes by them. Which ones,
 * only the lists of the server say: they are learned from those that pass.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { isObject } from '../model/message/json.ts'
import type { Message } from '../model/message/message.ts'
import { quoted } from '../model/message/quoted.ts'
import { decodedField, encodedField, isStateless } from './agreement.ts'
import { parameterPrefix } from './fields.ts'
import { repeatedParametersMax, toolsWithParametersMax } from './limits.ts'

interface Parameter {
  /** The header, lower case. */
  readonly field: string
  readonly path: readonly string[]
}

export class Parameters {
  readonly #ofTool = new Map<string, readonly Parameter[]>()

  /** From a result of `tools/list`: a tool that says it otherwise than before is believed now. */
  learn(result: unknown): void {
    const tools = isObject(result) ? result['tools'] : undefined
    if (!Array.isArray(tools)) return
    for (const tool of tools) {
      if (!isObject(tool) || typeof tool['name'] !== 'string') continue
      const parameters = parametersOf(tool['inputSchema'])
      if (parameters.length === 0) this.#ofTool.delete(tool['name'])
      else if (this.#ofTool.size < toolsWithParametersMax || this.#ofTool.has(tool['name']))
        this.#ofTool.set(tool['name'], parameters)
    }
  }

  /**
   * The first of these headers that says something else than the body, as a sentence. Headers that no tool declares are
   * nobody's to judge, and go on.
   */
  disagreement(headers: IncomingHttpHeaders, message: Message): string | undefined {
    for (const { field, value } of this.#valuesIn(message)) {
      const header = headers[field]
      if (header === undefined && !isStateless(message)) continue
      if (header === undefined) return `the header \`${field}\` is missing, and the body has that parameter`
      if (typeof header !== 'string') return `the header \`${field}\` stands twice`
      const said = decodedField(header)
      if (said === undefined || !isSame(said, value))
        return `the header \`${field}\` says ${quoted(said ?? header)}, and the body says ${quoted(String(value))}`
    }
    return undefined
  }

  /** The headers for a call. */
  fieldsFor(message: Message): Record<string, string> {
    if (!isStateless(message)) return {}
    return Object.fromEntries(this.#valuesIn(message).map(({ field, value }) => [field, encodedField(String(value))]))
  }

  #valuesIn(message: Message): readonly { readonly field: string; readonly value: Primitive }[] {
    if (message.kind !== 'request' || message.act?.method !== 'tools/call') return []
    const { name, arguments: args } = message.act
    return (this.#ofTool.get(name) ?? []).flatMap(({ field, path }) => {
      const value = valueAt(args, path)
      return isPrimitive(value) ? [{ field, value }] : []
    })
  }
}

type Primitive = string | number | boolean

function isPrimitive(value: unknown): value is Primitive {
  if (typeof value === 'number') return Number.isSafeInteger(value) || !Number.isInteger(value)
  return typeof value === 'string' || typeof value === 'boolean'
}

/** `42.0` and `42` are the same number. */
function isSame(said: string, value: Primitive): boolean {
  if (typeof value === 'number') return /^-?\d+(?:\.\d+)?$/.test(said) && Number(said) === value
  return said === String(value)
}

function valueAt(args: unknown, path: readonly string[]): unknown {
  return path.reduce((node, key) => (isObject(node) && Object.hasOwn(node, key) ? node[key] : undefined), args)
}

/** The protocol has no `number` here; the official suite and SDKs have. */
const types: ReadonlySet<unknown> = new Set(['string', 'integer', 'number', 'boolean'])

/**
 * Those that a chain of `properties` reaches. A schema that declares one oddly declares none that could be relied on: the
 * server itself is then the one who compares.
 */
function parametersOf(schema: unknown): readonly Parameter[] {
  const found: Parameter[] = []
  const visit = (node: unknown, path: readonly string[]): boolean => {
    if (!isObject(node) || found.length > repeatedParametersMax) return isObject(node)
    const name = node['x-mcp-header']
    if (name !== undefined) {
      const isToken = typeof name === 'string' && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/.test(name)
      if (!isToken || !types.has(node['type']) || path.length === 0) return false
      const field = `${parameterPrefix}${name.toLowerCase()}`
      if (found.some((one) => one.field === field)) return false
      found.push({ field, path })
    }
    const { properties } = node
    if (!isObject(properties)) return true
    return Object.entries(properties).every(([key, child]) => !isObject(child) || visit(child, [...path, key]))
  }
  return visit(schema, []) && found.length <= repeatedParametersMax ? found : []
}

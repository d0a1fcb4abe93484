/** Where the parts of a source stand: what is written of them stands beside the comments that they had. */
import type { Condition, Place } from '../model/policy.ts'
import type { Report } from '../policy/diagnostics.ts'
import type { MapEntry, MapNode, Node } from '../policy/source.ts'

export class Origins {
  readonly #maps = new Map<string, MapNode>()
  readonly #root: Node
  readonly #report: Report

  /** `report` is the one that the policy was read with. */
  constructor(root: Node, report: Report) {
    this.#root = root
    this.#report = report
    this.#walk(root)
  }

  /** Of the first of these keys that the map has which stands at a place. */
  lineOf({ line, col }: Pick<Place, 'line' | 'col'>, keys: readonly string[]): number | undefined {
    const map = this.#maps.get(`${line}:${col}`)
    return map && lineIn(map, keys)
  }

  /** Of what these keys lead to, one below the other, from the map that stands at a place. */
  lineUnder({ line, col }: Pick<Place, 'line' | 'col'>, keys: readonly string[]): number | undefined {
    let node: Node | undefined = this.#maps.get(`${line}:${col}`)
    let found: number | undefined
    for (const key of keys) {
      const entry: MapEntry | undefined = node?.kind === 'map' ? node.entries.find((one) => one.key === key) : undefined
      if (!entry) return undefined
      found = entry.keyAt.line
      node = entry.value
    }
    return found
  }

  /** Of a key at the top. */
  topLine(...keys: readonly string[]): number | undefined {
    return this.#root.kind === 'map' ? lineIn(this.#root, keys) : undefined
  }

  /** The text of a key at the top. */
  topText(key: string): string | undefined {
    const found = this.#root.kind === 'map' ? this.#root.entries.find((entry) => entry.key === key)?.value : undefined
    return found?.kind === 'scalar' && typeof found.value === 'string' ? found.value : undefined
  }

  conditionLine(condition: Condition): number | undefined {
    return this.#report.placeOf(condition)?.line
  }

  #walk(node: Node): void {
    if (node.kind === 'list') for (const item of node.items) this.#walk(item)
    if (node.kind !== 'map') return
    const at = `${node.at.line}:${node.at.col}`
    if (!this.#maps.has(at)) this.#maps.set(at, node)
    for (const { value } of node.entries) this.#walk(value)
  }
}

function lineIn({ entries }: MapNode, keys: readonly string[]): number | undefined {
  for (const key of keys) {
    const found = entries.find((entry) => entry.key === key)
    if (found) return found.keyAt.line
  }
  return undefined
}

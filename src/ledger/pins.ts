/** Definitions of tools that the gates with this ledger have seen, and which of them were accepted. */
import type { Database, Statement } from 'better-sqlite3'
import { type Definition, noPins, type ServerTool, type ToolPins } from '../model/pinning.ts'
import { Fresh } from './fresh.ts'

interface Row {
  readonly server: string
  readonly tool: string
  readonly at: number
  readonly pinned: string
  readonly held: string
}

export interface KnownTool extends ServerTool, ToolPins {
  /** The last change, in milliseconds. */
  readonly at: number
}

export class Pins {
  /** What was read since then, by server and tool. */
  readonly #read = new Map<string, ToolPins>()
  readonly #whole = new Set<string>()
  readonly #fresh = new Fresh()
  /** The last change, of this process and of others. */
  #own = 0
  #others = 0
  readonly #of: Statement<[string, string], Row>
  readonly #all: Statement<[], Row>
  readonly #count: Statement<[string], number>
  readonly #set: Statement<[string, string, number, string, string]>
  readonly #last: Statement<[], number>
  readonly #isWhole: Statement<[string], number>
  readonly #markWhole: Statement<[string, number]>
  readonly #keep: Statement<[string, string]>
  readonly #definition: Statement<[string], string>

  constructor(db: Database) {
    const columns = 'server, tool, at, pinned, held'
    this.#of = db.prepare(`SELECT ${columns} FROM tool_pins WHERE server = ? AND tool = ?`)
    this.#all = db.prepare(`SELECT ${columns} FROM tool_pins ORDER BY server, tool`)
    this.#count = db.prepare<[string], number>('SELECT count(*) FROM tool_pins WHERE server = ?').pluck()
    this.#set = db.prepare(`INSERT OR REPLACE INTO tool_pins (${columns}) VALUES (?, ?, ?, ?, ?)`)
    this.#last = db.prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'tool_pins'").pluck()
    this.#isWhole = db.prepare<[string], number>('SELECT EXISTS (SELECT 1 FROM servers_seen WHERE server = ?)').pluck()
    this.#markWhole = db.prepare('INSERT INTO servers_seen VALUES (?, ?) ON CONFLICT DO NOTHING')
    this.#keep = db.prepare('INSERT INTO tool_definitions VALUES (?, ?) ON CONFLICT DO NOTHING')
    this.#definition = db.prepare<[string], string>('SELECT definition FROM tool_definitions WHERE sha256 = ?').pluck()
  }

  /** `seq` is that of the last record: while nobody has written one, nothing has changed. */
  of({ server, tool }: ServerTool, seq: number): ToolPins {
    this.#look(seq)
    const key = `${server}\0${tool}`
    const known = this.#read.get(key)
    if (known) return known
    const row = this.#of.get(server, tool)
    const pins = row ? knownTool(row) : noPins
    this.#read.set(key, pins)
    return pins
  }

  isWhole(server: string, seq: number): boolean {
    this.#look(seq)
    if (this.#whole.has(server)) return true
    if (this.#isWhole.get(server) !== 1) return false
    this.#whole.add(server)
    return true
  }

  /** By server and name. */
  all(): readonly KnownTool[] {
    return this.#all.all().map(knownTool)
  }

  count(server: string): number {
    return this.#count.get(server) ?? 0
  }

  definition(sha256: string): string | undefined {
    return this.#definition.get(sha256)
  }

  set({ server, tool }: ServerTool, { pinned, held }: ToolPins, at: number): void {
    this.forget()
    this.standing()
    this.#set.run(server, tool, at, JSON.stringify(pinned), JSON.stringify(held))
    this.#own = this.#last.get() ?? 0
  }

  markWhole(server: string, at: number): void {
    this.forget()
    this.#markWhole.run(server, at)
  }

  keep({ sha256, text }: Definition): void {
    this.#keep.run(sha256, text)
  }

  /** Another text when another process has changed something. */
  standing(): string {
    const last = this.#last.get() ?? 0
    if (last !== this.#own) this.#others = last
    return String(this.#others)
  }

  /** Records that this process has just written itself changed nothing, unless it was changed here. */
  wrote(before: number, after: number): void {
    this.#fresh.wrote(before, after)
  }

  /** What was read may not be so: it was changed, or rolled back. */
  forget(): void {
    this.#fresh.forget()
  }

  #look(seq: number): void {
    if (this.#fresh.isAt(seq)) return
    this.#read.clear()
    this.#whole.clear()
  }
}

function knownTool({ server, tool, at, pinned, held }: Row): KnownTool {
  return { server, tool, at, pinned: JSON.parse(pinned), held: JSON.parse(held) }
}

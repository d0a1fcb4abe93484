/**
 * The kill switch as persons use it: what they stop is stopped for every gate that shares the ledger, from its next message
 * on, until somebody lifts it by name.
 */
import { TollgateError } from '../model/errors.ts'
import type { GateEvent, KillEvent } from '../model/event.ts'
import { type Kill, type KillTarget, killTitle } from '../model/kill.ts'
import type { Ledger, Transaction } from '../model/ledger.ts'
import { uriCharsMax } from '../model/limits.ts'
import { quoted } from '../model/message/quoted.ts'
import { type Said, unreadable } from './said.ts'

export interface KillPorts {
  readonly ledger: Pick<Ledger, 'transact'>
  /** The record of an event, as JSON text. */
  readonly describe: (event: GateEvent) => string
  readonly newId: () => string
  /** Called when something was stopped or lifted here: other processes find it in the ledger. */
  readonly changed?: () => void
}

export type KillSaid = Said

/** A kill by what it is about, or by its id. */
export type KillName = KillTarget | { readonly id: string }

export interface Killed {
  readonly kill: Kill
  /** It was stopped before, by whom the kill says: that one stands, and what was said now is recorded. */
  readonly again: boolean
}

export class Kills {
  readonly #ports: KillPorts

  constructor(ports: KillPorts) {
    this.#ports = ports
  }

  /** Throws `kill_invalid`, and those of the ledger. */
  kill(target: KillTarget, said: KillSaid): Killed {
    requireName(target)
    requireReadable(said)
    const killed = this.#ports.ledger.transact((tx) => {
      const standing = tx.killFor(target)
      if (standing) {
        this.#append(tx, { kind: 'kill', at: tx.now, kill: standing, again: said })
        return { kill: standing, again: true }
      }
      const kill: Kill = { id: `kill_${this.#ports.newId()}`, target, at: tx.now, ...said }
      tx.addKill(kill)
      this.#append(tx, { kind: 'kill', at: tx.now, kill })
      return { kill, again: false }
    })
    this.#ports.changed?.()
    return killed
  }

  /** Gives the kill that is over. Throws `kill_unknown` when there is none, `kill_invalid`, and those of the ledger. */
  lift(name: KillName, said: KillSaid): Kill {
    requireReadable(said)
    const lifted = this.#ports.ledger.transact((tx) => {
      const kill = 'id' in name ? tx.kill(name.id) : tx.killFor(name)
      if (!kill) throw new TollgateError('kill_unknown', `nothing to lift: ${notStopped(name)}`)
      tx.removeKill(kill.id)
      this.#append(tx, { kind: 'lift', at: tx.now, kill, ...said })
      return kill
    })
    this.#ports.changed?.()
    return lifted
  }

  #append(tx: Transaction, event: KillEvent): void {
    tx.append({ kind: event.kind, body: this.#ports.describe(event) })
  }
}

function notStopped(name: KillName): string {
  if ('id' in name)
    return `there is no kill ${quoted(name.id)} in this ledger: \`tollgate kill list\` shows what is stopped`
  return `${killTitle(name)} ${name.kind === 'all' ? 'are' : 'is'} not stopped: \`tollgate kill list\` shows what is`
}

/** Any name that a call may have: what cannot be written down cannot be stopped, and what has no name is everything. */
function requireName(target: KillTarget): void {
  const { kind, name } = target
  if (kind === 'all') return
  if (name === '') throw invalid(`the name of the ${kind} is empty: say which, or stop all`)
  if (name.length > uriCharsMax || !name.isWellFormed())
    throw invalid(`${quoted(name)} is no name of anything that calls`)
}

function requireReadable(said: Said): void {
  const fault = unreadable(said)
  if (fault !== undefined) throw invalid(fault)
}

function invalid(message: string): TollgateError {
  return new TollgateError('kill_invalid', message)
}

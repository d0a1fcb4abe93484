/** Puts a gate together: a policy, a ledger, and the record between them. */
import { randomUUID } from 'node:crypto'
import { openLedger, type SqliteLedger } from '../ledger/ledger.ts'
import { type ArgumentsKept, describeWith } from '../log/describe.ts'
import type { GateEvent } from '../model/event.ts'
import { Gate } from '../pep/gate.ts'
import { orderedId } from './ids.ts'
import { version } from './version.ts'

export interface GateOptions {
  /** Path, or `:memory:`. */
  readonly ledgerFile: string
  /** A ledger that is not written, whose counts, requests and kills one in memory begins with. */
  readonly stateOf?: string
  /** `power` adds the sync that survives a power cut, `process` survives a killed process. */
  readonly durability?: 'process' | 'power'
  readonly argumentsKept?: ArgumentsKept
  /** Milliseconds since 1970. */
  readonly clock?: () => number
  readonly newId?: () => string
  /** See `GatePorts`. */
  readonly later?: (work: () => void) => void
  /** See `GatePorts`. */
  readonly listless?: boolean
  /** Told of failures that could not be recorded. */
  readonly report: (error: unknown) => void
}

export interface OpenGate {
  readonly gate: Gate
  readonly ledger: SqliteLedger
  /** UUID of the process, which is in all its records. */
  readonly instance: string
  /** The record of an event, as the gate writes it. */
  readonly describe: (event: GateEvent) => string
}

/** Throws a `TollgateError` (`ledger_*`) when the ledger cannot be opened. The gate denies all until a policy is activated. */
export function openGateWith(options: GateOptions): OpenGate {
  const {
    ledgerFile,
    stateOf,
    durability = 'process',
    argumentsKept = 'full',
    clock,
    newId = orderedId,
    later,
    listless = false,
    report,
  } = options
  const instance = randomUUID()
  const ledger = openLedger({
    file: ledgerFile,
    durability,
    instance,
    ...(stateOf !== undefined && { stateOf }),
    ...(clock && { clock }),
  })
  const describe = describeWith({ id: instance, version }, argumentsKept)
  const gate = new Gate({ ledger, describe, report, newId, listless, ...(later && { later }) })
  return { gate, ledger, instance, describe }
}

/**
 * Tells somebody of what becomes of requests: each record in order, at least once, also after a restart. The ledger keeps up
 * to where they were told; one who cannot be reached is tried again, and nobody else waits for that.
 */
import { pause } from '../http/pause.ts'
import { messageOf } from '../model/errors.ts'
import type { RecordKind, StoredRecord } from '../model/ledger.ts'
import { liveMs, tellAgainMs, tellAgainMsMax, tellGiveUpMs } from './limits.ts'

export interface OutboxPorts {
  readonly ledger: {
    approvalsVersion(): string
    recordsOfKinds(kinds: readonly RecordKind[], after: number, limit: number): readonly StoredRecord[]
    head(): { readonly seq: number }
    cursor(name: string): number | undefined
    keepCursor(name: string, seq: number): void
  }
  /** Under which the ledger keeps up to where it was told. */
  readonly name: string
  readonly kinds: readonly RecordKind[]
  /** Rejects when it was not heard. */
  readonly tell: (record: StoredRecord, signal: AbortSignal) => Promise<void>
  readonly log: (sentence: string) => void
  /** How long to wait before a try that follows so many failures; `waitAfter`, if not given. */
  readonly waitMs?: (failures: number) => number
}

export class Outbox {
  readonly #ports: OutboxPorts
  readonly #stopped = new AbortController()
  #running: Promise<void> = Promise.resolve()

  constructor(ports: OutboxPorts) {
    this.#ports = ports
  }

  /** Whoever is told for the first time hears of what comes from now on. */
  start(): void {
    const { ledger, name } = this.#ports
    if (ledger.cursor(name) === undefined) ledger.keepCursor(name, ledger.head().seq)
    this.#running = this.#run()
  }

  /** What is under way is broken off, and told again after the next start. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { ledger, name, kinds, log } = this.#ports
    const { signal } = this.#stopped
    let version = ''
    while (!signal.aborted) {
      try {
        const now = ledger.approvalsVersion()
        const [record] = now === version ? [] : ledger.recordsOfKinds(kinds, ledger.cursor(name) ?? 0, 1)
        if (record !== undefined) await this.#tell(record)
        else {
          version = now
          await pause(liveMs, signal)
        }
      } catch (error) {
        log(`${name}: ${messageOf(error)}`)
        await pause(tellAgainMs, signal)
      }
    }
  }

  async #tell(record: StoredRecord): Promise<void> {
    const { ledger, name, tell, log, waitMs = waitAfter } = this.#ports
    const { signal } = this.#stopped
    for (let failures = 0; !signal.aborted; ) {
      try {
        await tell(record, signal)
        return ledger.keepCursor(name, record.seq)
      } catch (error) {
        if (signal.aborted) return
        failures++
        if (Date.now() - record.at > tellGiveUpMs) {
          log(`${name}: gave up on record ${record.seq}: ${messageOf(error)}`)
          return ledger.keepCursor(name, record.seq)
        }
        if (failures === 1) log(`${name}: record ${record.seq} was not heard, and is told again: ${messageOf(error)}`)
        await pause(waitMs(failures), signal)
      }
    }
  }
}

export function waitAfter(failures: number): number {
  return Math.min(tellAgainMsMax, tellAgainMs * 2 ** (failures - 1))
}

/** Posts a text. Rejects unless the other side says that it took it. */
export async function post(
  url: URL,
  body: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers,
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  })
  await response.body?.cancel()
  if (!response.ok) throw new Error(`it answered with HTTP ${response.status}`)
}

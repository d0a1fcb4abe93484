/** Follows a policy file while the gate runs. Polled: mounted volumes and editors replace files in ways that watchers miss. */
import { statSync } from 'node:fs'
import { messageOf, TollgateError } from '../model/errors.ts'
import type { Gate } from '../pep/gate.ts'
import { activePolicy, loadPolicyFile } from './policyFile.ts'

const pollMs = 250

/** Editors delete and rename when they save: a file that is gone for less than this was only being replaced. */
const vanishedMs = 1_000

export interface WatchPorts {
  readonly gate: Gate
  /** Told in a sentence of every change and of every failure; `error` is there when something is wrong. */
  readonly say: (sentence: string, error?: unknown) => void
}

/**
 * A good edit becomes active; a bad one is told with its places and the old policy stays; a file that is gone leaves no
 * policy, so that every call is denied until it is back. Gives a function that stops watching.
 */
export function watchPolicy(file: string, { gate, say }: WatchPorts): () => void {
  let seen = signatureOf(file)
  let goneMs = 0
  let busy = false
  const timer = setInterval(() => {
    if (busy) return
    const now = signatureOf(file)
    goneMs = now === undefined ? goneMs + pollMs : 0
    if (now === undefined && goneMs >= vanishedMs && seen !== undefined) {
      seen = undefined
      gate.deactivate()
      const sentence = `\`${file}\` is gone: every call is denied until it is back`
      say(sentence, new TollgateError('policy_unreadable', sentence))
    }
    if (now === undefined || now === seen) return
    seen = now
    busy = true
    void reload(file, { gate, say }).finally(() => {
      busy = false
    })
  }, pollMs)
  timer.unref()
  return () => clearInterval(timer)
}

async function reload(file: string, { gate, say }: WatchPorts): Promise<void> {
  try {
    const artifact = await loadPolicyFile(file)
    if (artifact.revision === gate.revision) return
    gate.activate(activePolicy(artifact))
    say(`\`${file}\` changed: revision ${artifact.revision.slice(0, 12)} is active`)
  } catch (error) {
    const kept = gate.revision === '' ? 'every call is denied' : `revision ${gate.revision.slice(0, 12)} stays active`
    say(`${await explain(error)}\n\`${file}\` was not loaded: ${kept}`, error)
  }
}

/** Every mistake with its place, where the error has them. */
async function explain(error: unknown): Promise<string> {
  const { PolicyError } = await import('../bundle/build.ts')
  if (!(error instanceof PolicyError)) return messageOf(error)
  const { formatDiagnostic } = await import('../policy/diagnostics.ts')
  return error.diagnostics.map(formatDiagnostic).join('\n')
}

/** Changes whenever the content may have: undefined when there is no file. */
function signatureOf(file: string): string | undefined {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false })
  return found && `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs}`
}

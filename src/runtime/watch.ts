/** Follows a policy file while the gate runs. Polled: mounted volumes and editors replace files in ways that watchers miss. */
import { statSync } from 'node:fs'
import { messageOf, TollgateError } from '../model/errors.ts'
import type { ActivationFailure } from '../model/event.ts'
import type { Policy } from '../model/policy.ts'
import type { Gate } from '../pep/gate.ts'
import { activePolicy, loadPolicyFile } from './policyFile.ts'

const pollMs = 250

/** Editors delete and rename when they save: a file that is gone for less than this was only being replaced. */
const vanishedMs = 1_000

export interface WatchPorts {
  readonly gate: Pick<Gate, 'activate' | 'deactivate' | 'notActivated' | 'revision'>
  /** Throws on a policy that must not become active here. */
  readonly accept?: (policy: Policy) => void
  /** Told in a sentence of every change and of every failure; `error` is there when something is wrong. */
  readonly say: (sentence: string, error?: unknown) => void
}

/**
 * A good edit becomes active; a bad one is told with its places and the old policy stays; a file that is gone leaves no
 * policy, so that every call is denied until it is back. Gives a function that stops watching.
 */
export function watchPolicy(file: string, ports: WatchPorts): () => void {
  const { gate, say } = ports
  if (!canBeFollowed(file)) {
    say(`\`${file}\` is no regular file: it was read once, and is not followed`)
    return () => {}
  }
  // What is active was read earlier, and the file may have changed since: so it is looked at once in any case.
  let seen: string | undefined = 'nothing yet'
  let before: string | undefined
  let goneMs = 0
  let busy = false
  const timer = setInterval(() => {
    if (busy) return
    const now = signatureOf(file)
    goneMs = now === undefined ? goneMs + pollMs : 0
    if (now === undefined && goneMs >= vanishedMs && seen !== undefined) {
      seen = undefined
      const sentence = `\`${file}\` is gone: every call is denied until it is back`
      gate.deactivate(`\`${file}\` is gone`)
      say(sentence, new TollgateError('policy_unreadable', sentence))
    }
    // Half of a file that is still being written may be a policy too, without the rules of its other half.
    const isStill = now === before
    before = now
    if (now === undefined || now === seen || !isStill) return
    seen = now
    busy = true
    void reload(file, ports).then((again) => {
      if (again) seen = 'nothing that could be recorded'
      busy = false
    })
  }, pollMs)
  timer.unref()
  return () => clearInterval(timer)
}

/** True when it should be tried again though the file does not change: the ledger was busy or full. */
async function reload(file: string, { gate, say, accept }: WatchPorts): Promise<boolean> {
  try {
    const artifact = await loadPolicyFile(file)
    if (artifact.revision === gate.revision) return false
    accept?.(artifact.policy)
    gate.activate(activePolicy(artifact))
    say(`\`${file}\` changed: revision ${artifact.revision.slice(0, 12)} is active`)
    return false
  } catch (error) {
    const kept = gate.revision === '' ? 'every call is denied' : `revision ${gate.revision.slice(0, 12)} stays active`
    const failure = await activationFailure(file, error)
    say(`${failure.detail}\n\`${file}\` was not loaded: ${kept}`, error)
    const again = failure.code.startsWith('ledger_')
    if (!again) gate.notActivated(failure)
    return again
  }
}

/** What a failure says in the record: every mistake with its place, where the error has them. */
export async function activationFailure(source: string, error: unknown): Promise<ActivationFailure> {
  const code = error instanceof TollgateError ? error.code : ''
  const { PolicyError } = await import('../bundle/build.ts')
  if (!(error instanceof PolicyError)) return { source, code, detail: messageOf(error) }
  const { formatDiagnostic } = await import('../policy/diagnostics.ts')
  return { source, code, detail: error.diagnostics.map(formatDiagnostic).join('\n') }
}

/** A pipe gives its content once: whoever reads it again finds it empty, or waits for a writer that never comes. */
function canBeFollowed(file: string): boolean {
  try {
    const found = statSync(file, { throwIfNoEntry: false })
    return !found || found.isFile() || found.isDirectory()
  } catch {
    return true // looked at again, as a file that is gone
  }
}

/** Changes whenever the content may have: undefined when there is no file, or none that can be looked at. */
function signatureOf(file: string): string | undefined {
  try {
    const found = statSync(file, { bigint: true, throwIfNoEntry: false })
    return found && `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs}`
  } catch {
    return undefined
  }
}

/** Follows the policy files of a gate while it runs. Polled: mounted volumes and editors replace files in ways that watchers miss. */
import { statSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { messageOf, TollgateError } from '../model/errors.ts'
import type { ActivationFailure } from '../model/event.ts'
import type { PolicySet } from '../model/policy.ts'
import { isGzip } from '../opa/files.ts'
import type { Gate } from '../pep/gate.ts'
import { namedFiles, readPolicyFile } from './policyFile.ts'
import { filesOf, loadPolicySet, type PolicyChoice } from './policySet.ts'

const pollMs = 250

/** Editors delete and rename when they save: a file that is gone for less than this was only being replaced. */
const vanishedMs = 1_000

export interface WatchPorts {
  readonly gate: Pick<Gate, 'activate' | 'deactivate' | 'notActivated' | 'revision'>
  /** Throws on a policy that must not become active here. */
  readonly accept?: (policy: PolicySet) => void
  /** Told in a sentence of every change and of every failure; `error` is there when something is wrong. */
  readonly say: (sentence: string, error?: unknown) => void
}

/**
 * A good edit becomes active; a bad one is told with its places and the old policy stays; a file that is gone leaves no
 * policy, so that every call is denied until it is back. Files that are one policy, or layers, change together: what is
 * active was read from all of them.
 */
export function watchPolicy(choice: PolicyChoice, ports: WatchPorts): Watching {
  const { gate, say } = ports
  const files = [...new Set(filesOf(choice))]
  const unfollowed = files.filter((file) => !canBeFollowed(file))
  if (unfollowed.length > 0) {
    const why = unfollowed.length === 1 ? 'is no regular file: it was' : 'are no regular files: they were'
    say(`${named(unfollowed)} ${why} read once, and ${files.length === 1 ? 'is' : 'the policy is'} not followed`)
    return { stop: () => {}, reload: () => say(`${named(unfollowed)} cannot be read again`) }
  }
  // What is active was read earlier, and a file may have changed since: so it is looked at once in any case.
  let seen: Signatures | undefined = files.map(() => 'nothing yet')
  let before: Signatures | undefined
  let goneMs = 0
  let busy = false
  let asked = false
  const look = () => {
    if (busy) return
    const now = files.map(signatureOfAll)
    const gone = files.filter((_, index) => now[index] === undefined)
    goneMs = gone.length > 0 ? goneMs + pollMs : 0
    if (goneMs >= vanishedMs && seen !== undefined) {
      seen = undefined
      const sentence = `${named(gone)} ${gone.length === 1 ? 'is gone: every call is denied until it is' : 'are gone: every call is denied until they are'} back`
      gate.deactivate(`${named(gone)} ${gone.length === 1 ? 'is' : 'are'} gone`)
      say(sentence, new TollgateError('policy_unreadable', sentence))
    }
    // Half of a file that is still being written may be a policy too, without the rules of its other half.
    const isStill = isDeepStrictEqual(now, before)
    before = now
    if (gone.length > 0 || isDeepStrictEqual(now, seen) || !isStill) return
    const changed = files.filter((_, index) => now[index] !== seen?.[index])
    seen = now
    busy = true
    const isAsked = asked
    asked = false
    void load(choice, changed, ports, isAsked).then((again) => {
      if (again) seen = files.map(() => 'nothing that could be recorded')
      busy = false
    })
  }
  const timer = setInterval(look, pollMs)
  timer.unref()
  const reload = () => {
    asked = true
    seen &&= files.map(() => 'asked for')
    look()
  }
  return { stop: () => clearInterval(timer), reload }
}

/** Until it is stopped. */
export interface Watching {
  readonly stop: () => void
  /** Looks at the files as if they had changed. */
  readonly reload: () => void
}

type Signatures = readonly (string | undefined)[]

/** True when it should be tried again though no file changes: the ledger was busy or full. */
async function load(
  choice: PolicyChoice,
  changed: readonly string[],
  { gate, say, accept }: WatchPorts,
  isAsked: boolean,
): Promise<boolean> {
  try {
    const loaded = await loadPolicySet({ ...choice, regularOnly: true })
    if (loaded.revision === gate.revision) {
      if (isAsked) say(`${named(changed)} says the same: revision ${loaded.revision.slice(0, 12)} stays active`)
      return false
    }
    accept?.(loaded.policy)
    gate.activate(loaded.active())
    say(`${named(changed)} changed: revision ${loaded.revision.slice(0, 12)} is active`)
    return false
  } catch (error) {
    const kept = gate.revision === '' ? 'every call is denied' : `revision ${gate.revision.slice(0, 12)} stays active`
    const failure = await activationFailure(changed, error)
    say(`${failure.detail}\n${named(changed)} ${changed.length === 1 ? 'was' : 'were'} not loaded: ${kept}`, error)
    const again = failure.code.startsWith('ledger_')
    if (!again) gate.notActivated(failure)
    return again
  }
}

function named(files: readonly string[]): string {
  return files.map((file) => `\`${file}\``).join(', ')
}

/** What a failure says in the record: every mistake with its place, where the error has them. */
export async function activationFailure(sources: readonly string[], error: unknown): Promise<ActivationFailure> {
  const code = error instanceof TollgateError ? error.code : ''
  const { PolicyError } = await import('../bundle/build.ts')
  if (!(error instanceof PolicyError)) return { sources, code, detail: messageOf(error) }
  const { formatDiagnostic } = await import('../policy/diagnostics.ts')
  return { sources, code, detail: error.diagnostics.map(formatDiagnostic).join('\n') }
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

/** With the files that it names, when there are any: to change one of them is to change the policy. */
function signatureOfAll(file: string): string | undefined {
  const own = signatureOf(file)
  if (own === undefined) return undefined
  if (besides.get(file)?.own !== own) besides.set(file, { own, files: filesNamedIn(file) })
  return [own, ...(besides.get(file)?.files ?? []).map(signatureOf)].join('\n')
}

const besides = new Map<string, { readonly own: string; readonly files: readonly string[] }>()

function filesNamedIn(file: string): readonly string[] {
  try {
    const bytes = readPolicyFile(file, { regularOnly: true })
    return isGzip(bytes) ? [] : namedFiles(file, bytes)
  } catch {
    return [] // told when it is loaded
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

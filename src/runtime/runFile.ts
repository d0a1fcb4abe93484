/**
 * The registration of a run in a file that its host keeps up to date: the phase moves on, approvals and evidence arrive,
 * signals fire. It is looked at with every call, so that what the host wrote before a call counts for it.
 */
import { statSync } from 'node:fs'
import { messageOf } from '../model/errors.ts'
import type { Run } from '../model/pack/run.ts'
import { formatDiagnostic } from '../policy/diagnostics.ts'
import { readRun } from '../policy/pack/run.ts'
import { readPolicyFile } from './policyFile.ts'

/** Gives the run as it is registered now; none, when the file is gone or wrong: then calls belong to no run. */
export function followRun(file: string, say: (sentence: string) => void): () => Run | undefined {
  let seen: string | undefined
  let run: Run | undefined
  return () => {
    const now = signatureOf(file)
    if (now === seen) return run
    seen = now
    run = load(file, say)
    return run
  }
}

function load(file: string, say: (sentence: string) => void): Run | undefined {
  try {
    const { run, diagnostics } = readRun(file, readPolicyFile(file, { regularOnly: true }))
    if (run) return run
    say(diagnostics.map(formatDiagnostic).join('\n'))
  } catch (error) {
    say(messageOf(error))
  }
  say(`\`${file}\` registers no run: calls that are judged by one are denied`)
  return undefined
}

function signatureOf(file: string): string {
  try {
    const found = statSync(file, { bigint: true })
    return `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs}`
  } catch {
    return 'nothing'
  }
}

/** `tollgate serve`: MCP servers behind a policy, for callers over HTTP. */
import type { PolicySet } from '../model/policy.ts'
import { admissionOf } from './admission.ts'
import { UsageError } from './exit.ts'
import { choiceOf, loadPolicy } from './policies.ts'
import { requireAnswers } from './required.ts'
import { addressOf, namesOf, type ServeOptions, silenceOf, targetsOf } from './serveOptions.ts'
import { settingsOf } from './serveSettings.ts'

export async function serve(command: readonly string[], options: ServeOptions): Promise<void> {
  const address = addressOf(options)
  const names = namesOf(address, options)
  const targets = targetsOf(command, options)
  const admission = admissionOf(options)
  const silenceMs = silenceOf(options.timeout)
  if (targets.length === 0)
    throw new UsageError(
      'the server behind the gate is missing: name it with `--upstream URL`, or put its command after `--`',
    )
  const settings = settingsOf(options, targets)
  const loaded = await loadPolicy(choiceOf(options))
  const accept = (policy: PolicySet) => {
    // Whoever has a key of the admission server can register runs there.
    for (const { server } of targets) requireAnswers(policy, { server, run: options.run ?? admission?.approvers })
  }
  accept(loaded.policy)
  const { serveUntilTold } = await import('./serving.ts')
  await serveUntilTold({ loaded, options, accept, address, names, targets, silenceMs, settings, admission })
}

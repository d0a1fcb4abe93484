/** `tollgate serve`: MCP servers behind a policy, for callers over HTTP. */
import type { Command } from 'commander'
import type { PolicySet } from '../model/policy.ts'
import { admissionOf } from './admission.ts'
import { approvalWaitOf } from './approvalWait.ts'
import { UsageError } from './exit.ts'
import { openLog, say } from './log.ts'
import { principalOf } from './openedGate.ts'
import { policyFeed, requirePolicy } from './policyFeed.ts'
import { requireAnswers } from './required.ts'
import { addressOf, namesOf, type ServeOptions, silenceOf, type Target, targetsOf } from './serveOptions.ts'
import { settingsOf } from './serveSettings.ts'
import type { Serving } from './serving.ts'
import { type Settled, settled } from './settled.ts'

export async function serve(words: readonly string[], flags: ServeOptions, parsed: Command): Promise<void> {
  const said = settled(parsed, flags, words)
  const { options } = said
  await openLog(options)
  for (const warning of said.warnings) say(warning)
  const start = startOf(said)
  const feed = await policyFeed(options)
  const accept = (policy: PolicySet) => {
    // Whoever has a key of the admission server, or a token, can register runs there.
    const run = options.run ?? start.admission?.approvers ?? start.settings.approverTokens?.[0]?.issuer.issuer
    for (const { server } of start.targets) requireAnswers(policy, { server, run })
  }
  accept(feed.loaded.policy)
  const { serveUntilTold } = await import('./serving.ts')
  await serveUntilTold({ feed, options, accept, ...start })
}

/** Throws one error for all that is wrong with flags, variables and settings. */
function startOf(said: Settled<ServeOptions>): Omit<Serving, 'feed' | 'options' | 'accept'> {
  const { options, command, mistakes, isPartial } = said
  const address = mistakes.of(() => addressOf(options))
  const names = address && mistakes.of(() => namesOf(address, options))
  const targets = mistakes.of(() => targetsOf(command, options))
  const isKnown = !isPartial || options.admin !== undefined
  const admission = mistakes.of(() => ({ wanted: isKnown ? admissionOf(options) : undefined }))
  const silenceMs = mistakes.of(() => silenceOf(options.timeout))
  if (options.approvalWait !== undefined) mistakes.of(() => approvalWaitOf(options.approvalWait ?? ''))
  mistakes.of(() => principalOf(options))
  // What seems to be missing may be what was wrong.
  if (!isPartial) {
    if (targets) mistakes.of(() => requireTargets(targets))
    mistakes.of(() => requirePolicy(options))
  }
  const settings = targets && mistakes.of(() => settingsOf(options, said.settings, targets))
  if (mistakes.any || !address || !names || !targets || !admission || silenceMs === undefined || !settings)
    throw mistakes.asError()
  return { address, names, targets, silenceMs, settings, admission: admission.wanted }
}

function requireTargets(targets: readonly Target[]): void {
  if (targets.length === 0)
    throw new UsageError(
      'the server behind the gate is missing: name it with `--upstream URL`, or put its command after `--`',
    )
}

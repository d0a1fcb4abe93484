/** `pinning` and `pinned`: which definitions of tools are accepted, and whether those that nobody has accepted are held back. */
import type { PinnedTool, Pinning, PinningMode } from '../../model/pinning.ts'
import { quote, type Report } from '../diagnostics.ts'
import { choice, type Field, type Located, mapOf, type Named, oneOrMore } from '../forms.ts'
import { type Naming, targetsOf } from '../names.ts'
import { sha256 } from '../pack/forms.ts'

export const pinningForm = choice('first_use', 'strict')

export const pinnedForm = mapOf(oneOrMore(sha256), 'a map from tools to digests', 1)

interface Written {
  readonly pinning?: Field<PinningMode>
  readonly pinned?: Field<readonly Named<readonly Located<string>[]>[]>
}

export function pinningOf({ pinning, pinned }: Written, naming: Naming, report: Report): Pinning | undefined {
  if (pinning?.value === undefined && pinned?.value === undefined) return undefined
  return {
    ...(pinning?.value && { mode: pinning.value }),
    pinned: (pinned?.value ?? []).flatMap((one) => pinnedTool(one, naming, report)),
  }
}

function pinnedTool(
  { name, nameAt, value }: Named<readonly Located<string>[]>,
  naming: Naming,
  report: Report,
): readonly PinnedTool[] {
  const match = targetsOf('tools/call', name, nameAt, report, naming)
  if (!match) return []
  if (match.some(({ server, name: tool }) => server?.kind === 'glob' || tool.kind === 'glob')) {
    report.error(nameAt, 'bad_name', `a digest is that of one tool, and ${quote(name)} stands for many`)
    return []
  }
  return [{ key: name, match, sha256: value.map((digest) => digest.value) }]
}

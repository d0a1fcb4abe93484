/** What agents are called: the class of one, and all the names under which it would be known as a person who approves. */

/** What tells one instance of an agent from another: the number in `codex-7`, the id in `codex-4f2a91`. */
const instanceSuffix = /-(?=[0-9a-f-]*\d)[0-9a-f-]+$/i

/**
 * `codex` for `codex`, `sr-agent::some-workflow::codex`, `codex/4711`, `codex@host` and `codex-7`: the last part of the
 * id, without what tells one instance from another.
 */
export function classOf(
  given: string | null | undefined,
  agentId: string | null | undefined,
): string | null | undefined {
  if (given !== undefined) return given && classWord(given)
  if (agentId === null || agentId === undefined) return agentId
  const last = agentId.split('::').at(-1) as string
  return classWord(last.replace(/[/@#:.].*$/s, '').replace(instanceSuffix, ''))
}

function classWord(text: string): string {
  return text.toLowerCase().replaceAll('-', '_')
}

/**
 * The last part of an id, in one case, and the same without what tells one instance from another: `x::github-copilot/7` is
 * `github_copilot/7` and `github_copilot`. What follows a dot stays: it is the last name of a person.
 */
export function agentWords(id: string): readonly string[] {
  const last = id.slice(id.lastIndexOf(':') + 1).toLowerCase()
  const anyInstance = last.replace(/[/@#].*$/s, '').replace(instanceSuffix, '')
  return [last, anyInstance].filter((word) => word !== '').map((word) => word.replaceAll('-', '_'))
}

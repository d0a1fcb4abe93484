/** What was masked or erased before a record came here: nobody knows any more what stood there. */
import type { Body } from '../log/body.ts'
import type { Path } from '../model/policy.ts'

/**
 * Paths of OPA's decision logs: `/input/arguments/card`, each part as in a URL. Those of our own views may start at the
 * arguments. What stands beside input and arguments (`/result`) is not asked for.
 */
export function hiddenIn(body: Body): readonly Path[] {
  return [body['erased'], body['masked']].flatMap((paths) => (Array.isArray(paths) ? paths : [])).flatMap(hiddenPath)
}

function hiddenPath(text: unknown): readonly Path[] {
  if (typeof text !== 'string') return []
  const [root = '', ...rest] = text.replace(/^\//, '').split('/').map(unescaped)
  if (root === 'input') return [rest]
  if (root === 'arguments' || root === 'action_params') return [['arguments', ...rest]]
  return root === 'principal' ? [[root, ...rest]] : []
}

function unescaped(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part // as OPA takes it, too
  }
}

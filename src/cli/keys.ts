/** `tollgate keys new`: an API key, and its digest for the file that the gate reads. */
import { digestOf, newApiKey, readApiKeys } from '../identity/apiKeys.ts'
import { messageOf } from '../model/errors.ts'
import { instantOf } from '../model/time.ts'
import { durationMs } from '../policy/durations.ts'
import { UsageError } from './exit.ts'

export interface KeysNewOptions {
  readonly id: string
  readonly agent?: string
  readonly user?: string
  readonly project?: string
  readonly group?: readonly string[]
  readonly expires?: string
  readonly json?: boolean
}

export function keysNew({ id, agent, user, project, group, expires, json }: KeysNewOptions): void {
  if (agent === undefined && user === undefined)
    throw new UsageError('a key names who calls with it: say `--agent NAME`, `--user NAME`, or both')
  const key = newApiKey()
  const entry = {
    id,
    sha256: digestOf(key),
    ...(agent !== undefined && { agent }),
    ...(user !== undefined && { user }),
    ...(project !== undefined && { project }),
    ...(group && { groups: group }),
    ...(expires !== undefined && { expires: endOf(expires) }),
  }
  requireReadable(entry)
  process.stdout.write(json ? `${JSON.stringify({ key, entry })}\n` : text(key, entry))
}

function endOf(expires: string): string {
  const ms = durationMs(expires)
  const at = ms === undefined ? instantOf(expires) : Date.now() + ms
  if (at === undefined)
    throw new UsageError(`\`--expires\` takes a time like \`2027-01-01T00:00:00Z\`, or \`90d\`, got \`${expires}\``)
  return new Date(at).toISOString()
}

/** The gate will read what is printed. */
function requireReadable(entry: object): void {
  try {
    readApiKeys('the key', Buffer.from(JSON.stringify({ keys: [entry] })))
  } catch (error) {
    throw new UsageError(messageOf(error))
  }
}

/** JSON texts are YAML texts. */
function text(key: string, entry: object): string {
  const lines = Object.entries(entry).map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
  return `# The key. It is shown this once: give it to the caller.
${key}

# For the file of \`--api-keys\`, under \`keys:\`.
  - ${lines.join('\n    ')}
`
}

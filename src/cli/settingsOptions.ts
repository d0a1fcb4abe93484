/**
 * The options of a gate as a file of settings and as variables say them: one table, so that both take the same values, and
 * a mistake in either is told in the same words. A key `allow_hosts` is the variable `$TOLLGATE_ALLOW_HOSTS`.
 */
import { pollMsMax, pollMsMin, waitMsMax } from '../distribution/limits.ts'
import { placeIn, placeSays } from '../distribution/places.ts'
import { hostName } from '../http/hosts.ts'
import { approvalWaitMsMax } from '../model/limits.ts'
import { durationMs, durationText } from '../policy/durations.ts'
import { choice, type Form, listOf, mapOf, mistake, oneOrMore } from '../policy/forms.ts'
import { label, text } from '../policy/scalars.ts'
import type { Node } from '../policy/source.ts'
import { isLayerName } from '../runtime/policySet.ts'
import { isAdminAddress } from './admission.ts'
import { isAdminUrl } from './approvalWait.ts'
import { levels, logFormats } from './log.ts'
import { argumentsKept, durabilities, extMcpAuths } from './options.ts'
import { addressIn, isOrigin, isServerUrl, timeoutMsMax } from './serveOptions.ts'

/** A text that a check lets through. */
function checked(says: string, isRight: (said: string) => boolean): Form<string> {
  return {
    says,
    schema: { type: 'string', minLength: 1 },
    read(node, name, report) {
      const said = textOf(node)
      return said !== undefined && isRight(said) ? said : mistake(node, name, says, report)
    },
  }
}

function textOf(node: Node): string | undefined {
  return node.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined
}

const address = withPort(checked('PORT or HOST:PORT, as in `127.0.0.1:8717`', (said) => addressIn(said) !== undefined))
const adminAddress = withPort(checked('PORT, HOST:PORT or unix:PATH, as in `127.0.0.1:8718`', isAdminAddress))
const serverUrl = checked(
  'the URL of an MCP server without user and password, as in `http://127.0.0.1:3000/mcp`',
  isServerUrl,
)
const adminUrl = checked('the address of a web page at its root, as in `https://approvals.example.com/`', isAdminUrl)
const host = checked('a host name or an address without a port', (said) => hostName(said) === said.toLowerCase())
const statusUrl = checked('a URL without user and password', (said) => placeIn(said)?.kind === 'http')
const webOrigin = checked('an origin like `https://example.com`', isOrigin)
/** There is a flag for yes, and nothing for no. */
const yes: Form<string> = {
  says: '`true`, or left out',
  schema: { const: true },
  read(node, name, report) {
    const said = node.kind === 'scalar' ? node.text : ''
    return said === 'true' ? said : mistake(node, name, yes.says, report)
  },
}
const timeout = lasting('5m', timeoutMsMax)
const approvalWait = lasting('2m', approvalWaitMsMax)

function lasting(example: string, mostMs: number, leastMs = 1): Form<string> {
  const least = leastMs > 1 ? `, at least ${durationText(leastMs)}` : ''
  return checked(`a duration like \`${example}\`${least}, at most ${durationText(mostMs)}`, (said) => {
    const ms = durationMs(said)
    return ms !== undefined && ms >= leastMs && ms <= mostMs
  })
}

/** A port alone is a number to YAML. */
function withPort(form: Form<string>): Form<string> {
  return {
    ...form,
    schema: { anyOf: [form.schema, { type: 'integer', minimum: 0, maximum: 65_535 }] },
    read(node, name, report) {
      const isPort = node.kind === 'scalar' && typeof node.value === 'number'
      return form.read(isPort ? { ...node, value: node.text } : node, name, report)
    },
  }
}

/** What a form reads, as the words that stand after the flag. */
function words<T>(form: Form<T>, wordsOf: (value: T) => readonly string[]): Form<readonly string[]> {
  return {
    ...form,
    read(node, name, report) {
      const value = form.read(node, name, report)
      return value === undefined ? undefined : wordsOf(value)
    },
  }
}

const one = (form: Form<string>) => words(form, (value) => [value])
const many = (form: Form<string>) => words(oneOrMore(form), (values) => values.map(({ value }) => value))

/** `NAME: VALUE` for what the flag takes as `NAME=VALUE`. */
function named(
  values: Form<readonly string[]>,
  says: string,
  isName: (name: string) => boolean,
  nameSays: string,
): Form<readonly string[]> {
  const map = mapOf(values, says, 1)
  return {
    ...map,
    read(node, name, report) {
      const entries = map.read(node, name, report)
      const wrong = entries?.filter((entry) => !isName(entry.name)) ?? []
      for (const { nameAt } of wrong) report.error(nameAt, 'bad_name', `a name in ${name} has ${nameSays}`)
      if (!entries || wrong.length > 0) return undefined
      return entries.flatMap((entry) => entry.value.map((value) => `${entry.name}=${value}`))
    },
  }
}

const layers = named(
  many(label),
  'a map from names of layers to their files',
  isLayerName,
  'letters, digits, `_` and `-`, a letter first',
)

const servers = named(
  one(serverUrl),
  'a map from names of servers to their URLs',
  (name) => /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name),
  'letters, digits, `.`, `_` and `-`, a letter or a digit first',
)

const place = checked(placeSays, (said) => placeIn(said) !== undefined)

/** One without a name, or several by their names. */
function oneOrNamed(form: Form<string>, says: string): Form<readonly string[]> {
  const several = named(one(form), says, isLayerName, 'letters, digits, `_` and `-`, a letter first')
  return {
    says: `${form.says}, or ${says}`,
    schema: { anyOf: [form.schema, several.schema] },
    read: (node, name, report) => (node.kind === 'map' ? several : one(form)).read(node, name, report),
  }
}

const upstream: Form<readonly string[]> = {
  says: `${serverUrl.says}, or ${servers.says}`,
  schema: { anyOf: [serverUrl.schema, servers.schema] },
  read: (node, name, report) => (node.kind === 'map' ? servers : one(serverUrl)).read(node, name, report),
}

const command = words(listOf(text, 'a list of a command and its arguments'), (values) =>
  values.map(({ value }) => value),
)

const placeOrNamed = pair(
  (said) => placeIn(said) !== undefined,
  `${placeSays}; or NAME=PLACE for each of several`,
  true,
)

/** `NAME=VALUE` in a variable, where the file has a map. */
function pair(isValue: (said: string) => boolean, says: string, nameless: boolean): Form<string> {
  return checked(says, (said) => {
    const [, name, value = said] = /^([A-Za-z0-9][A-Za-z0-9._-]*)=(.*)$/s.exec(said) ?? []
    return (nameless || name !== undefined) && isValue(value)
  })
}

interface SettingsOption {
  /** What the command line calls it, as its parser gives it. */
  readonly option: string
  readonly about: string
  /** In the file; without one the file says it otherwise. */
  readonly inFile?: Form<readonly string[]>
  /** One word of the variable; without one there is no variable. */
  readonly inVariable?: Form<string>
  /** Words of the file that are names of files. */
  readonly isFile?: true
}

const plain = (option: string, about: string, form: Form<string>): SettingsOption => ({
  option,
  about,
  inFile: one(form),
  inVariable: form,
})
const list = (option: string, about: string, form: Form<string>): SettingsOption => ({
  option,
  about,
  inFile: many(form),
  inVariable: form,
})
const file = (option: string, about: string): SettingsOption => ({ ...plain(option, about, label), isFile: true })
const variable = (option: string, about: string): SettingsOption => ({ option, about, inVariable: label })

/** By key. */
export const settingsOptions = {
  policy: { ...list('config', 'The policy; several files are merged, the first is the base.', label), isFile: true },
  layers: {
    option: 'layer',
    about: 'Layers of policies that each judge every call: files by names.',
    inFile: layers,
    inVariable: pair((said) => said !== '', 'NAME=FILE', false),
    isFile: true,
  },
  trust: file('trust', 'Whose bundles are believed: a file of keys.'),
  verify_keys: {
    ...list('verifyKey', 'Public keys; a bundle that one of them signed is believed.', label),
    isFile: true,
  },
  allow_unsigned: plain('allowUnsigned', 'Bundles that nobody signed are believed: for tests.', yes),
  entrypoints: list('entrypoint', 'The rules that decide in bundles of Rego by others, as PACKAGE/RULE.', label),
  bundles: {
    option: 'bundle',
    about: 'The policy as a bundle, in the place of `policy`; several by their names are layers.',
    inFile: oneOrNamed(place, 'a map from names of bundles to their places'),
    inVariable: placeOrNamed,
    isFile: true,
  },
  discovery: {
    ...plain('discovery', 'A bundle that names the bundles, in the place of `bundles`.', place),
    isFile: true,
  },
  bundle_token_file: {
    option: 'bundleTokenFile',
    about: 'The token that the server of the bundles is shown; of several by their names.',
    inFile: oneOrNamed(label, 'a map from names of bundles to files'),
    inVariable: label,
    isFile: true,
  },
  bundle_ca: file('bundleCa', 'The authorities that the servers of the bundles are believed by.'),
  bundle_cert: file('bundleCert', 'The certificate that they are shown.'),
  bundle_cert_key: file('bundleCertKey', 'Its private key.'),
  bundle_poll: plain(
    'bundlePoll',
    'A bundle is asked for at the latest after this time.',
    lasting('2m', pollMsMax, pollMsMin),
  ),
  bundle_wait: plain(
    'bundleWait',
    'How long its server may hold an answer until it changes.',
    lasting('30s', waitMsMax, 0),
  ),
  bundle_store: file('bundleStore', 'Where the last good bundles are kept.'),
  status_url: plain('statusUrl', 'Who is told how it stands with the bundles.', statusUrl),
  status_token_file: file('statusTokenFile', 'The token that it is shown.'),
  listen: plain('listen', 'Where callers connect.', address),
  upstream: {
    option: 'upstream',
    about: 'The MCP server behind the gate; several by their names.',
    inFile: upstream,
    inVariable: pair(isServerUrl, 'the URL of an MCP server, or NAME=URL for each of several', true),
  },
  command: {
    option: 'command',
    about: 'A stdio server and its arguments, in the place of `upstream`.',
    inFile: command,
  },
  server: plain('server', 'What policies call the one server.', label),
  allow_hosts: list('allowHost', 'Host names by which callers reach the gate, beside this machine.', host),
  allow_origins: list('allowOrigin', 'Origins whose web pages may call the gate.', webOrigin),
  timeout: plain('timeout', 'How long the server may be silent while it owes an answer.', timeout),
  agent: plain('agent', 'The agent that calls, where nobody is asked.', label),
  user: plain('user', 'The person behind it, where nobody is asked.', label),
  project: plain('project', 'The project it works for.', label),
  groups: list('group', 'Groups of the caller, where nobody is asked.', label),
  run: file('run', 'Where the host of the agent registers the run, for a policy pack.'),
  approval_wait: plain('approvalWait', 'How long a call that waits for a person is kept open.', approvalWait),
  admin: { ...plain('admin', 'Where the page and the API of approvals are.', adminAddress), isFile: true },
  approvers: file('approvers', 'Who may answer there.'),
  notify: file('notify', 'Who else is told of requests.'),
  admin_url: plain('adminUrl', 'By which address persons reach the page of approvals.', adminUrl),
  admin_tls_cert: file('adminTlsCert', 'The certificate of the page and the API of approvals.'),
  admin_tls_key: file('adminTlsKey', 'Its private key.'),
  ext_mcp: { ...plain('extMcp', 'Where agentgateway asks (ExtMcp).', adminAddress), isFile: true },
  ext_mcp_auth: plain('extMcpAuth', 'What whoever asks there shows.', choice(...extMcpAuths)),
  ext_mcp_client_ca: file('extMcpClientCa', 'The authority of the certificates that are shown there.'),
  ledger: file('ledger', 'Where counters and records are.'),
  durability: plain('durability', 'What a record survives.', choice(...durabilities)),
  arguments: plain('arguments', 'What is recorded of arguments the policy does not read.', choice(...argumentsKept)),
  log_format: plain('logFormat', 'How the gate says on stderr what it does.', choice(...logFormats)),
  log_level: plain('logLevel', 'What it says there.', choice(...levels)),
  settings: variable('settings', 'The file of settings.'),
  session: variable('session', 'The name of the session of `run`.'),
  jwt_issuer: variable('jwtIssuer', 'Callers show a JWT of this issuer.'),
  jwt_audience: variable('jwtAudience', 'That is for this audience.'),
  jwks: variable('jwks', 'And signed with a key that is here.'),
  api_keys: variable('apiKeys', 'Callers show an API key whose digest is in this file.'),
  tls_cert: variable('tlsCert', 'The certificate of the gate.'),
  tls_key: variable('tlsKey', 'Its private key.'),
  client_ca: variable('clientCa', 'The authorities whose client certificates are believed.'),
  public_url: variable('publicUrl', 'How clients reach the gate, where a proxy stands before it.'),
  upstream_bearer_file: variable('upstreamBearerFile', 'The token that the server is shown.'),
  upstream_header_file: variable('upstreamHeaderFile', 'Headers that the server is shown.'),
} as const satisfies Readonly<Record<string, SettingsOption>>

export type SettingsKey = keyof typeof settingsOptions

export const settingsEntries: readonly (readonly [string, SettingsOption])[] = Object.entries(settingsOptions)

export function variableOf(key: string): string {
  return `TOLLGATE_${key.toUpperCase()}`
}

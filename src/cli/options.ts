/** Options that several commands take. */
import { Option } from 'commander'
import { levels, logFormats } from './log.ts'

export const durabilities = ['process', 'power'] as const
export const extMcpAuths = ['none', 'key', 'certificate'] as const
export const argumentsKept = ['full', 'digest', 'none'] as const

export const ledgerOption = () =>
  new Option('--ledger <file>', 'the ledger (default: $TOLLGATE_LEDGER, or ledger.db in your state folder)')
export const policyOption = () =>
  new Option(
    '-c, --config <file>',
    'the policy; several, each after its own `-c`, are merged, the first is the base',
  ).argParser(collected)
export const layerOption = () =>
  new Option(
    '--layer <name=file>',
    'a layer of policies that each judge every call: the most restrictive decision counts; files of one name are merged',
  ).argParser(collected)

/** Every command with a `--json` and one with a `--format` is asked in the same word. */
export const jsonFormatOption = () => new Option('--json', 'short for `--format json`').conflicts('format')
export const inFormat = <Options extends { readonly format: string }>(options: Options & { readonly json?: true }) =>
  options.json ? { ...options, format: 'json' as const } : options

export const agentOption = () => new Option('--agent <id>', 'the agent that calls').env('TOLLGATE_AGENT')
export const userOption = () => new Option('--user <id>', 'the person behind it').env('TOLLGATE_USER')
export const projectOption = () => new Option('--project <id>', 'the project it works for').env('TOLLGATE_PROJECT')
export const groupOption = () =>
  new Option(
    '--group <name>',
    'a group of the caller; several, each after its own (default: $TOLLGATE_GROUPS)',
  ).argParser(collected)
export const runOption = () =>
  new Option('--run <file>', 'where the host of the agent registers the run, for a policy pack')
export const approvalWaitOption = () =>
  new Option(
    '--approval-wait <duration>',
    'how long a call that waits for a person is kept open, where its rule does not say (default: not at all)',
  )
export const adminOption = () =>
  new Option(
    '--admin <address>',
    'where the admission API and the page of approvals are: PORT, HOST:PORT, or unix:PATH',
  )
export const approversOption = () =>
  new Option('--approvers <file>', 'who may ask and answer there: a line of `tollgate approvals key NAME` for each key')
export const notifyOption = () =>
  new Option('--notify <file>', 'who else is told of requests, and may bring answers: a webhook, Slack')
export const adminUrlOption = () =>
  new Option(
    '--admin-url <url>',
    'by which address persons reach the page of approvals: clients that can open pages are sent there',
  )
export const adminTlsCertOption = () =>
  new Option('--admin-tls-cert <file>', 'speak TLS there with this certificate (a chain in PEM)')
export const adminTlsKeyOption = () => new Option('--admin-tls-key <file>', 'its private key (PEM)')
export const extMcpOption = () =>
  new Option('--ext-mcp <address>', 'where agentgateway asks, over gRPC (ExtMcp): PORT, HOST:PORT, or unix:PATH')
export const extMcpAuthOption = () =>
  new Option('--ext-mcp-auth <what>', 'what whoever asks there shows (on this machine none, if not given)').choices(
    extMcpAuths,
  )
export const extMcpClientCaOption = () =>
  new Option('--ext-mcp-client-ca <file>', 'the authority of the certificates that are shown there (PEM)')
export const durabilityOption = () =>
  new Option('--durability <what>', 'what a record survives').choices(durabilities).default('process')
export const argumentsOption = () =>
  new Option('--arguments <kept>', 'what is recorded of arguments the policy does not read')
    .choices(argumentsKept)
    .default('full')
export const logFormatOption = () =>
  new Option('--log-format <form>', 'how what the gate says on stderr is written').choices(logFormats).default('text')
export const logLevelOption = () =>
  new Option('--log-level <level>', 'what it says: this and what is worse').choices(levels).default('info')

/** An option that may stand several times. */
export function collected(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

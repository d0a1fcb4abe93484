/** The file of `--notify`: who is told of requests. Secrets stand in files of their own, found beside it. */
import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isLoopback } from '../http/hosts.ts'
import { isApproverName } from '../model/approval.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { formatDiagnostic, Report, type Spot } from '../policy/diagnostics.ts'
import { type Field, mapOf, record } from '../policy/forms.ts'
import { label } from '../policy/scalars.ts'
import { readSource } from '../policy/source.ts'
import { readText, start } from '../policy/text.ts'
import { notifyBytesMax } from './limits.ts'
import type { Notify } from './ports.ts'
import { webhookKey } from './signatures.ts'

const webhookForm = record(
  'a map that says where a webhook is',
  {
    url: {
      form: label,
      about: 'Where messages are posted: `https`, or `http` on this machine.',
      required: 'say where it is',
    },
    secret: { form: label, about: 'The file with the secret, `whsec_…`.', required: 'name the file of its secret' },
  },
  { owner: '`webhook`' },
)

const slackForm = record(
  'a map that says where Slack is',
  {
    url: {
      form: label,
      about: 'The file with the address of an incoming webhook.',
      required: 'name the file of its address',
    },
    signing_secret: {
      form: label,
      about: 'The file with the signing secret of the app.',
      required: 'name the file of the signing secret',
    },
    users: {
      form: mapOf(label, 'a map from ids of users to names of approvers', 1),
      about: 'Who may answer, by the id of the user.',
      required: 'say which users may answer, by their ids',
    },
  },
  { owner: '`slack`' },
)

const notifyForm = record('who is told of requests', {
  webhook: { form: webhookForm, about: 'A program that is told, and may bring answers.' },
  slack: { form: slackForm, about: 'A channel of Slack.' },
})

/** Throws `notify_invalid`, with every mistake. */
export function readNotifyFile(file: string): Notify {
  const report = new Report(file)
  const notify = notifyIn(file, report)
  if (notify === undefined || report.failed)
    throw new TollgateError('notify_invalid', report.diagnostics().map(formatDiagnostic).join('\n'))
  return notify
}

function notifyIn(file: string, report: Report): Notify | undefined {
  const bytes = bytesOf(file, start, report)
  const text = bytes && readText(bytes, report)
  const root = text === undefined ? undefined : readSource(text, report)
  const fields = root && notifyForm.read(root, 'the file', report)?.fields
  if (fields === undefined) {
    if (!report.failed) report.error(start, 'wrong_value', 'the file says of nobody who is told')
    return undefined
  }
  const secretIn = <T>(field: Field<string> | undefined, read: (text: string) => T): T | undefined => {
    if (field?.value === undefined) return undefined
    const secret = bytesOf(resolve(dirname(file), field.value), field.at, report)
    return secret && tried(() => read(Buffer.from(secret).toString('utf8').trim()), field.at, report)
  }
  const { url, secret } = fields.webhook?.value?.fields ?? {}
  const key = secretIn(secret, webhookKey)
  const address = url?.value === undefined ? undefined : tried(() => addressOf(url.value as string), url.at, report)
  const { url: slackUrl, signing_secret, users } = fields.slack?.value?.fields ?? {}
  const slackAddress = secretIn(slackUrl, addressOf)
  const signingSecret = secretIn(signing_secret, notEmpty)
  for (const { name, value, nameAt } of users?.value ?? [])
    if (!isApproverName(value))
      report.error(nameAt, 'wrong_value', `the approver of \`${name}\` has no name that a record can carry`)
  return {
    ...(key && address && { webhook: { url: address, key } }),
    ...(slackAddress &&
      signingSecret !== undefined && {
        slack: {
          url: slackAddress,
          signingSecret,
          users: new Map((users?.value ?? []).map(({ name, value }) => [name, value])),
          responseOrigin: slackAddress.hostname === 'hooks.slack.com' ? 'https://hooks.slack.com' : slackAddress.origin,
        },
      }),
  }
}

function tried<T>(read: () => T, at: Spot, report: Report): T | undefined {
  try {
    return read()
  } catch (error) {
    report.error(at, 'wrong_value', messageOf(error))
    return undefined
  }
}

/** What is told has arguments of calls in it. */
function addressOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))
  if (url === undefined || !isSafe) throw new Error('an address is an `https` URL, or an `http` one of this machine')
  return url
}

function notEmpty(text: string): string {
  if (text === '') throw new Error('the file is empty')
  return text
}

function bytesOf(file: string, at: Spot, report: Report): Uint8Array | undefined {
  try {
    if (statSync(file).size > notifyBytesMax) throw new Error(`it has more than ${notifyBytesMax} bytes`)
    return readFileSync(file)
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    report.error(at, 'unreadable', missing ? `there is no file \`${file}\`` : messageOf(error))
    return undefined
  }
}

/** Who is told of requests, beside the page: a webhook and Slack. The ledger keeps up to where each was told. */
import type { Approval } from '../model/approval.ts'
import type { StoredRecord } from '../model/ledger.ts'
import { tellMsMax } from './limits.ts'
import { Outbox, type OutboxPorts, post } from './outbox.ts'
import type { Notify } from './ports.ts'
import { slackMessage } from './slack.ts'
import { tellWebhook, toldKinds, webhookMessage } from './webhook.ts'

export interface NotifyPorts extends Pick<OutboxPorts, 'log' | 'waitMs'> {
  readonly ledger: OutboxPorts['ledger'] & { approval(id: string): Approval | undefined }
  /** Where a person answers a request with a browser. */
  readonly page?: (id: string) => string
}

/** Not started yet. */
export function outboxes({ webhook, slack }: Notify, ports: NotifyPorts): readonly Outbox[] {
  const { ledger, page, ...common } = ports
  const requestOf = ({ decisionId = '' }: StoredRecord) => `apr_${decisionId}`
  const pageOf = (record: StoredRecord) => page?.(requestOf(record))
  return [
    ...(webhook
      ? [
          new Outbox({
            ...common,
            ledger,
            name: 'webhook',
            kinds: toldKinds,
            tell: (record, signal) =>
              tellWebhook(
                webhook,
                record,
                webhookMessage(record, ledger.approval(requestOf(record)), pageOf(record)),
                signal,
              ),
          }),
        ]
      : []),
    ...(slack
      ? [
          new Outbox({
            ...common,
            ledger,
            name: 'slack',
            kinds: ['hold'],
            tell: async (record, signal) => {
              const approval = ledger.approval(requestOf(record))
              const message = approval && slackMessage(approval, pageOf(record))
              if (message !== undefined)
                await post(slack.url, message, { 'content-type': 'application/json' }, signal, tellMsMax)
            },
          }),
        ]
      : []),
  ]
}

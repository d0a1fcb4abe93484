/** The commands about what was decided: why, the record of it, and what waits for a person. */

import { Argument, type Command, Option } from 'commander'
import { scopes } from '../admission/scopes.ts'
import { recordKinds } from '../log/filter.ts'
import { approvalStates } from '../model/approval.ts'
import type { ApprovalsAnswerOptions, ApprovalsListOptions, ApprovalsShowOptions } from './approvals.ts'
import type { ApprovalsServeOptions } from './approvalsServe.ts'
import type { AuditOptions } from './audit.ts'
import type { AuditVerifyOptions } from './auditVerify.ts'
import type { ExplainOptions } from './explain.ts'
import { addKill, addSessions } from './killCommands.ts'
import {
  adminOption,
  adminTlsCertOption,
  adminTlsKeyOption,
  adminUrlOption,
  approversOption,
  inFormat,
  jsonFormatOption,
  layerOption,
  ledgerOption,
  notifyOption,
  policyOption,
} from './options.ts'
import { addReplay } from './replayCommands.ts'
import { addTools } from './toolsCommands.ts'
import { addTrustOptions } from './trustOptions.ts'

export function addRecordCommands(program: Command): void {
  addExplain(program)
  addAudit(program)
  addApprovals(program)
  addKill(program)
  addTools(program)
  addSessions(program)
  addReplay(program)
}

function addExplain(program: Command): void {
  addTrustOptions(
    program
      .command('explain')
      .description(
        'why a call is decided as it is, or was: what was asked, what was seen, and what would have had to differ',
      )
      .usage('-c POLICY|--layer NAME=POLICY... [--ledger FILE] CALL|- | [--ledger FILE] DECISION_ID|SEQ')
      .addOption(policyOption())
      .addOption(layerOption()),
  )
    .addOption(ledgerOption())
    .option('--json', 'the whole explanation as JSON')
    .argument(
      '<what>',
      'a call as `eval` reads it, or `-` for standard input, of which the last is explained; or a decision: its id, or the number that `audit` shows',
    )
    .action(async (what: string, options: ExplainOptions) =>
      (await import('./explain.ts')).explainDecision(what, options),
    )
}

function addAudit(program: Command): void {
  const auditCommand = program
    .command('audit')
    .description('the record of what the gate decided, and how the calls ended')
    .usage('[options] | verify [options]')
    .helpCommand(false)
    .allowExcessArguments() // said better below
    .addOption(ledgerOption())
    .addOption(
      new Option('--format <form>', 'a table, a JSON array, or a JSON object a line')
        .choices(['table', 'json', 'jsonl'])
        .default('table'),
    )
    .addOption(jsonFormatOption())
    .option('-o, --output <file>', 'write into this file, whole or not at all (default: standard output)')
    .option('--session <id>', 'of this session')
    .option('--agent <id>', 'called by this agent')
    .option('--user <id>', 'for this person')
    .option('--project <id>', 'for this project')
    .option('--tool <name>', 'calls of this tool')
    .option('--server <name>', 'of this server')
    .addOption(new Option('--decision <decision>', 'decided so').choices(['allow', 'deny', 'hold', 'kill']))
    .option('--reason <code>', 'decided for this reason, by its code')
    .option('--since <time>', 'from this time on: RFC 3339, or how long ago, like 15m, 2h, 7d')
    .option('--until <time>', 'before this time')
    .addOption(new Option('--kind <kind...>', 'records of these kinds (default: decision)').choices(recordKinds))
    .addOption(new Option('--all', 'records of every kind').conflicts('kind'))
    .option('--limit <n>', 'the last n of them (default: 50 in a table, else all)')
    .action(async (options: AuditOptions, command: Command) => {
      if (command.args[0] !== undefined) return (await import('./help.ts')).unknownCommand(command, command.args[0])
      await (await import('./audit.ts')).audit(inFormat(options))
    })

  auditCommand
    .command('verify')
    .description('prove it: the hash chain is whole, and every decision is made again from its stored input')
    .addOption(ledgerOption())
    .option('--json', 'the whole report as JSON')
    .option('--since <time>', 'only the records from this time on')
    .option('--head <hash>', 'this hash, noted down earlier, must be in the chain: shows that its end was not cut off')
    .action(async (options: AuditVerifyOptions) => {
      const { auditVerify, refuseBefore } = await import('./auditVerify.ts')
      refuseBefore(auditCommand)
      auditVerify(options)
    })
}

function addApprovals(program: Command): void {
  const approvalsCommand = program.command('approvals').description('calls that wait for a person, and the answers')

  const approvalArgument = () =>
    new Argument('<id>', 'the id of the request, as the refusal and `approvals list` say it')
  const reasonOption = (about: string) => new Option('--reason <text>', about)
  const asOption = () => new Option('--as <name>', 'who answers (default: the user of the operating system)')

  approvalsCommand
    .command('list')
    .description('requests, in the order in which they were made')
    .addOption(ledgerOption())
    .addOption(new Option('--state <state...>', 'in these states (default: pending)').choices(approvalStates))
    .addOption(new Option('--all', 'in every state').conflicts('state'))
    .option('--json', 'print them as JSON')
    .action(async (options: ApprovalsListOptions) => (await import('./approvals.ts')).approvalsList(options))

  approvalsCommand
    .command('show')
    .description('one request: the call with its arguments, what holds it, who answered')
    .addArgument(approvalArgument())
    .addOption(ledgerOption())
    .option('--json', 'print it as JSON')
    .action(async (id: string, options: ApprovalsShowOptions) =>
      (await import('./approvals.ts')).approvalsShow(id, options),
    )

  approvalsCommand
    .command('approve')
    .description('let the call through, once, when it is made again in time')
    .addArgument(approvalArgument())
    .addOption(ledgerOption())
    .addOption(reasonOption('why; it is recorded'))
    .addOption(asOption())
    .option('--json', 'print the request as JSON')
    .action(async (id: string, options: ApprovalsAnswerOptions) =>
      (await import('./approvals.ts')).approvalsAnswer('approve', id, options),
    )

  approvalsCommand
    .command('reject')
    .description('refuse the call, until the request would have expired')
    .addArgument(approvalArgument())
    .addOption(ledgerOption())
    .addOption(reasonOption('why; it is recorded, and the caller is told'))
    .addOption(asOption())
    .option('--json', 'print the request as JSON')
    .action(async (id: string, options: ApprovalsAnswerOptions) =>
      (await import('./approvals.ts')).approvalsAnswer('reject', id, options),
    )

  approvalsCommand
    .command('serve')
    .description('the page and the HTTP API of approvals, beside a ledger whose gates are other processes')
    .usage('--admin ADDRESS --approvers FILE [options]')
    .addOption(adminOption().makeOptionMandatory())
    .addOption(approversOption())
    .addOption(notifyOption())
    .addOption(adminUrlOption())
    .addOption(adminTlsCertOption())
    .addOption(adminTlsKeyOption())
    .addOption(ledgerOption())
    .action(async (options: ApprovalsServeOptions) => (await import('./approvalsServe.ts')).approvalsServe(options))

  approvalsCommand
    .command('key')
    .description('make a key for a person or a program: its line is printed, and the key itself on standard error')
    .addArgument(new Argument('<name>', 'the person, as the record will name them, or the program'))
    .addOption(new Option('--scope <scopes...>', 'what the key may do (default: read and approve)').choices(scopes))
    .action(async (name: string, options) => (await import('./approvalsKey.ts')).approvalsKey(name, options))
}

/**
 * The declarations, as a program meets them. It is checked here, and by `package.packed.ts` in programs of several kinds
 * against the package as it is packed; what must not compile says so.
 */
import {
  type CallOutcome,
  type CallRequest,
  CompileError,
  type Decision,
  type Diagnostic,
  formatDiagnostic,
  type Gate,
  type GateOptions,
  type JsonObject,
  type Kill,
  NothingHappened,
  openGate,
  PolicyError,
  type Report,
  TollgateError,
} from '../../src/index.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Same<A, B>): void => {}
declare const anything: unknown
declare const gate: Gate
declare const maybe: string | undefined

interface Refund {
  readonly amount: number
  readonly lines: readonly { readonly sku: string }[]
  readonly note?: string
}
declare const refund: Refund

export async function options(): Promise<void> {
  same<Awaited<ReturnType<typeof openGate>>, Gate>(true)
  await openGate({ policy: 'policy.yaml', ledger: 'ledger.db' })
  await openGate({ policy: { name: 'p', text: new Uint8Array() }, ledger: ':memory:', server: maybe, watch: false })
  const all: Required<GateOptions> = {
    policy: 'policy.yaml',
    ledger: 'ledger.db',
    watch: true,
    trust: 'trust.yaml',
    verifyKeys: ['release.pub'],
    allowUnsigned: false,
    entrypoint: 'authz/allow',
    server: 'shop',
    principal: { agent: 'support', user: maybe, project: 'p' },
    session: 's',
    run: { workflow_id: 'w', changed_paths: ['a'], diff_line_count: 1, kill_signal: false, gate_phase: maybe },
    durability: 'power',
    argumentsKept: 'digest',
    clock: () => 0,
    onReport: ({ message, error }: Report) => same<[string, unknown], [typeof message, typeof error]>(true),
  }
  await openGate(all)
  // @ts-expect-error a ledger is a choice that nobody makes by leaving it out
  await openGate({ policy: 'policy.yaml' })
  // @ts-expect-error and so is a policy
  await openGate({ ledger: 'ledger.db' })
  // @ts-expect-error a misspelt option
  await openGate({ policy: 'p', ledger: 'l', principle: {} })
  // @ts-expect-error there is no such durability
  await openGate({ policy: 'p', ledger: 'l', durability: 'disk' })
}

export function check(): void {
  const decision = gate.check({ server: 'shop', tool: 'refund', arguments: { amount: 5 } })
  same<typeof decision, Decision>(true)
  same<Decision['decision'], 'allow' | 'deny' | 'hold' | 'kill'>(true)
  gate.check({ tool: 'refund' })
  gate.check({ resource: 'file:///a' })
  gate.check({ prompt: 'greet', arguments: { name: 'Ann' }, principal: { user: maybe }, session: maybe })
  gate.check({ tool: 'refund', arguments: refund })
  gate.check({ tool: 'refund', arguments: anything as Record<string, unknown> })
  gate.check({ tool: 'refund', arguments: { nested: anything } })
  gate.check({ tool: 'push', run: { human_approval_record: null, evidence_records: [{ id: 'a', uri: 'b' }] } })
  gate.check({ tool: 'push', run: () => undefined })
  // @ts-expect-error a misspelt attribute
  gate.check({ tool: 'push', run: { workflow: 'w' } })
  // @ts-expect-error a sentence is no approval
  gate.check({ tool: 'push', run: { human_approval_record: 'approved' } })
  const plain: JsonObject = { a: [1, null, { b: 'c' }] }
  gate.check({ tool: 'refund', arguments: plain })
  // @ts-expect-error a call names what is called
  gate.check({ server: 'shop' })
  // @ts-expect-error one thing, not two
  gate.check({ tool: 'refund', prompt: 'greet' })
  // @ts-expect-error a resource has no arguments
  gate.check({ resource: 'file:///a', arguments: {} })
  // @ts-expect-error a misspelt key
  gate.check({ tool: 'refund', args: {} })
  // @ts-expect-error a date is not JSON
  gate.check({ tool: 'refund', arguments: { at: new Date() } })
  // @ts-expect-error nor is a bigint
  gate.check({ tool: 'refund', arguments: { amount: 5n } })
  // @ts-expect-error nor is a function, however deep
  gate.check({ tool: 'refund', arguments: { a: [{ b: () => 1 }] } })
  // @ts-expect-error nor is undefined
  gate.check({ tool: 'refund', arguments: { a: undefined } })
  // @ts-expect-error arguments are an object
  gate.check({ tool: 'refund', arguments: 'all' })
  // @ts-expect-error a principal has three fields
  gate.check({ tool: 'refund', principal: { name: 'ann' } })
}

export async function call(): Promise<void> {
  const outcome = await gate.call({ tool: 'refund', arguments: refund }, async (judged, decision) => {
    same<typeof judged, Refund>(true)
    same<typeof decision, Decision>(true)
    return judged.amount
  })
  same<typeof outcome, CallOutcome<number>>(true)
  if (outcome.allowed) same<typeof outcome.result, number>(true)
  // @ts-expect-error there is no result before somebody has looked whether there is one
  outcome.result
  const sync = await gate.call({ tool: 'ping' }, () => 'pong' as const)
  same<typeof sync, CallOutcome<'pong'>>(true)
  const plain = await gate.call({ tool: 'ping', arguments: { a: 1, b: ['x'] } }, ({ a, b }) => [a, b] as const)
  same<typeof plain, CallOutcome<readonly [number, string[]]>>(true)
  const asked: CallRequest = { tool: 'ping', arguments: { a: 1 } }
  await gate.call(asked, (judged) => same<typeof judged, JsonObject>(true))
  // @ts-expect-error without a function there is nothing to run
  await gate.call({ tool: 'ping' })
}

export async function lifetime(): Promise<void> {
  same<string, typeof gate.revision>(true)
  await gate.activate('policy.yaml')
  await gate.activate({ name: 'p', text: '' })
  const kill = gate.kill({ session: 's' }, { by: 'ada' })
  same<typeof kill, Kill>(true)
  gate.lift({ id: kill.id }, { by: 'ada', reason: 'mended' })
  gate.lift({ all: true }, { by: 'ada' })
  // @ts-expect-error everything is stopped by saying so
  gate.kill({ all: false }, { by: 'ada' })
  // @ts-expect-error somebody says it
  gate.kill({ agent: 'bot' }, {})
  const stop: () => void = gate.onPolicyChange(() => {})
  stop()
  gate.close()
  // @ts-expect-error the revision is what it is
  gate.revision = ''
}

export function errors(error: unknown): string {
  if (error instanceof PolicyError) {
    same<typeof error.diagnostics, readonly Diagnostic[]>(true)
    return error.diagnostics.map(formatDiagnostic).join('\n')
  }
  if (error instanceof NothingHappened) return error.message
  if (error instanceof CompileError) return error.code
  const cause: Error = new NothingHappened('declined', { cause: error })
  return error instanceof TollgateError ? error.code : cause.message
}

export function guards(): void {
  // @ts-expect-error this is no client
  gate.wrapClient({})
  // @ts-expect-error this is no server
  gate.guardServer({ connect: async () => {} })
}

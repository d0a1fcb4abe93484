/**
 * Traces for OpenTelemetry: a span for each call, under the span of its caller. Loaded only where somebody is there to take
 * them. Whether they can be sent changes nothing for a call.
 */
import { setTimeout as wait } from 'node:timers/promises'
import {
  type Attributes,
  type Context,
  createTraceState,
  diag,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { Call } from '../model/call.ts'
import type { Decision } from '../model/decision.ts'
import { messageOf } from '../model/errors.ts'
import { contextOf } from '../model/trace.ts'
import type { Gatekeeper, Outcome } from '../pep/gatekeeper.ts'
import { version } from '../runtime/version.ts'
import { aroundGate } from './aroundGate.ts'

/** How long a collector may take, with what is tried again, also when the process ends. */
const sendMs = 3_000

/** A collector that is away is told of once in this time. */
const complainMs = 60_000

/** Names come from agents. */
const attributeCharsMax = 256

interface UnderWay {
  readonly span: Span
  readonly since: number
}

export class Traces {
  readonly #provider: BasicTracerProvider
  readonly #underWay = new Map<string, UnderWay>()
  /** Of calls that were held: whether they are kept open is known a little later. */
  readonly #held = new Map<string, { readonly span: Span; isKept: boolean }>()
  readonly #say: (sentence: string) => void

  /** `say` hears that spans cannot be sent. Where they go is in the environment, by the names of OpenTelemetry. */
  constructor(say: (sentence: string) => void) {
    const own = resourceFromAttributes({ 'service.name': 'tollgate', 'service.version': version })
    const told = detectResources({ detectors: [envDetector] })
    this.#say = say
    complainTo(say)
    this.#provider = new BasicTracerProvider({
      resource: defaultResource().merge(own).merge(told),
      spanLimits: { attributeValueLengthLimit: attributeCharsMax },
      spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ timeoutMillis: sendMs }))],
    })
  }

  /** The same gate, traced. */
  traced(gate: Gatekeeper): Gatekeeper {
    return aroundGate(gate, {
      admit: (calls) => this.#admit(gate, calls),
      refuse: (refusals) => gate.refuse(refusals),
      settle: (outcomes) => {
        gate.settle(outcomes)
        for (const outcome of outcomes) this.#end(outcome)
      },
      keptOpen: (decisionId, isOpen) => this.#keep(decisionId, isOpen),
    })
  }

  /** Sends what is left. */
  async end(): Promise<void> {
    for (const { span } of [...this.#underWay.values(), ...this.#held.values()]) span.end()
    try {
      await Promise.race([this.#provider.shutdown(), wait(sendMs, undefined, { ref: false })])
    } catch (error) {
      this.#say(`what was left of the traces was not sent: ${messageOf(error)}`)
    }
  }

  #admit(gate: Gatekeeper, calls: readonly Call[]): readonly Decision[] {
    const tracer = this.#provider.getTracer('tollgate', version)
    const since = performance.now()
    const spans = calls.map(
      (call) =>
        this.#continued(call) ??
        tracer.startSpan(call.method, { kind: SpanKind.SERVER, attributes: aboutCall(call) }, parentOf(call)),
    )
    const decisions = gate.admit(calls.map((call, index) => ({ ...call, ...idsOf(spans[index]) })))
    const now = performance.now()
    for (const [index, span] of spans.entries()) {
      const decision = decisions[index]
      if (decision) span.setAttributes({ ...aboutDecision(decision), 'tollgate.decide_ms': now - since })
      if (decision?.decision === 'allow') this.#underWay.set(decision.decision_id, { span, since: now })
      else if (decision?.decision === 'hold') this.#hold(span, decision, calls[index])
      else span.end()
    }
    return decisions
  }

  /** Known by the decision that held it first: one that is judged again may be held again, and is kept open as before. */
  #hold(span: Span, { decision_id: decisionId }: Decision, { held: first }: Partial<Call> = {}): void {
    const held = { span, isKept: first !== undefined }
    this.#held.set(first ?? decisionId, held)
    // Whoever keeps it open says so before anything else happens.
    setImmediate(() => {
      if (!held.isKept) this.#keep(decisionId, false)
    })
  }

  #keep(decisionId: string, isOpen: boolean): void {
    const held = this.#held.get(decisionId)
    if (!held) return
    held.isKept = isOpen
    if (isOpen) return
    this.#held.delete(decisionId)
    held.span.end()
  }

  /** The span of a call that was kept open and is judged again. */
  #continued({ held = '' }: Call): Span | undefined {
    const span = this.#held.get(held)?.span
    this.#held.delete(held)
    span?.addEvent('tollgate.judged_again', { 'tollgate.held_by': held })
    return span
  }

  #end({ decisionId, status }: Outcome): void {
    const known = this.#underWay.get(decisionId)
    if (!known) return
    this.#underWay.delete(decisionId)
    const { span, since } = known
    span.setAttributes({ 'tollgate.outcome': status, 'tollgate.upstream_ms': performance.now() - since })
    if (status !== 'success') span.setStatus({ code: SpanStatusCode.ERROR })
    span.end()
  }
}

/** What the caller said is the parent; nothing of it is believed beyond that. */
function parentOf(call: Call): Context {
  const said = contextOf(call.params?.['_meta']) ?? contextOf(call.trace)
  if (said === undefined) return ROOT_CONTEXT
  const { traceId, spanId, traceFlags, tracestate } = said
  const traceState = tracestate === undefined ? {} : { traceState: createTraceState(tracestate) }
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true, ...traceState })
}

function idsOf(span: Span | undefined): Pick<Call, 'span'> {
  const ids = span?.spanContext()
  return ids ? { span: { trace_id: ids.traceId, span_id: ids.spanId } } : {}
}

/** Never an argument, and of what is read by its URI only that it is. */
function aboutCall({ method, server, name, session }: Call): Attributes {
  return {
    'mcp.method.name': method,
    ...(method === 'tools/call' && { 'gen_ai.tool.name': name }),
    ...(method === 'prompts/get' && { 'gen_ai.prompt.name': name }),
    'tollgate.server': server,
    'tollgate.session': session,
  }
}

function aboutDecision({ decision, reason_code, rule, decision_id, revision }: Decision): Attributes {
  return {
    'tollgate.decision': decision,
    'tollgate.reason_code': reason_code,
    ...(rule !== null && rule !== undefined && { 'tollgate.rule': rule }),
    'tollgate.decision_id': decision_id,
    'tollgate.revision': revision,
  }
}

function complainTo(say: (sentence: string) => void): void {
  let last = Number.NEGATIVE_INFINITY
  const complain = () => {
    const now = performance.now()
    if (now - last < complainMs) return
    last = now
    say('warning: traces cannot be sent to the collector: calls go on without')
  }
  const nothing = () => {}
  diag.setLogger({ error: complain, warn: nothing, info: nothing, debug: nothing, verbose: nothing })
}

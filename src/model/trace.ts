/** The trace that a call belongs to, as its caller says it (W3C Trace Context): in headers, or in `_meta` of MCP. */

export interface TraceContext {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
  readonly tracestate?: string
}

/** Version 00; later ones may say more behind it. `ff` is none, and ids of zeros alone are none. */
const traceparentPattern = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** A longer one may be cut by anybody on the way. */
const tracestateCharsMax = 512

/** Undefined for what names no trace. A `tracestate` that is odd is left out, as the standard says. */
export function contextOf(said: unknown): TraceContext | undefined {
  if (typeof said !== 'object' || said === null) return undefined
  const { traceparent, tracestate } = said as { readonly traceparent?: unknown; readonly tracestate?: unknown }
  if (typeof traceparent !== 'string' || traceparent.length > tracestateCharsMax) return undefined
  const [, version, traceId = '', spanId = '', flags = '', more] = traceparentPattern.exec(traceparent) ?? []
  if (version === undefined || (version === '00' && more !== undefined)) return undefined
  const isSound = typeof tracestate === 'string' && tracestate !== '' && tracestate.length <= tracestateCharsMax
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, ...(isSound && { tracestate }) }
}

/** Are there traces to make? What makes them is large, and loaded where a collector is named and nowhere else. */
import { say } from './log.ts'
import type { Traces } from './traces.ts'

/** Undefined where nobody takes them. */
export async function openTraces(): Promise<Pick<Traces, 'traced' | 'end'> | undefined> {
  const collector = process.env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || process.env['OTEL_EXPORTER_OTLP_ENDPOINT']
  if (!collector || process.env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return undefined
  return new (await import('./traces.ts')).Traces(say)
}

/** Lengths of time as Go writes them: `30m`, `1h30m`, `1.5h`, `90s`. */
import { durationText } from '../durations.ts'
import { type Form, mistake } from '../forms.ts'

const unitMs = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const

const whole = /^(?:(?:[0-9]{1,12}\.?[0-9]{0,9}|\.[0-9]{1,9})(?:ns|us|µs|ms|s|m|h))+$/
const part = /([0-9.]+)(ns|us|µs|ms|s|m|h)/g

export function goDuration(minMs: number, maxMs: number): Form<number> {
  const says = `a duration like \`30m\`, \`1h30m\` or \`90s\`, from ${durationText(minMs)} to ${durationText(maxMs)}`
  return {
    says,
    schema: { type: 'string', pattern: whole.source },
    read(node, label, report) {
      const ms = node.kind === 'scalar' && typeof node.value === 'string' ? milliseconds(node.value) : undefined
      if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms
      return mistake(node, label, says, report)
    },
  }
}

function milliseconds(text: string): number | undefined {
  if (!whole.test(text)) return undefined
  const parts = [...text.matchAll(part)].map(([, count, unit]) => Number(count) * unitMs[unit as keyof typeof unitMs])
  return Math.floor(parts.reduce((sum, ms) => sum + ms, 0))
}

/** Lengths of time: `90s`, `15m`, `1h30m`, `2d`. */
import { type Form, mistake } from './forms.ts'
import type { Node } from './source.ts'

const durationPattern = /^(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?$/

/** Milliseconds, or undefined when the text is no duration. */
export function durationMs(text: string): number | undefined {
  const parts = durationPattern.exec(text)
  if (!parts || text === '') return undefined
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts.slice(1).map((part) => Number(part ?? 0))
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
}

export function duration(minMs: number, maxMs: number): Form<number> {
  const says = `a duration like \`30m\`, \`1h30m\` or \`2d\`, from ${durationText(minMs)} to ${durationText(maxMs)}`
  return {
    says,
    schema: { type: 'string', pattern: durationPattern.source },
    read(node, label, report) {
      const ms = node.kind === 'scalar' && typeof node.value === 'string' ? durationMs(node.value) : undefined
      if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms
      return mistake(node, label, says, report, unitMissing(node))
    },
  }
}

function unitMissing(node: Node): string {
  return node.kind === 'scalar' && /^[0-9]+$/.test(node.text) ? ', which has no unit' : ''
}

/** The shortest way to write it. */
export function durationText(ms: number): string {
  const seconds = ms / 1000
  if (seconds === 0) return '0s'
  if (seconds % 86_400 === 0) return `${seconds / 86_400}d`
  if (seconds % 3_600 === 0) return `${seconds / 3_600}h`
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`
}

/** The risk of a call: the highest level that anything which speaks about its target names. */
import { type RiskLevel, riskLevels, type Verdict } from './decision.ts'
import type { Entry } from './policy.ts'

export function riskOf(entries: readonly Entry[]): RiskLevel | undefined {
  const named = entries.flatMap((entry) => [entry.riskLevel, ...entry.rules.map((rule) => rule.riskLevel)])
  return riskLevels.findLast((level) => named.includes(level))
}

/** How loud a log says it. */
export type LogLevel = 'debug' | 'info' | 'warning' | 'error'

const logLevels: Readonly<Record<RiskLevel, LogLevel>> = {
  low: 'debug',
  medium: 'info',
  high: 'warning',
  critical: 'error',
}

/** The log level of a decision; none where the policy names no risk. */
export function logLevelOf(risk: RiskLevel | undefined): LogLevel | undefined {
  return risk && logLevels[risk]
}

export function withRisk(verdict: Verdict, risk: RiskLevel | undefined): Verdict {
  return risk === undefined ? verdict : { ...verdict, risk_level: risk }
}

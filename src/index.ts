/** The library: `import { openGate } from 'tollgate'`. */
export type { Call, Principal } from './model/call.ts'
export type { Decision, RiskLevel } from './model/decision.ts'

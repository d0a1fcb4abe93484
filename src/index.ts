/** The library: `import { openGate } from 'tollgate'`. */
export { PolicyError } from './bundle/errors.ts'
export { CompileError } from './compile/errors.ts'
export { NothingHappened } from './library/nothingHappened.ts'
export { openGate } from './library/openGate.ts'
export type {
  CallContext,
  CallOutcome,
  CallRequest,
  ClientLike,
  Gate,
  GateOptions,
  GuardOptions,
  JsonObject,
  JsonOnly,
  JsonValue,
  PolicyText,
  Principal,
  PromptGet,
  Report,
  ResourceRead,
  ServerLike,
  ToolCall,
} from './library/types.ts'
export type { Decision, RiskLevel } from './model/decision.ts'
export { TollgateError } from './model/errors.ts'
export type { ReasonCode } from './model/reasons.ts'
export { type Diagnostic, type DiagnosticCode, formatDiagnostic } from './policy/diagnostics.ts'

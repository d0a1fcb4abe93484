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
  EvidenceRecord,
  Gate,
  GateOptions,
  GuardOptions,
  HumanApproval,
  JsonObject,
  JsonOnly,
  JsonValue,
  Kill,
  KillSaid,
  KillSignal,
  KillTarget,
  PolicyText,
  Principal,
  PromptGet,
  Report,
  ResourceRead,
  RunAttributes,
  RunRegistration,
  ServerLike,
  StopSignal,
  ToolCall,
} from './library/types.ts'
export type { Decision, RiskLevel } from './model/decision.ts'
export { TollgateError } from './model/errors.ts'
export type { ReasonCode } from './model/reasons.ts'
export { type Diagnostic, type DiagnosticCode, formatDiagnostic } from './policy/diagnostics.ts'

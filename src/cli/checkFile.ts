/** Everything that is wrong with one policy file: what cannot be read, what is a mistake, what does not compile. */
import type { CompileError } from '../compile/errors.ts'
import type { Policy } from '../model/policy.ts'
import { type Diagnostic, type DiagnosticCode, Report } from '../policy/diagnostics.ts'
import { parseInto } from '../policy/parse.ts'
import { PolicyFileError, readBeside, readPolicyFile } from '../runtime/policyFile.ts'

export interface CheckedFile {
  readonly file: string
  /** Its text as far as it is text; empty when it cannot be read. */
  readonly text: string
  readonly diagnostics: readonly Diagnostic[]
}

/** What parses must also compile: a policy that `check` accepts is one that `run` starts with. */
export type Compile = (policy: Policy) => Promise<unknown>

export interface CheckPorts {
  readonly compile?: Compile
  /** Says more of a policy that has no mistake. */
  readonly review?: (policy: Policy, report: Report) => void
}

export async function checkFile(file: string, ports: CheckPorts = {}): Promise<CheckedFile> {
  const bytes = bytesOf(file)
  if (!(bytes instanceof Uint8Array)) return { file, text: '', diagnostics: [bytes] }
  const report = new Report(file)
  const { policy } = parseInto(report, bytes, readBeside(file))
  const text = new TextDecoder().decode(bytes)
  if (!policy) return { file, text, diagnostics: report.diagnostics() }
  ports.review?.(policy, report)
  const trouble = await compileTrouble(file, policy, ports.compile ?? compileWhole)
  return { file, text, diagnostics: [...report.diagnostics(), ...trouble] }
}

function bytesOf(file: string): Uint8Array | Diagnostic {
  try {
    return readPolicyFile(file)
  } catch (error) {
    if (!(error instanceof PolicyFileError)) throw error
    const code: DiagnosticCode = error.tooLarge ? 'too_large' : 'unreadable'
    return { file, line: 1, col: 1, severity: 'error', code, message: error.fault }
  }
}

async function compileWhole(policy: Policy): Promise<void> {
  const { compilePolicy } = await import('../bundle/build.ts')
  await compilePolicy(policy, [])
}

async function compileTrouble(file: string, policy: Policy, compile: Compile): Promise<readonly Diagnostic[]> {
  try {
    await compile(policy)
    return []
  } catch (error) {
    const { CompileError } = await import('../compile/errors.ts')
    if (!(error instanceof CompileError)) throw error
    const at = await placeOf(error, policy)
    const message = `this does not compile: ${error.message} (${error.code})`
    return [{ file, ...at, severity: 'error', code: 'uncompiled', message }]
  }
}

/** The generated Rego says above each rule which line of the policy it comes from. */
async function placeOf({ diagnostics: [first] }: CompileError, policy: Policy): Promise<{ line: number; col: number }> {
  const { generate } = await import('../codegen/generate.ts')
  const lines = (first ? (generate(policy).modules[first.file] ?? '') : '').split('\n').slice(0, first?.row)
  const places = lines.flatMap((line) => /^\t?# .*:(\d+)[).]/.exec(line)?.[1] ?? [])
  return { line: Number(places.at(-1) ?? 1), col: 1 }
}

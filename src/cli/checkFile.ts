/** Everything that is wrong with the files of one policy: what cannot be read, what is a mistake, what does not compile. */
import { resolve } from 'node:path'
import type { CompileError } from '../compile/errors.ts'
import type { Place, Policy } from '../model/policy.ts'
import { isGzip } from '../opa/files.ts'
import { type Diagnostic, type DiagnosticCode, quote, type Report } from '../policy/diagnostics.ts'
import { type MergedPolicy, mergePolicies, readParts } from '../policy/merge.ts'
import type { PolicySource } from '../policy/parse.ts'
import type { TrustNow } from '../runtime/bundleFile.ts'
import { PolicyFileError, readBeside, readPolicyFile } from '../runtime/policyFile.ts'

export interface CheckedFile {
  readonly file: string
  /** Its text as far as it is text; empty when it cannot be read. */
  readonly text: string
  readonly diagnostics: readonly Diagnostic[]
}

export interface CheckedPolicy {
  readonly files: readonly CheckedFile[]
  /** Only when no diagnostic is an error. */
  readonly policy?: Policy
}

/** What parses must also compile: a policy that `check` accepts is one that `run` starts with. */
export type Compile = (policy: Policy) => Promise<unknown>

export interface CheckPorts {
  readonly compile?: Compile
  /** Whom bundles are believed from. */
  readonly trust?: TrustNow
  /** Says more of a policy that has no mistake. */
  readonly review?: (policy: Policy, report: Report) => void
}

export async function checkFile(file: string, ports: CheckPorts = {}): Promise<CheckedFile> {
  return (await checkPolicy([file], ports)).files[0] as CheckedFile
}

/** Files that are merged, the first of which is the base. What they come to together is told in the file it is about. */
export async function checkPolicy(files: readonly string[], ports: CheckPorts = {}): Promise<CheckedPolicy> {
  const read = files.map((file, index) => ({ file, bytes: bytesOf(file, files.slice(0, index)) }))
  const [only] = read
  if (only && only.bytes instanceof Uint8Array && isGzip(only.bytes) && read.length === 1) {
    const { checkBundle } = await import('./checkBundle.ts')
    return checkBundle(only.file, only.bytes, ports.trust, ports)
  }
  const sources = read.flatMap(({ file, bytes }): readonly PolicySource[] =>
    bytes instanceof Uint8Array ? [{ file, text: bytes, beside: readBeside(file) }] : [],
  )
  const { policy, diagnostics } = await judged(sources, files.length, ports)
  return {
    files: read.map(({ file, bytes }) =>
      bytes instanceof Uint8Array
        ? {
            file,
            text: new TextDecoder().decode(bytes),
            diagnostics: diagnostics.filter((diagnostic) => diagnostic.file === file),
          }
        : { file, text: '', diagnostics: [bytes] },
    ),
    ...(policy && !diagnostics.some(({ severity }) => severity === 'error') && { policy }),
  }
}

async function judged(
  sources: readonly PolicySource[],
  wanted: number,
  ports: CheckPorts,
): Promise<{ policy?: Policy; diagnostics: readonly Diagnostic[] }> {
  // What the others come to without the one that is missing would be fallout.
  if (sources.length < wanted) return { diagnostics: readParts(sources).diagnostics }
  const merged: MergedPolicy = mergePolicies(sources)
  const { policy, report } = merged
  if (!policy) return { diagnostics: merged.diagnostics() }
  ports.review?.(policy, report)
  const trouble = await compileTrouble(
    sources.map(({ file }) => file),
    policy,
    ports.compile ?? compileWhole,
  )
  return { policy, diagnostics: [...merged.diagnostics(), ...trouble] }
}

const notMerged = 'a bundle is a whole policy and is not merged: give each its own `--layer`'

function bytesOf(file: string, before: readonly string[]): Uint8Array | Diagnostic {
  const fault = (code: DiagnosticCode, message: string): Diagnostic => ({
    file,
    line: 1,
    col: 1,
    severity: 'error',
    code,
    message,
  })
  const same = before.find((one) => resolve(one) === resolve(file))
  if (same !== undefined) return fault('duplicate_name', `this is ${quote(same)}, which is one of the files already`)
  try {
    const bytes = readPolicyFile(file)
    if (before.length > 0 && isGzip(bytes)) return fault('bundle_refused', notMerged)
    return bytes
  } catch (error) {
    if (!(error instanceof PolicyFileError)) throw error
    return fault(error.tooLarge ? 'too_large' : 'unreadable', error.fault)
  }
}

async function compileWhole(policy: Policy): Promise<void> {
  const { compilePolicy } = await import('../bundle/build.ts')
  await compilePolicy(policy, [])
}

async function compileTrouble(
  files: readonly string[],
  policy: Policy,
  compile: Compile,
): Promise<readonly Diagnostic[]> {
  try {
    await compile(policy)
    return []
  } catch (error) {
    const { CompileError } = await import('../compile/errors.ts')
    if (!(error instanceof CompileError)) throw error
    const at = (await placeOf(error, policy, files)) ?? { file: files[0] ?? '', line: 1, col: 1 }
    const message = `this does not compile: ${error.message} (${error.code})`
    return [{ ...at, severity: 'error', code: 'uncompiled', message }]
  }
}

/** The generated Rego says above each rule which line of the policy it comes from. */
async function placeOf(
  { diagnostics: [first] }: CompileError,
  policy: Policy,
  files: readonly string[],
): Promise<Place | undefined> {
  const { generate } = await import('../codegen/generate.ts')
  const lines = (first ? (generate(policy).modules[first.file] ?? '') : '').split('\n').slice(0, first?.row)
  const comments = lines.filter((line) => /^\t?# /.test(line)).toReversed()
  for (const line of comments)
    for (const file of files) {
      const [, number] = /^:(\d+)[),.]/.exec(behind(line, [`(${file}`, ` ${file}`])) ?? []
      if (number !== undefined) return { file, line: Number(number), col: 1 }
    }
  return undefined
}

/** What follows the last of these words. */
function behind(line: string, words: readonly string[]): string {
  const ends = words.flatMap((word) => (line.includes(word) ? [line.lastIndexOf(word) + word.length] : []))
  return ends.length === 0 ? '' : line.slice(Math.max(...ends))
}

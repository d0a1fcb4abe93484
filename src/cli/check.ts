/** `tollgate check`: every mistake of every file at once. */

import { compilePolicy } from '../bundle/build.ts'
import { CompileError } from '../compile/errors.ts'
import { TollgateError } from '../model/errors.ts'
import { type Diagnostic, formatDiagnostic } from '../policy/diagnostics.ts'
import { parsePolicy } from '../policy/parse.ts'
import { readPolicyFile } from '../runtime/policyFile.ts'
import { exitCodes } from './exit.ts'
import { paint } from './terminal.ts'

export interface CheckOptions {
  readonly format: 'text' | 'json'
}

export async function check(files: readonly string[], { format }: CheckOptions): Promise<void> {
  const found: Diagnostic[] = []
  for (const file of files) found.push(...(await mistakesOf(file)))
  const errors = found.filter(({ severity }) => severity === 'error').length
  if (format === 'json') process.stdout.write(`${JSON.stringify(found, null, 2)}\n`)
  else for (const diagnostic of found) process.stdout.write(`${coloured(diagnostic)}\n`)
  if (format === 'text') process.stderr.write(`${summary(files.length, errors, found.length - errors)}\n`)
  process.exitCode = errors > 0 ? exitCodes.wrong : exitCodes.fine
}

async function mistakesOf(file: string): Promise<readonly Diagnostic[]> {
  const unreadable = (message: string): Diagnostic => ({
    file,
    line: 1,
    col: 1,
    severity: 'error',
    code: 'unreadable',
    message,
  })
  try {
    const { policy, diagnostics } = parsePolicy({ file, text: readPolicyFile(file) })
    // What parses must also compile: a policy that `check` accepts is one that `run` starts with.
    if (policy) await compilePolicy(policy, [])
    return diagnostics
  } catch (error) {
    if (error instanceof CompileError || error instanceof TollgateError) return [unreadable(error.message)]
    throw error
  }
}

function coloured(diagnostic: Diagnostic): string {
  return paint(diagnostic.severity === 'error' ? 'red' : 'yellow', formatDiagnostic(diagnostic), process.stdout)
}

function summary(files: number, errors: number, warnings: number): string {
  const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`
  return `${counted(files, 'file')}, ${counted(errors, 'error')}, ${counted(warnings, 'warning')}`
}

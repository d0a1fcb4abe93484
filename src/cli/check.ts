/** `tollgate check`: every mistake of every file at once. */
import type { Diagnostic } from '../policy/diagnostics.ts'
import { type CheckedFile, checkFile } from './checkFile.ts'
import { diagnosticText } from './checkText.ts'
import { exitCodes } from './exit.ts'
import { paint } from './terminal.ts'

export interface CheckOptions {
  readonly format: 'text' | 'json' | 'sarif'
  readonly strict?: true
}

export async function check(files: readonly string[], { format, strict }: CheckOptions): Promise<void> {
  const checked: CheckedFile[] = []
  for (const file of new Set(files)) checked.push(await checkFile(file))
  const found = checked.flatMap(({ diagnostics }) => diagnostics)
  const errors = found.filter(({ severity }) => severity === 'error').length
  const warnings = found.length - errors
  process.stdout.write(await printed(format, checked, found))
  if (format === 'text') process.stderr.write(`${summary(checked.length, errors, warnings)}\n`)
  process.exitCode = errors > 0 || (strict && warnings > 0) ? exitCodes.wrong : exitCodes.fine
}

async function printed(
  format: CheckOptions['format'],
  checked: readonly CheckedFile[],
  found: readonly Diagnostic[],
): Promise<string> {
  switch (format) {
    case 'text':
      return checked.map(textOf).join('')
    case 'json':
      return `${JSON.stringify(found, null, 2)}\n`
    case 'sarif': {
      const { sarifLog } = await import('./checkSarif.ts')
      const { version } = await import('../runtime/version.ts')
      return `${JSON.stringify(sarifLog(found, { version, folder: process.cwd() }), null, 2)}\n`
    }
  }
  return format satisfies never
}

/** Where nothing says how wide the reader's window is. */
const widthOtherwise = 120

function textOf({ text, diagnostics }: CheckedFile): string {
  if (diagnostics.length === 0) return ''
  const { stdout } = process
  const lines = text.split(/\r?\n/)
  const options = {
    width: (stdout.isTTY && stdout.columns) || widthOtherwise,
    paint: (colour: Parameters<typeof paint>[0], part: string) => paint(colour, part, stdout),
  }
  return diagnostics.map((diagnostic) => `${diagnosticText(diagnostic, lines, options)}\n\n`).join('')
}

function summary(files: number, errors: number, warnings: number): string {
  const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`
  return `${counted(files, 'file')}, ${counted(errors, 'error')}, ${counted(warnings, 'warning')}`
}

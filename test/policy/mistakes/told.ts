/** Files with mistakes, and what the report says of each. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { formatDiagnostic, parsePolicy } from '../../../src/policy/parse.ts'

/** What is wrong, the file, and what the report says of it. A file stands for `f.yaml`. */
export type Case = readonly [name: string, text: string | Uint8Array, says: readonly string[]]

export const head = 'version: "1"\ndefault: deny\n'

/** A file whose `tools` are these lines; they start on line 4. */
export const tools = (...lines: readonly string[]) => `${head}tools:\n${lines.map((line) => `  ${line}\n`).join('')}`

/** A file with one tool, whose rule is these lines; they start on line 6, column 9. */
export const rule = (...lines: readonly string[]) =>
  tools('pay:', '  rules:', ...lines.map((line, index) => `    ${index === 0 ? '-' : ' '} ${line}`))

/** A file with one rule, whose arguments are these lines; they start on line 7, column 11. */
export const args = (...lines: readonly string[]) => rule('arguments:', ...lines.map((line) => `  ${line}`))

export function areTold(title: string, cases: readonly Case[]): void {
  test(`mistakes in ${title} are told with their place`, async (t) => {
    for (const [name, text, says] of cases)
      await t.test(name, () => {
        const { policy, diagnostics } = parsePolicy({ file: 'f.yaml', text })
        assert.deepEqual(diagnostics.map(formatDiagnostic), says)
        assert.equal(
          policy === undefined,
          diagnostics.some(({ severity }) => severity === 'error'),
        )
      })
  })
}

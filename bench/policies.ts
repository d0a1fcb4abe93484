/** The policies that are measured: many tools, each with rules of every kind that costs something. */
import type { Artifact } from '../src/bundle/artifact.ts'
import { buildPolicy } from '../src/bundle/build.ts'

/** As many tools as asked for, all alike: a spend cap, two arguments that are read, and a rate for each session. */
export function policyText(tools: readonly string[]): string {
  return `version: "1"\ndefault: deny\ntools:\n${tools.map(toolText).join('')}`
}

export function toolNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `tool_${String(index).padStart(4, '0')}`)
}

export function compiled(tools: readonly string[]): Promise<Artifact> {
  return buildPolicy({ name: `${tools.length}-tools.yaml`, text: policyText(tools) })
}

/** Arguments that pass the rules, as a client would send them. */
export function passingArguments(): { readonly [key: string]: string | number } {
  return { amount: 1.25, currency: 'EUR', customer: 'cus_8423', message: 'the second half of the invoice' }
}

/** Limits that a benchmark never reaches. */
function toolText(name: string): string {
  return `  ${name}:
    rules:
      - name: cap
        spend: { per_call: 500.00, daily: 1000000000 }
      - name: known-words
        arguments:
          currency: { enum: [GBP, USD, EUR] }
          customer: { type: string, length: { min: 1, max: 64 } }
      - name: not-too-often
        rate_limit: 1000000000/day
        per: session
`
}

/** A bundle of Rego by others, as `opa build` writes it: made by our own compiler, which is OPA's. */
import { compileCached } from '../../src/compile/cache.ts'
import type { Capabilities } from '../../src/compile/capabilities.ts'
import type { BundleFile } from '../../src/opa/files.ts'
import { text } from '../opa/signer.ts'

/** What a person of another team writes: a document, a plain rule, and rules that are no decisions. */
export const rego = `package authz

decision := {"decision": "require_approval", "reason_code": "LARGE", "rule": "large", "message": "a large payment"} if {
	input.tool == "pay"
	input.arguments.amount > data.limits.large
	not input.arguments.amount > data.limits.most
}

else := {"allow": true, "risk_level": "low"} if input.tool in data.tools

else := {"allow": false, "rule": "night", "message": "not at night"} if {
	input.tool == "deploy"
	time := split(input.time, "T")[1]
	time > "20"
}

else := true if {
	input.tool == "deploy"
	input.principal.agent == "releaser"
	input.server == "prod"
}

default allow := false

allow if input.tool in data.tools
`

export const data = { limits: { large: 100, most: 1000 }, tools: ['get_balance', 'pay'] }

export interface Foreign {
  readonly rego?: string
  readonly data?: object
  readonly entrypoints?: readonly string[]
  readonly capabilities?: Capabilities
  readonly manifest?: object
}

/** With a module for its entrypoints, of which a single one decides; none of them: Rego alone. */
export async function foreignFiles({
  rego: written = rego,
  data: given = data,
  entrypoints = ['authz/decision'],
  capabilities,
  manifest,
}: Foreign = {}): Promise<readonly BundleFile[]> {
  const modules = { 'authz.rego': written }
  const request = {
    modules,
    data: given as Record<string, unknown>,
    entrypoints,
    ...(capabilities && { capabilities }),
  }
  const wasm = entrypoints.length === 0 ? undefined : (await compileCached(request)).wasm
  return [
    text('data.json', JSON.stringify(given)),
    text('authz.rego', entrypoints.length === 0 ? written : 'package authz\n'),
    ...(wasm ? [{ path: 'policy.wasm', bytes: wasm }] : []),
    text(
      '.manifest',
      JSON.stringify({
        revision: '7',
        roots: [''],
        ...(wasm && { wasm: entrypoints.map((entrypoint) => ({ entrypoint, module: '/policy.wasm' })) }),
        rego_version: 1,
        ...(entrypoints.length === 1 && { metadata: { tollgate: { entrypoint: entrypoints[0] } } }),
        ...manifest,
      }),
    ),
  ]
}

// Compiled policies under the WebAssembly host that Tollgate uses, and samples to compile.
import { loadPolicy } from '@open-policy-agent/opa-wasm'

export const refunds = `package refunds

default allow := false

allow if {
	is_number(input.amount)
	input.amount <= 500
}
`

/** The value of the first entrypoint, once per result. */
export async function evaluate(wasm: Uint8Array, input: unknown): Promise<unknown[]> {
  const policy = await loadPolicy(Buffer.from(wasm))
  const results: { result: unknown }[] = policy.evaluate(input)
  return results.map(({ result }) => result)
}

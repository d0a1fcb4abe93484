/** Which policy decides now. */
import type { Router } from 'express'
import { type ActivePolicy, partsOf } from '../pep/active.ts'
import { scoped } from './keys.ts'
import { type AdmissionPorts, gateOf } from './ports.ts'

export function addPolicy(v1: Router, ports: AdmissionPorts): void {
  v1.get('/policy', scoped('read'), (_, response) => {
    const { active } = gateOf(ports)
    response.json({ revision: active?.revision ?? '', policies: active ? partsOf(active).map(policyView) : [] })
  })
}

function policyView(active: ActivePolicy & { readonly name?: string }): object {
  const { name: layer, policy, revision, wasmDigest, sources } = active
  return {
    ...(layer !== undefined && { layer }),
    id: policy.id,
    version: policy.version,
    revision,
    strategy: policy.strategy,
    sources,
    wasm_sha256: wasmDigest,
  }
}

/** `tollgate compile`: what a policy becomes, as files to read. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { loadPolicyFiles } from '../runtime/policyFile.ts'
import { withMistakesTold } from './policies.ts'

export interface CompileOptions {
  readonly output: string
}

export async function compile(files: readonly string[], { output }: CompileOptions): Promise<void> {
  const artifact = await withMistakesTold(files, () => loadPolicyFiles(files))
  const write = (name: string, content: string | Uint8Array) => {
    const path = join(output, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
  }
  for (const [name, text] of Object.entries(artifact.modules)) write(name, text)
  write('data.json', `${JSON.stringify(artifact.data, null, 2)}\n`)
  write('policy.wasm', artifact.wasm)
  const { revision, compiler, entrypoint, wasmDigest } = artifact
  write('tollgate.json', `${JSON.stringify({ revision, entrypoint, wasm_sha256: wasmDigest, compiler }, null, 2)}\n`)
  process.stderr.write(`revision ${revision}: ${Object.keys(artifact.modules).length} modules in ${output}\n`)
}

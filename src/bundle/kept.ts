/**
 * Artifacts of policy files in the cache folder, so that a gate whose policy was built before starts without the
 * languages and the code generator. An artifact is a pure function of the file and of the code that builds it, and is
 * found by the digest of both; what is found was checked as every entry of the folder is (`compile/entries.ts`).
 */
import { hash } from 'node:crypto'
import { readEntry, writeEntry } from '../compile/entries.ts'
import { type Artifact, encodeArtifact, parseArtifact } from './artifact.ts'
import { codeDigest } from './codeDigest.ts'

/** A policy file: its name goes into the artifact. */
export interface PolicyFile {
  readonly name: string
  readonly text: Uint8Array
}

/** Where what the files become together is kept, as of the code that runs now. */
export function keptName(files: readonly PolicyFile[]): string {
  const named = files.map(({ name, text }) => [name, hash('sha256', text)])
  return `${hash('sha256', JSON.stringify([named, codeDigest()]))}.artifact`
}

/** Undefined when no earlier run kept one, or it cannot be trusted. */
export function readKept(name: string): Artifact | undefined {
  const bytes = readEntry(name)
  try {
    return bytes && parseArtifact(bytes) // the entry was proved to be whole
  } catch {
    return undefined
  }
}

export function keep(name: string, artifact: Artifact): void {
  writeEntry(name, encodeArtifact(artifact))
}

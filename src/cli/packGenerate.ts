/** `tollgate pack generate`: the policy pack of a workflow manifest, written or compared. */
import { readFileSync, statSync } from 'node:fs'
import { messageOf, TollgateError } from '../model/errors.ts'
import { policyBytesMax } from '../model/limits.ts'
import { differences } from '../pack/differences.ts'
import { generatePack, usualManifestPath } from '../pack/generate.ts'
import { manifestDigest, readManifest, readValue } from '../pack/manifest.ts'
import { type Diagnostic, formatDiagnostic } from '../policy/diagnostics.ts'
import { UsageError } from './exit.ts'
import { refuseFile, writeNewFile } from './newFile.ts'

export interface PackGenerateOptions {
  readonly manifest: string
  readonly output?: string
  /** The pack to compare with; `true` for the one of `output`. */
  readonly check?: string | true
  readonly source?: string
}

export function packGenerate({ manifest, output, check, source = usualManifestPath }: PackGenerateOptions): void {
  const bytes = readBytes(manifest)
  const read = readManifest(manifest, bytes)
  tell(read.diagnostics)
  if (!read.manifest) throw new TollgateError('manifest_invalid', `\`${manifest}\` has mistakes`)
  const pack = generatePack({ manifest: read.manifest, sha256: manifestDigest(bytes), path: source })
  if (check !== undefined) comparePack(check === true ? output : check, manifest, pack)
  else if (output === undefined) process.stdout.write(pack)
  else writePack(output, pack)
}

function comparePack(file: string | undefined, manifest: string, generated: string): void {
  if (file === undefined) throw new UsageError('name the pack to compare with: `--check FILE`')
  const { value, diagnostics } = readValue(file, readBytes(file))
  tell(diagnostics)
  if (value === undefined) throw new TollgateError('pack_stale', `\`${file}\` is no pack`)
  const found = differences(value, JSON.parse(generated))
  for (const difference of found) process.stdout.write(`${difference}\n`)
  if (found.length > 0)
    throw new TollgateError('pack_stale', `\`${file}\` is not what \`${manifest}\` gives: generate it again`)
  process.stderr.write(`\`${file}\` is what \`${manifest}\` gives\n`)
}

/** A pack is there to be generated again; any other file is not ours to replace. */
function writePack(file: string, pack: string): void {
  const there = statSync(file, { throwIfNoEntry: false })
  if (there?.isFile() && there.size > 0 && !isPack(readValue(file, readBytes(file)).value))
    throw new TollgateError('output_exists', `\`${file}\` is there already and is no policy pack: name another file`)
  const target = { file, force: there !== undefined }
  refuseFile(target)
  writeNewFile(target, pack)
}

function isPack(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'workflow_policies' in value
}

function tell(diagnostics: readonly Diagnostic[]): void {
  for (const diagnostic of diagnostics) process.stderr.write(`${formatDiagnostic(diagnostic)}\n`)
}

/** Throws `manifest_unreadable`. */
function readBytes(file: string): Uint8Array {
  try {
    const found = statSync(file)
    if (found.isDirectory()) throw new Error('it is a directory')
    if (found.size > policyBytesMax) throw new Error(`it has ${found.size} bytes, at most ${policyBytesMax} are read`)
    return readFileSync(file)
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    const why = missing ? 'there is no such file' : messageOf(cause)
    throw new TollgateError('manifest_unreadable', `\`${file}\`: ${why}`, { cause })
  }
}

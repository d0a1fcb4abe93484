/** `tollgate build`, `sign`, `verify` and `inspect`: policies as signed bundles. */
import { type Command, Option } from 'commander'
import { algorithms } from '../opa/algorithms.ts'
import type { BuildOptions } from './build.ts'
import type { InspectOptions } from './inspect.ts'
import type { SignOptions } from './sign.ts'
import { addTrustOptions } from './trustOptions.ts'
import type { VerifyOptions } from './verify.ts'

export function addBundleCommands(program: Command): void {
  const buildCommand = program
    .command('build')
    .description('compile a policy into a bundle, and sign it')
    .usage('-o FILE [options] DIR|FILE...')
    .requiredOption('-o, --output <file>', 'the bundle; one that is there is replaced')
    .option('--revision <text>', 'what the bundle calls itself (default: the digest of the policy)')
    .option('--root <name>', 'put its Rego under this name, so that one OPA can load it beside others')
  addSigningOptions(buildCommand)
    .option('--json', 'print what was built as JSON')
    .argument('<file...>', 'the policy; several files are merged, the first is the base. Or the folder that it is in')
    .action(async (files: string[], options: BuildOptions) => (await import('./build.ts')).build(files, options))

  const signCommand = program
    .command('sign')
    .description('sign a bundle: in the place of the signatures that it has, or beside them')
    .usage('--sign-key FILE --key-id ID [options] BUNDLE')
    .option('-o, --output <file>', 'where the signed bundle goes (default: the bundle itself)')
    .option('--add', 'one signature more, beside those that are there')
  addSigningOptions(signCommand)
    .option('--json', 'print what was signed as JSON')
    .argument('<file>', 'the bundle')
    .action(async (file: string, options: SignOptions) => (await import('./sign.ts')).sign(file, options))

  const verifyCommand = program
    .command('verify')
    .description('prove a bundle: who signed it, that it is whole and fresh, that its parts belong together')
    .usage('--verify-key FILE...|--trust FILE [options] BUNDLE')
  addTrustOptions(verifyCommand)
    .option('--signatures', 'prove the signatures and the files alone, of any bundle of OPA')
    .option('--rebuild', 'compile the policy again, and compare the module byte for byte')
    .option('--json', 'print what was proved as JSON')
    .argument('<file>', 'the bundle')
    .action(async (file: string, options: VerifyOptions) => (await import('./verify.ts')).verify(file, options))

  program
    .command('inspect')
    .description('show what a bundle says and holds; nothing of it is verified')
    .usage('[options] BUNDLE')
    .option('--json', 'print it as JSON')
    .argument('<file>', 'the bundle')
    .action(async (file: string, options: InspectOptions) => (await import('./inspect.ts')).inspect(file, options))
}

function addSigningOptions(command: Command): Command {
  return command
    .option('--sign-key <file>', 'sign it with this private key; of HS256 the secret')
    .option('--key-id <id>', 'by which those who verify know the key')
    .addOption(
      new Option('--algorithm <name>', 'what to sign with (default: RS256, ES256 or EdDSA, as the key is)').choices(
        algorithms,
      ),
    )
    .option('--scope <text>', 'what the signature is for')
    .option('--expires <time>', 'from this time on it is refused: RFC 3339, or how long from now, like 90d')
    .option('--sequence <number>', 'grows from bundle to bundle (default: the milliseconds since 1970)')
    .option('--issued-at <time>', 'when it is signed (default: $SOURCE_DATE_EPOCH, or now)')
}

/** Options of `serve` about who calls, and `tollgate keys`. */
import { type Command, Option } from 'commander'
import type { KeysNewOptions } from './keys.ts'
import { collected } from './options.ts'

/** Who calls, TLS, and what servers are shown. */
export function addIdentityOptions(serve: Command): Command {
  const several = (flags: string, about: string) => new Option(flags, about).argParser(collected)
  return serve
    .option('--settings <file>', 'all of these in one file, with who calls, TLS, and what servers are shown')
    .option('--jwt-issuer <name>', 'callers show a JWT of this issuer')
    .addOption(several('--jwt-audience <name>', 'that is for this audience'))
    .option('--jwks <place>', 'and signed with a key that is here: a URL, or a file')
    .addOption(several('--api-keys <file>', 'callers show an API key whose digest is in this file'))
    .option('--tls-cert <file>', 'speak TLS with this certificate')
    .option('--tls-key <file>', 'and this private key')
    .option('--client-ca <file>', 'callers show a certificate that one of these authorities signed')
    .option('--public-url <url>', 'how clients reach the gate, where a proxy stands before it')
    .addOption(several('--upstream-bearer-file <file>', 'the token that the server is shown; of several as NAME=FILE'))
    .addOption(several('--upstream-header-file <file>', 'headers that the server is shown; of several as NAME=FILE'))
}

/** What the one server of `run` is shown. */
export function addCredentialOptions(run: Command): Command {
  return run
    .addOption(
      new Option('--upstream-bearer-file <file>', 'the token that a server over HTTP is shown').argParser(collected),
    )
    .addOption(
      new Option('--upstream-header-file <file>', 'headers that a server over HTTP is shown').argParser(collected),
    )
}

export function addKeysCommand(program: Command): void {
  const keysCommand = program.command('keys').description('API keys of callers')
  keysCommand
    .command('new')
    .description('make an API key: the key for the caller, and what goes into the file of `--api-keys`')
    .usage('--id NAME --agent ID|--user ID... [options]')
    .requiredOption('--id <name>', 'what people call the key')
    .option('--agent <id>', 'the agent that calls with it')
    .option('--user <id>', 'the person behind it')
    .option('--project <id>', 'the project it works for')
    .addOption(new Option('--group <name>', 'a group of the caller; several, each after its own').argParser(collected))
    .option('--expires <time>', 'from this time on it is refused: RFC 3339, or how long from now, like 90d')
    .option('--json', 'print both as JSON')
    .action(async (options: KeysNewOptions) => (await import('./keys.ts')).keysNew(options))
}

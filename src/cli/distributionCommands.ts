/** Options of `serve` and `run` about bundles, and `tollgate bundles`. */
import { type Command, Option } from 'commander'
import type { BundlesServeOptions } from './bundlesServe.ts'
import { collected } from './options.ts'

/** Where bundles come from, what is shown there, where they are kept. */
export function addBundleOptions(command: Command): Command {
  const several = (flags: string, about: string) => new Option(flags, about).argParser(collected)
  return command
    .addOption(
      several(
        '--bundle <place>',
        'the policy as a bundle: a file, a folder, a URL, or oci://REGISTRY/NAME:TAG; several as NAME=PLACE are layers',
      ),
    )
    .option('--discovery <place>', 'a bundle that names the bundles, as it does for OPA, in the place of `--bundle`')
    .addOption(several('--bundle-token-file <file>', 'the token that its server is shown; of several as NAME=FILE'))
    .option('--bundle-ca <file>', 'the authorities that its server is believed by (default: those of Node)')
    .option('--bundle-cert <file>', 'the certificate that its server is shown')
    .option('--bundle-cert-key <file>', 'and its private key')
    .option('--bundle-poll <duration>', 'it is asked for at the latest after this time', '2m')
    .option('--bundle-wait <duration>', 'how long its server may hold an answer until it changes', '30s')
    .option('--bundle-store <dir>', 'where the last good one is kept (default: bundles in your state folder)')
    .option('--status-url <url>', 'who is told how it stands with the bundles, as OPA tells it')
    .option('--status-token-file <file>', 'the token that it is shown')
}

export function addBundlesCommand(program: Command): void {
  const bundlesCommand = program.command('bundles').description('a small server of bundles')
  bundlesCommand
    .command('serve')
    .description('serve the bundles of a folder to gates: NAME.tar.gz in it is /bundles/NAME')
    .usage('[options] DIR')
    .option('--listen <address>', 'where gates connect: PORT, or HOST:PORT', '127.0.0.1:8719')
    .option('--token-file <file>', 'what gates have to show as a bearer token')
    .option('--tls-cert <file>', 'speak TLS with this certificate')
    .option('--tls-key <file>', 'and this private key')
    .option('--client-ca <file>', 'gates show a certificate that one of these authorities signed')
    .argument('<dir>', 'the folder')
    .action(async (folder: string, options: BundlesServeOptions) =>
      (await import('./bundlesServe.ts')).bundlesServe(folder, options),
    )
}

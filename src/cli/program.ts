/** The commands and their options: a stable contract (`docs/commands.md`). */
import { Argument, type Command, Option } from 'commander'
import { clientIds } from '../init/clients.ts'
import { addBundleCommands } from './bundleCommands.ts'
import type { CheckOptions } from './check.ts'
import type { CompileOptions } from './compile.ts'
import type { Shell } from './completion.ts'
import type { ConvertOptions } from './convert.ts'
import type { DiffOptions } from './diff.ts'
import { addBundleOptions, addBundlesCommand } from './distributionCommands.ts'
import type { EvalOptions } from './eval.ts'
import { addExamples } from './examples.ts'
import { stayWhenUnread } from './exit.ts'
import { addIdentityOptions, addKeysCommand } from './identityCommands.ts'
import type { InitOptions } from './init.ts'
import type { McpOptions } from './mcp.ts'
import {
  adminOption,
  adminTlsCertOption,
  adminTlsKeyOption,
  adminUrlOption,
  agentOption,
  approvalWaitOption,
  approversOption,
  argumentsOption,
  collected,
  durabilityOption,
  extMcpAuthOption,
  extMcpClientCaOption,
  extMcpOption,
  groupOption,
  inFormat,
  jsonFormatOption,
  layerOption,
  ledgerOption,
  logFormatOption,
  logLevelOption,
  notifyOption,
  policyOption,
  projectOption,
  runOption,
  userOption,
} from './options.ts'
import type { PackGenerateOptions } from './packGenerate.ts'
import { addRecordCommands } from './recordCommands.ts'
import { rootCommand } from './root.ts'
import { addRunCommand } from './runCommand.ts'
import type { ScanOptions } from './scan.ts'
import type { SchemaName } from './schema.ts'
import type { ServeOptions } from './serveOptions.ts'
import { addTest } from './testCommand.ts'
import { addTrustOptions } from './trustOptions.ts'

export const program = rootCommand()

addRunCommand(program)

const serveCommand = addTrustOptions(
  program
    .command('serve')
    .description('the gate as an HTTP server in front of MCP servers')
    .usage('-c POLICY|--layer NAME=POLICY...|--bundle PLACE... [options] --upstream URL | -- CMD [ARG...]')
    .addOption(policyOption())
    .addOption(layerOption()),
)
  .option('--listen <address>', 'where callers connect: PORT, or HOST:PORT', '127.0.0.1:8717')
  .addOption(
    new Option('--upstream <url>', 'the MCP server behind the gate; several as NAME=URL, each at /NAME/mcp').argParser(
      collected,
    ),
  )
  .option('--server <name>', 'what policies call the one server')
  .addOption(
    new Option('--allow-host <name>', 'a host name by which callers reach the gate, beside this machine').argParser(
      collected,
    ),
  )
  .addOption(new Option('--allow-origin <origin>', 'an origin whose web pages may call the gate').argParser(collected))
  .option('--timeout <duration>', 'how long the server may be silent while it owes an answer', '5m')
addBundleOptions(serveCommand)
addIdentityOptions(serveCommand)
  .addOption(agentOption())
  .addOption(userOption())
  .addOption(projectOption())
  .addOption(groupOption())
  .addOption(runOption())
  .addOption(approvalWaitOption())
  .addOption(adminOption())
  .addOption(approversOption())
  .addOption(notifyOption())
  .addOption(adminUrlOption())
  .addOption(adminTlsCertOption())
  .addOption(adminTlsKeyOption())
  .addOption(extMcpOption())
  .addOption(extMcpAuthOption())
  .addOption(extMcpClientCaOption())
  .addOption(ledgerOption())
  .addOption(durabilityOption())
  .addOption(argumentsOption())
  .addOption(logFormatOption())
  .addOption(logLevelOption())
  .argument('[cmd...]', 'a stdio server and its arguments, after `--`: each session gets a process of its own')
  .action(async (words: string[], flags: ServeOptions, parsed: Command) =>
    (await import('./serve.ts')).serve(words, flags, parsed),
  )

addTrustOptions(
  program
    .command('check')
    .description('every mistake of policy files, with its place')
    .addOption(policyOption())
    .addOption(layerOption()),
)
  .addOption(
    new Option('--format <form>', 'how mistakes are printed').choices(['text', 'json', 'sarif']).default('text'),
  )
  .addOption(jsonFormatOption())
  .usage('[options] FILE...|-c POLICY...|--layer NAME=POLICY...|--settings FILE [-- CMD [ARG...]]')
  .option('--settings <file>', 'the settings of a gate, as `serve --settings` reads them')
  .option('--strict', 'a warning makes the exit code 1 as well')
  .option('--lists <file>', 'compare with these lists of a server, as `tollgate scan --json` writes them')
  .option('--server <name>', 'what policies call the server that is compared with')
  .option('--timeout <duration>', 'how long the server may take for its lists', '30s')
  .argument(
    '[file...]',
    'policy files, each a policy of its own; after `--` a server and its arguments, to compare them with',
  )
  .action(async (words: string[], options: CheckOptions) => {
    // The parser takes the dashes away, and what stands behind them is no file.
    const dashes = process.argv.indexOf('--')
    const files = words.slice(0, words.length - (dashes === -1 ? 0 : process.argv.length - dashes - 1))
    await (await import('./check.ts')).check(files, words.slice(files.length), inFormat(options))
  })

program
  .command('schema')
  .description(
    'print the JSON Schema of a policy language, of the settings of a gate, of a trust file or of case files, which editors complete and check by',
  )
  .addArgument(
    new Argument('[language]', 'the language')
      .choices(['native', 'guard', 'intercept', 'aegis', 'pack', 'pack-settings', 'settings', 'trust', 'cases'])
      .default('native'),
  )
  .action(async (language: SchemaName) => (await import('./schema.ts')).schema(language))

program
  .command('compile')
  .description('write the Rego, the data and the WASM of a policy into a folder, to read')
  .usage('-o DIR [options] FILE...')
  .requiredOption('-o, --output <dir>', 'the folder; made if it is not there')
  .argument('<file...>', 'the policy; several files are merged, the first is the base')
  .action(async (files: string[], options: CompileOptions) => (await import('./compile.ts')).compile(files, options))

addTrustOptions(
  program
    .command('eval')
    .description('judge calls, one JSON object a line, in order: the whole gate without the wire')
    .usage('-c POLICY|--layer NAME=POLICY... [options]')
    .addOption(policyOption())
    .addOption(layerOption()),
)
  .option('--calls <file>', 'where the calls are; `-` is standard input', '-')
  .option('--ledger <file>', 'count on in this ledger (default: a fresh one in memory)')
  .action(async (options: EvalOptions) => (await import('./eval.ts')).evaluateCalls(options))

addTest(program)

addTrustOptions(
  program
    .command('diff')
    .description(
      'what a change of policies means: which calls are decided otherwise, each with an example, or that none is',
    )
    .usage('[options] OLD NEW')
    .addOption(new Option('--old <file>', 'a file of the old policy, where several are merged').argParser(collected))
    .addOption(new Option('--new <file>', 'a file of the new policy, where several are merged').argParser(collected))
    .addOption(new Option('--old-layer <name=file>', 'a layer of the old policy').argParser(collected))
    .addOption(new Option('--new-layer <name=file>', 'a layer of the new policy').argParser(collected)),
)
  .addOption(new Option('--tool <name>', 'look at this tool alone; several, each after its own').argParser(collected))
  .option('--timeout <seconds>', 'how long the search may take for one tool', '10')
  .addOption(
    new Option(
      '--fail-on <kind>',
      'the exit code is 1 for changes of these kinds alone; several with commas, or each after its own',
    )
      .choices(['newly-allowed', 'newly-held', 'newly-denied'])
      .argParser(collected),
  )
  .option('--json', 'print the result as JSON')
  .argument('[file...]', 'the old policy and the new one')
  .action(async (files: string[], options: DiffOptions) => (await import('./diff.ts')).diff(files, options))

program
  .command('convert')
  .description('write a policy of another language in the native one, with the same meaning and its comments')
  .usage('--to native [options] FILE...')
  .addOption(new Option('--to <language>', 'the language to write').choices(['native']).makeOptionMandatory())
  .option('-o, --output <file>', 'write into this file, whole or not at all (default: standard output)')
  .option('--force', 'replace the file if it is there')
  .argument('<file...>', 'the policy; several are converted one by one, and merge as they did before')
  .action(async (files: string[], options: ConvertOptions) => (await import('./convert.ts')).convert(files, options))

addBundleCommands(program)

const packCommand = program.command('pack').description('policy packs, made of workflow manifests')

packCommand
  .command('generate')
  .description('write the policy pack of a workflow manifest, or compare one with it')
  .usage('--manifest FILE [options]')
  .requiredOption('--manifest <file>', 'the workflow manifest')
  .option('-o, --output <file>', 'write into this file, whole or not at all (default: standard output)')
  .option('--check [file]', 'write nothing: say where this pack, or the one of `-o`, is not what the manifest gives')
  .option('--source <name>', 'what the pack calls its manifest (default: data/control-plane/workflow-manifests.json)')
  .action(async (options: PackGenerateOptions) => (await import('./packGenerate.ts')).packGenerate(options))

program
  .command('mcp')
  .description('serve a policy pack and its evaluator as MCP tools over stdio, to read')
  .usage('-c PACK [options]')
  .requiredOption('-c, --config <file>', 'the policy pack, or its settings file')
  .option('--policy-tool <name>', 'what the tool is called that gives the pack', 'recipes_mcp_gateway_policy')
  .option(
    '--evaluate-tool <name>',
    'what the tool is called that evaluates one call',
    'recipes_evaluate_mcp_gateway_decision',
  )
  .action(async (options: McpOptions) => {
    stayWhenUnread(process.stdout)
    await (await import('./mcp.ts')).mcp(options)
  })

addBundlesCommand(program)

addRecordCommands(program)

addKeysCommand(program)

program
  .command('scan')
  .description('write a policy to start from, out of what a real server lists')
  .usage('[options] -- CMD [ARG...]')
  .option('-o, --output <file>', 'write into this file, whole or not at all (default: standard output)')
  .option('--force', 'replace the file if it is there')
  .option('--server <name>', 'what policies call this server: the entries of tools are then for it alone')
  .option('--timeout <duration>', 'how long the server may take for all of it', '30s')
  .option('--json', 'print what the server lists, instead of a policy')
  .option('--verbose', 'show what the server writes to stderr')
  .argument('<cmd...>', 'the server and its arguments, after `--`')
  .action(async (command: string[], options: ScanOptions) => (await import('./scan.ts')).scan(command, options))

program
  .command('init')
  .description('find the servers of the MCP clients of this machine, and put a gate before each')
  .addOption(new Option('--client <name...>', 'look at these clients alone').choices(clientIds))
  .addOption(new Option('--config <file...>', 'look at these configurations alone').conflicts('client'))
  .option('--server <name...>', 'take these servers alone')
  .option('--policy-dir <dir>', 'where policies are and are written (default: policies in your configuration folder)')
  .option('--policy <file>', 'this policy for all servers: none is scanned')
  .option('--no-scan', 'start no server: those that have no policy yet are left alone')
  .option('--timeout <duration>', 'how long each server may take to be scanned', '30s')
  .option('--ledger <file>', 'the ledger of the gates (default: what `run` takes in this shell)')
  .addOption(new Option('--undo', 'take the gates off again').conflicts(['policy', 'policyDir', 'ledger']))
  .addOption(
    new Option(
      '--dry-run',
      'change no file: print what would change, as a unified diff; servers are started to be scanned all the same',
    ).conflicts('yes'),
  )
  .option('--yes', 'change the configurations without asking')
  .option('--json', 'print the result as JSON')
  .action(async (options: InitOptions) => (await import('./init.ts')).init(options))

program
  .command('completion')
  .description('print the completion of these commands for a shell; how to use it stands at its top')
  .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
  .action(async (shell: Shell) => (await import('./completion.ts')).completion(shell, program))

program
  .command('help')
  .description('what a command does and which options it takes')
  .argument('[command...]', 'the command')
  .action(async (path: string[]) => (await import('./help.ts')).help(program, path))

addExamples(program)

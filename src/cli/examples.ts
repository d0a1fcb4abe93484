/** What a help text ends with, and where an error of the command line leads: commands as people write them. */
import type { Command } from 'commander'

const examples: Readonly<Record<string, readonly string[]>> = {
  tollgate: [
    'tollgate init --dry-run',
    'tollgate scan -o policy.yaml -- npx -y @modelcontextprotocol/server-memory',
    'tollgate run -c policy.yaml -- npx -y @modelcontextprotocol/server-memory',
    'tollgate audit',
  ],
  'tollgate run': [
    'tollgate run -c policy.yaml -- npx -y @modelcontextprotocol/server-memory',
    'tollgate run -c policy.yaml --upstream https://mcp.example.com/mcp',
    'tollgate run --layer org=org.yaml --layer team=team.yaml --server github -- github-mcp-server stdio',
  ],
  'tollgate serve': [
    'tollgate serve -c policy.yaml --upstream http://127.0.0.1:3000/mcp',
    'tollgate serve -c policy.yaml -- npx -y @modelcontextprotocol/server-memory',
    'tollgate serve -c policy.yaml --upstream a=http://127.0.0.1:3000/mcp --upstream b=http://127.0.0.1:4000/mcp',
    'tollgate serve -c policy.yaml --upstream http://127.0.0.1:3000/mcp --settings gate.yaml',
    'tollgate serve --bundle https://bundles.example.com/bundles/org --verify-key release.pub --upstream http://127.0.0.1:3000/mcp',
  ],
  'tollgate bundles': ['tollgate bundles serve bundles'],
  'tollgate bundles serve': [
    'tollgate bundles serve bundles',
    'tollgate bundles serve --listen 0.0.0.0:8719 --token-file token --tls-cert server.pem --tls-key server.key bundles',
  ],
  'tollgate check': [
    'tollgate check --strict policies/*.yaml',
    'tollgate check -c base.yaml -c filesystem.yaml',
    'tollgate check policy.yaml -- npx -y @modelcontextprotocol/server-memory',
  ],
  'tollgate schema': ['tollgate schema > native.schema.json', 'tollgate schema intercept > intercept.schema.json'],
  'tollgate compile': ['tollgate compile -o compiled policy.yaml'],
  'tollgate eval': [
    'tollgate eval -c policy.yaml --calls calls.jsonl',
    `echo '{"tool":"create_refund","arguments":{"amount":101}}' | tollgate eval -c policy.yaml`,
  ],
  'tollgate test': [
    'tollgate test',
    'tollgate test -v policies/refunds_test.yaml',
    'tollgate test --format junit -o report.xml policies',
    'tollgate test --generate policy.yaml -o policy_test.yaml',
    'tollgate test --coverage --threshold 100 --mutate --min-score 0.9 policies',
  ],
  'tollgate build': [
    'tollgate build -o policy.tar.gz policy.yaml',
    'tollgate build -o policy.tar.gz --sign-key release.key --key-id release --expires 90d policies',
  ],
  'tollgate sign': [
    'tollgate sign --sign-key release.key --key-id release policy.tar.gz',
    'tollgate sign --add --sign-key security.key --key-id security policy.tar.gz',
  ],
  'tollgate verify': [
    'tollgate verify --verify-key release.pub policy.tar.gz',
    'tollgate verify --trust trust.yaml --rebuild policy.tar.gz',
    'tollgate verify --verify-key release.pub --entrypoint authz/allow authz.tar.gz',
  ],
  'tollgate inspect': ['tollgate inspect policy.tar.gz', 'tollgate inspect --json policy.tar.gz'],
  'tollgate diff': [
    'tollgate diff old.yaml new.yaml',
    'tollgate diff <(git show main:policy.yaml) policy.yaml --fail-on newly-allowed',
    'tollgate diff --old base.yaml --old team.yaml --new base.yaml --new changed.yaml',
  ],
  'tollgate convert': [
    'tollgate convert charges.yaml --to native',
    'tollgate convert charges.yaml --to native -o native.yaml',
  ],
  'tollgate pack': ['tollgate pack generate --manifest workflow-manifests.json -o pack.json'],
  'tollgate pack generate': [
    'tollgate pack generate --manifest workflow-manifests.json -o pack.json',
    'tollgate pack generate --manifest workflow-manifests.json --check pack.json',
  ],
  'tollgate mcp': ['tollgate mcp -c pack.json'],
  'tollgate explain': [
    `tollgate explain -c policy.yaml '{"tool":"create_refund","arguments":{"amount":101}}'`,
    'tollgate explain -c policy.yaml --ledger ledger.db - < calls.jsonl',
    'tollgate explain 12',
  ],
  'tollgate approvals': ['tollgate approvals list', 'tollgate approvals approve ID --reason "ticket 812"'],
  'tollgate approvals list': ['tollgate approvals list', 'tollgate approvals list --all --json'],
  'tollgate approvals show': ['tollgate approvals show ID'],
  'tollgate approvals approve': ['tollgate approvals approve ID --reason "ticket 812"'],
  'tollgate approvals reject': ['tollgate approvals reject ID --reason "use the refund form"'],
  'tollgate approvals serve': ['tollgate approvals serve --admin 127.0.0.1:8718 --approvers approvers'],
  'tollgate approvals key': [
    'tollgate approvals key ada >> approvers',
    'tollgate approvals key my-gateway --scope admission >> approvers',
  ],
  'tollgate kill': ['tollgate kill --session ID --reason "ticket 812"', 'tollgate kill --all'],
  'tollgate kill list': ['tollgate kill list', 'tollgate kill list --json'],
  'tollgate sessions': ['tollgate sessions list --since 2h', 'tollgate sessions show ID'],
  'tollgate sessions list': ['tollgate sessions list --since 2h', 'tollgate sessions list --json'],
  'tollgate sessions show': ['tollgate sessions show ID'],
  'tollgate runs': ['tollgate runs list', 'tollgate runs show ID'],
  'tollgate runs list': ['tollgate runs list', 'tollgate runs list --json'],
  'tollgate runs show': ['tollgate runs show ID'],
  'tollgate kill lift': ['tollgate kill lift --session ID', 'tollgate kill lift KILL_ID --reason "it was a drill"'],
  'tollgate tools': ['tollgate tools diff', 'tollgate tools accept --all --reason "release 4.2"'],
  'tollgate tools list': ['tollgate tools list', 'tollgate tools list --server refunds --json'],
  'tollgate tools diff': ['tollgate tools diff', 'tollgate tools diff create_refund || echo "something is held back"'],
  'tollgate tools accept': [
    'tollgate tools accept create_refund --reason "release 4.2"',
    'tollgate tools accept --all --server refunds',
  ],
  'tollgate audit': [
    'tollgate audit --decision deny --since 2h',
    'tollgate audit --tool create_refund --format jsonl -o audit.jsonl',
    'tollgate audit verify',
  ],
  'tollgate audit verify': ['tollgate audit verify', 'tollgate audit verify --json --since 7d'],
  'tollgate replay': [
    'tollgate replay --against new.yaml --since 7d',
    'tollgate replay --against new.yaml --from audit.jsonl --format markdown -o comment.md',
    'tollgate replay --against new.yaml --from decisions.json.gz --fail-on newly-allowed,undecidable',
  ],
  'tollgate scan': [
    'tollgate scan -o policy.yaml -- npx -y @modelcontextprotocol/server-memory',
    'tollgate scan --json -o lists.json -- npx -y @modelcontextprotocol/server-memory',
  ],
  'tollgate keys': ['tollgate keys new --id ci --agent ci-bot --expires 90d'],
  'tollgate keys new': ['tollgate keys new --id ci --agent ci-bot --project payments --expires 90d'],
  'tollgate init': ['tollgate init --dry-run', 'tollgate init --client cursor --server memory', 'tollgate init --undo'],
  'tollgate completion': [
    'source <(tollgate completion bash)',
    'tollgate completion fish > ~/.config/fish/completions/tollgate.fish',
  ],
  'tollgate help': ['tollgate help run', 'tollgate help audit verify'],
}

/** For a command and all below it. */
export function addExamples(command: Command, path = command.name()): void {
  const lines = examples[path] ?? []
  if (lines.length > 0)
    command.addHelpText('after', ['', lines.length > 1 ? 'Examples:' : 'Example:', ...lines.map(indented)].join('\n'))
  command.showHelpAfterError(`Usage: ${path} ${command.usage()}\n\`${path} --help\` says more.`)
  for (const below of command.commands) addExamples(below, `${path} ${below.name()}`)
}

function indented(line: string): string {
  return `  ${line}`
}

/** Completion for bash 3.2 and newer, with nothing else installed. */
import type { CompletedCommand, Value } from './commands.ts'

export function bashScript(commands: readonly CompletedCommand[]): string {
  return `# bash completion for tollgate. Use it in this shell: source <(tollgate completion bash)
# or for good: tollgate completion bash > ~/.local/share/bash-completion/completions/tollgate

_tollgate_take() {
  local line
  while IFS= read -r line; do COMPREPLY+=("$line"); done
}

_tollgate_words() {
  _tollgate_take < <(compgen -W "$1" -- "$2")
}

_tollgate_files() {
  compopt -o filenames 2>/dev/null
  _tollgate_take < <(compgen "$1" -- "$2")
}

# The command line behind \`--\`: as its own completion has it, where there is one.
_tollgate_command() {
  if declare -F _command_offset >/dev/null; then
    _command_offset "$1"
  elif [[ $1 -eq $COMP_CWORD ]]; then
    _tollgate_take < <(compgen -c -- "$2")
  else
    _tollgate_files -f "$2"
  fi
}

_tollgate() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} path='' value='' word i
  COMPREPLY=()
  # \`--name=value\` arrives as three words.
  if [[ $cur == = ]]; then cur=''; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == = ]]; then value=1; continue; fi
    if [[ -n $value ]]; then value=''; continue; fi
    if [[ $word == -- ]]; then _tollgate_command $((i + 1)) "$cur"; return; fi
    case "$path $word" in
${arm(1, pathsOf(commands), 'path="$path $word"')}
${arm(1, valueFlagsOf(commands), 'value=1')}
    esac
  done

  if [[ -n $value ]]; then
    case "$path $prev" in
${commands.flatMap(valueArms).join('\n')}
    esac
    return
  fi

  if [[ $cur == -* ]]; then
    case "$path" in
${commands.map(optionArm).join('\n')}
    esac
    return
  fi

  case "$path" in
${commands.flatMap(argumentArm).join('\n')}
  esac
}

complete -F _tollgate tollgate
`
}

function pathsOf(commands: readonly CompletedCommand[]): readonly string[] {
  return commands.filter(({ path }) => path.length > 0).map(pathText)
}

function valueFlagsOf(commands: readonly CompletedCommand[]): readonly string[] {
  return commands.flatMap((command) =>
    command.options.flatMap(({ flags, value }) => (value ? flags.map((flag) => `${pathText(command)} ${flag}`) : [])),
  )
}

function valueArms(command: CompletedCommand): readonly string[] {
  return command.options.flatMap(({ flags, value }) => {
    const action = value && actionFor(value)
    const patterns = flags.map((flag) => `${pathText(command)} ${flag}`)
    return action === undefined ? [] : [arm(1, patterns, action)]
  })
}

function optionArm(command: CompletedCommand): string {
  const flags = command.options.flatMap((option) => option.flags)
  const rest = command.argument?.kind === 'command' ? ['--'] : []
  return arm(1, [pathText(command)], words([...flags, ...rest]))
}

function argumentArm(command: CompletedCommand): readonly string[] {
  const { commands, argument } = command
  const names = commands.map(({ name }) => name)
  const action = names.length > 0 ? words(names) : argument && actionFor(argument)
  return action === undefined ? [] : [arm(0, [pathText(command)], action)]
}

function actionFor(value: Value): string | undefined {
  switch (value.kind) {
    case 'words':
      return words(value.words)
    case 'file':
      return '_tollgate_files -f "$cur"'
    case 'folder':
      return '_tollgate_files -d "$cur"'
    case 'command':
      return words(['--'])
    case 'text':
      return undefined
  }
  return value satisfies never
}

function words(list: readonly string[]): string {
  return `_tollgate_words ${quoted(list.join(' '))} "$cur"`
}

function arm(depth: 0 | 1, patterns: readonly string[], action: string): string {
  return `${depth === 1 ? '      ' : '    '}${patterns.map(quoted).join(' | ')}) ${action} ;;`
}

/** \` run\`, \` audit verify\`; nothing for the program itself. */
function pathText({ path }: CompletedCommand): string {
  return path.map((name) => ` ${name}`).join('')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

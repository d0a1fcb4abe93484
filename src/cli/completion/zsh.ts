/** Completion for zsh, by its own `_arguments`. */
import type { CompletedCommand, CompletedOption, Value } from './commands.ts'

export function zshScript(commands: readonly CompletedCommand[]): string {
  return `#compdef tollgate
# zsh completion for tollgate. Use it in this shell: source <(tollgate completion zsh)
# or for good: tollgate completion zsh > _tollgate, in a folder of your $fpath

${commands.map(functionOf).join('\n')}
if [ "$funcstack[1]" = _tollgate ]; then
  _tollgate "$@"
else
  compdef _tollgate tollgate
fi
`
}

function functionOf(command: CompletedCommand): string {
  const specs = [...command.options.map(optionSpec), ...argumentSpecs(command)]
  const args = specs.map((spec) => ` \\\n    ${spec}`).join('')
  const body = command.commands.length === 0 ? `  _arguments -s -S${args}` : dispatch(command, args)
  return `${functionName(command.path)}() {\n${body}\n}\n`
}

/**
 * One positional word picks the command, and its own function completes the rest. No parameter may be called
 * `commands`: zsh keeps the commands of the system under that name.
 */
function dispatch({ path, commands }: CompletedCommand, args: string): string {
  const described = commands.map(({ name, about }) => quoted(`${name}:${about}`)).join(' ')
  const arms = commands.map(({ name }) => `        ${name}) ${functionName([...path, name])} && ret=0 ;;`)
  return `  local curcontext="$curcontext" state line ret=1
  local -a names
  typeset -A opt_args
  _arguments -C -s${args} && ret=0
  case "$state" in
    command)
      names=(${described})
      _describe -t commands command names && ret=0
      ;;
    rest)
      case "$line[1]" in
${arms.join('\n')}
      esac
      ;;
  esac
  return ret`
}

function argumentSpecs({ commands, argument }: CompletedCommand): readonly string[] {
  if (commands.length > 0) return [quoted('1: :->command'), quoted('*:: :->rest')]
  if (!argument) return []
  if (argument.kind === 'command') return [quoted('(-)1:command: _command_names -e'), quoted('*::arguments: _normal')]
  return [quoted(`*:${valueSpec(argument)}`)]
}

function optionSpec({ flags, about, value }: CompletedOption): string {
  const says = `[${about.replace(/[\\[\]]/g, '\\$&')}]`
  const takes = value ? `:${valueSpec(value)}` : ''
  const names = flags.map((flag) => (value && flag.startsWith('--') ? `${flag}=` : flag))
  // A flag excludes itself and its other spelling, in braces so that the shell writes it out for each.
  const spelt = names.length === 1 ? names[0] : `{${names.join(',')}}`
  return `${quoted(`(${flags.join(' ')})`)}${spelt}${quoted(`${says}${takes}`)}`
}

function valueSpec(value: Value): string {
  switch (value.kind) {
    case 'words':
      return `value:(${value.words.join(' ')})`
    case 'file':
      return 'file:_files'
    case 'folder':
      return 'folder:_files -/'
    case 'command':
      return 'command:_normal'
    case 'text':
      return 'text: '
  }
  return value satisfies never
}

function functionName(path: readonly string[]): string {
  return ['_tollgate', ...path].join('_').replace(/[^\w]/g, '_')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

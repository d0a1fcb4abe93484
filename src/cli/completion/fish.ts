/** Completion for fish: one `complete` for each thing that may stand somewhere. */
import type { CompletedCommand, CompletedOption, Value } from './commands.ts'

export function fishScript(commands: readonly CompletedCommand[]): string {
  const paths = commands.filter(({ path }) => path.length > 0).map((command) => quoted(pathText(command)))
  const flags = commands.flatMap((command) =>
    command.options.flatMap(({ flags, value }) =>
      value ? flags.map((flag) => quoted(`${pathText(command)} ${flag}`)) : [],
    ),
  )
  return `# fish completion for tollgate. Use it in this shell: tollgate completion fish | source
# or for good: tollgate completion fish > ~/.config/fish/completions/tollgate.fish

# Which command the line is at: its names, each with a space before it.
function __tollgate_path
    set -l path ''
    set -l value 0
    for word in (commandline -opc)[2..-1]
        if test $value = 1
            set value 0
            continue
        end
        test "$word" = --; and break
        switch "$path $word"
            case ${paths.join(' ')}
                set path "$path $word"
            case ${flags.join(' ')}
                set value 1
        end
    end
    echo "$path"
end

function __tollgate_at
    test (__tollgate_path) = "$argv[1]"
end

complete -c tollgate -f
${commands.flatMap(linesOf).join('\n')}
`
}

function linesOf(command: CompletedCommand): readonly string[] {
  const at = `complete -c tollgate -n ${quoted(`__tollgate_at ${quoted(pathText(command))}`)}`
  const names = command.commands.map(({ name, about }) => `${at} -a ${quoted(name)} -d ${quoted(about)}`)
  const options = command.options.map((option) => `${at} ${optionWords(option)}`)
  const argument = command.commands.length === 0 && command.argument ? [`${at} ${argumentWords(command.argument)}`] : []
  return [...names, ...options, ...argument]
}

function optionWords({ flags, about, value }: CompletedOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
  const takes = value ? [valueWords(value)] : []
  return [...names, ...takes, '-d', quoted(about)].join(' ')
}

function valueWords(value: Value): string {
  switch (value.kind) {
    case 'words':
      return `-x -a ${quoted(value.words.join(' '))}`
    case 'file':
      return '-r -F'
    case 'folder':
      return `-x -a '(__fish_complete_directories)'`
    case 'command':
    case 'text':
      return '-x'
  }
  return value satisfies never
}

function argumentWords(value: Value): string {
  switch (value.kind) {
    case 'words':
      return `-a ${quoted(value.words.join(' '))}`
    case 'file':
      return '-F'
    case 'folder':
      return `-a '(__fish_complete_directories)'`
    case 'command':
      return `-F -a '(__fish_complete_command)'`
    case 'text':
      return '-f'
  }
  return value satisfies never
}

function pathText({ path }: CompletedCommand): string {
  return path.map((name) => ` ${name}`).join('')
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}

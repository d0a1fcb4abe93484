/** The commands of the program as a shell needs them: names, options, and what may stand as a value. */
import type { Argument, Command, Option } from 'commander'

/** What completes a value. `command`: another command line, after `--`. `text`: nothing can. */
export type Value =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'file' | 'folder' | 'command' | 'text' }

export interface CompletedOption {
  /** Short first. */
  readonly flags: readonly string[]
  readonly about: string
  /** Absent: it takes none. */
  readonly value?: Value
}

export interface CompletedCommand {
  /** Names from below the program downwards; none for the program itself. */
  readonly path: readonly string[]
  readonly commands: readonly { readonly name: string; readonly about: string }[]
  readonly options: readonly CompletedOption[]
  /** What may stand behind the name, if it takes anything. */
  readonly argument?: Value
}

/** The command and all below it. */
export function completedCommands(command: Command, path: readonly string[] = []): readonly CompletedCommand[] {
  const help = command.createHelp()
  const visible = help.visibleCommands(command)
  const below = visible.map((one) => ({ name: one.name(), about: one.description() }))
  const [argument] = command.registeredArguments
  const self: CompletedCommand = {
    path,
    commands: below,
    options: help.visibleOptions(command).map(completedOption),
    ...(argument && { argument: argumentValue(argument, command) }),
  }
  return [self, ...visible.flatMap((one) => completedCommands(one, [...path, one.name()]))]
}

function completedOption(option: Option): CompletedOption {
  const { short, long, description: about } = option
  const flags = [short, long].filter((flag) => flag !== undefined)
  return option.required || option.optional ? { flags, about, value: optionValue(option) } : { flags, about }
}

function optionValue({ argChoices, flags }: Option): Value {
  const placeholder = /[<[](.*?)(?:\.\.\.)?[>\]]/.exec(flags)?.[1] ?? ''
  return argChoices ? { kind: 'words', words: argChoices } : placeholderValue(placeholder)
}

function argumentValue(argument: Argument, { parent }: Command): Value {
  // Of `help`: the commands beside it.
  if (argument.name() === 'command') return { kind: 'words', words: parent?.commands.map((one) => one.name()) ?? [] }
  return argument.argChoices ? { kind: 'words', words: argument.argChoices } : placeholderValue(argument.name())
}

/** What a placeholder of our help texts stands for. */
function placeholderValue(placeholder: string): Value {
  switch (placeholder) {
    case 'file':
      return { kind: 'file' }
    case 'dir':
      return { kind: 'folder' }
    case 'cmd':
      return { kind: 'command' }
    default:
      return { kind: 'text' }
  }
}

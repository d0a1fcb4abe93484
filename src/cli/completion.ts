/** `tollgate completion`: a script for a shell, made from the commands themselves. */
import type { Command } from 'commander'
import { bashScript } from './completion/bash.ts'
import { type CompletedCommand, completedCommands } from './completion/commands.ts'
import { fishScript } from './completion/fish.ts'
import { zshScript } from './completion/zsh.ts'

export type Shell = 'bash' | 'zsh' | 'fish'

const scripts: Readonly<Record<Shell, (commands: readonly CompletedCommand[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
}

export function completion(shell: Shell, program: Command): void {
  process.stdout.write(scripts[shell](completedCommands(program)))
}

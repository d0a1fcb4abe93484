/** The questions of `tollgate init`. They are drawn on stderr: standard output has the result. */
import { confirm, isCancel, multiselect } from '@clack/prompts'
import { TollgateError } from '../model/errors.ts'
import { plain } from '../model/message/plain.ts'

export interface Choice<Value> {
  readonly value: Value
  readonly label: string
  readonly hint: string
}

/** Can somebody be asked here? */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true
}

/** All of them are chosen at first. */
export async function choose<Value>(message: string, choices: readonly Choice<Value>[]): Promise<readonly Value[]> {
  // An index is a value that any prompt can hold.
  const options = choices.map(({ label, hint }, value) => ({ value, label: plain(label), hint: plain(hint) }))
  const initialValues = options.map(({ value }) => value)
  const chosen = await multiselect({ message, options, initialValues, required: false, output: process.stderr })
  if (isCancel(chosen)) throw interrupted()
  return choices.flatMap(({ value }, index) => (chosen.includes(index) ? [value] : []))
}

export async function agree(message: string): Promise<boolean> {
  const answer = await confirm({ message, output: process.stderr })
  if (isCancel(answer)) throw interrupted()
  return answer
}

function interrupted(): TollgateError {
  return new TollgateError('init_interrupted', 'interrupted, no configuration was changed')
}

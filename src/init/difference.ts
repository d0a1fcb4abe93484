/** What a change does to a configuration, as a unified diff that shows no secret. */
import { createTwoFilesPatch } from 'diff'
import type { Container } from './clients.ts'
import { readText } from './document.ts'
import { entriesOf } from './entries.ts'
import { shownText } from './secrets.ts'

export function difference(file: string, before: string, after: string, containers: readonly Container[]): string {
  const shown = (text: string) => {
    const read = readText(text)
    return read.fault ? '' : shownText(read.document, entriesOf(read.document, containers)).replaceAll('\r\n', '\n')
  }
  const patch = createTwoFilesPatch(file, file, shown(before), shown(after), '', '', { context: 3 })
  return patch.replace(/^(Index: .*\n)?=+\n/, '')
}

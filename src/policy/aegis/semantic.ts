/** Which words a `semantic` condition looks for: those of its text, and for the name of a category the words of that. */

const categories: ReadonlyMap<string, readonly string[]> = new Map([
  ['destructive', ['delete', 'drop', 'remove', 'destroy', 'kill', 'terminate', 'truncate', 'purge']],
  ['data_exposure', ['export', 'download', 'share', 'send', 'email', 'upload', 'transfer', 'leak', 'expose']],
  ['privileged', ['admin', 'root', 'sudo', 'superuser', 'escalate', 'override', 'bypass']],
  ['financial', ['payment', 'transfer', 'refund', 'charge', 'invoice', 'billing', 'withdraw']],
  ['pii', ['name', 'email', 'phone', 'address', 'ssn', 'passport', 'credit_card', 'dob']],
])

/** Words that say nothing of a call. */
const stopWords = new Set(['or', 'and', 'the', 'a', 'an', 'of', 'in', 'to', 'for', 'is', 'with'])

export function wordsOf(text: string): readonly string[] {
  const words = text.toLowerCase().match(/[a-z0-9_]+/g) ?? []
  const meant = words.flatMap((word) => categories.get(word) ?? (stopWords.has(word) ? [] : [word]))
  return [...new Set(meant)].sort()
}

/** Words from outside inside a sentence of ours. */

const charsMax = 64

/** In backticks, short, on one line, and without a character that a terminal obeys. */
export function quoted(text: string): string {
  const shown = text.length > charsMax ? `${text.slice(0, charsMax)}…` : text
  return `\`${JSON.stringify(shown.toWellFormed())
    .slice(1, -1)
    .replaceAll(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '?')}\``
}

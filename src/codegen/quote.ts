/** The one file that quotes Rego: every outside word becomes part of generated Rego through here. */
import { canonical, type Json } from '../model/canonical.ts'

/** A Rego term for any JSON value. Rego strings are JSON strings (OPA policy reference, grammar). */
export function term(value: Json): string {
  return canonical(value).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, escapeUnit)
}

/** `input.arguments["a"]["b"]`. */
export function ref(root: string, path: readonly string[]): string {
  return root + path.map((key) => `[${term(key)}]`).join('')
}

/** Text for a comment: one line, whatever it held. */
export function comment(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a control character must not end the comment
  return `# ${text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, escapeUnit)}`
}

/** A regular expression that matches the text itself. RE2 takes a backslash before any ASCII punctuation. */
export function literalPattern(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$/-]/g, '\\$&')
}

function escapeUnit(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}

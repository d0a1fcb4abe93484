/** URIs that a policy can judge by their text: those that name what they seem to name, however they are normalised. */

/**
 * Why the URI could name another resource than the one judged: a dot segment, a backslash, an encoded slash or dot, a
 * control character (RFC 3986 section 6.2.2 lets a server fold all of them); undefined when it cannot.
 */
export function unsafeUri(uri: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u0020\u007f\\]/.test(uri)) return 'it has a backslash, a space or a control character'
  // A percent sign may itself be encoded, once for each time that somebody decodes.
  if (/%(?:25)*(?:2e|2f|5c|00)/i.test(uri)) return 'it hides a dot, a slash or a backslash behind percent-encoding'
  const path = uri.replace(/[?#].*$/s, '')
  return path.split('/').some((segment) => segment === '.' || segment === '..')
    ? 'it has a `.` or `..` segment'
    : undefined
}

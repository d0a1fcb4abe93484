/** URIs that a policy can judge by their text: those that name what they seem to name, however they are normalised. */

/** Unreserved characters and control characters: no writer encodes the first, and nobody needs the second. */
const hiding = /%(?:25)*(?:[01][0-9a-f]|2[def]|3[0-9]|4[1-9a-f]|5[0-9acf]|6[1-9a-f]|7[0-9aef]|c[01])/i

/**
 * Why the URI could name another resource than the one judged; undefined when it cannot. RFC 3986 section 6.2.2 lets a
 * server fold dot segments, the case of the scheme and encoded letters; and servers that take a URI for a path read on
 * behind `?`, `#` and `;`.
 */
export function unsafeUri(uri: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u0020\u007f\\]/.test(uri)) return 'it has a backslash, a space or a control character'
  // A percent sign may itself be encoded, once for each time that somebody decodes.
  if (hiding.test(uri))
    return 'it hides a letter, a digit, a dot, a slash or a control character behind percent-encoding'
  if (/^[^:/?#]*[A-Z][^:/?#]*:/.test(uri)) return 'its scheme has a capital letter'
  if (uri.split(/[/?#]/).some(isDots)) return 'it has a `.` or `..` segment'
  return uri.startsWith('file:') ? unsafeFile(uri) : undefined
}

/** `..;x` is `..` with a parameter. */
function isDots(segment: string): boolean {
  return /^\.\.?(?:;|$)/.test(segment)
}

/** File systems take two slashes for one, and the host of a local file has three spellings. */
function unsafeFile(uri: string): string | undefined {
  if (!uri.startsWith('file://')) return 'a file is `file:///` and its path'
  if (/^file:\/\/localhost(?:[/?#]|$)/.test(uri)) return 'a local file is `file:///` and its path'
  return uri.includes('//', 'file://'.length) ? 'it has an empty segment' : undefined
}

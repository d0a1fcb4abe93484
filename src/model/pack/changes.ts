/** What a change is called. */

/** Changes are compared by their words: case, hyphens and spaces do not tell two apart. */
export function changeClass(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

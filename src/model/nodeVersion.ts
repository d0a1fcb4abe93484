/** The Node.js that is needed: under an older one the sources end in a stack, or in a crash of the SQLite binding. */

/** What is wrong with a version, as a sentence; undefined when it will do. */
export function nodeTrouble(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 19)) return undefined
  return `Node.js 22.19 or newer is needed, this is ${version}`
}

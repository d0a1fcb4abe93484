/** What a module prints the library says on stdout, where MCP lives: it must not speak to the client of a gate. */

/** To be put around a time limit, not inside: what is ended by one runs no `finally`. */
export function unheard<T>(work: () => T): T {
  const { log } = console
  console.log = () => {}
  try {
    return work()
  } finally {
    console.log = log
  }
}

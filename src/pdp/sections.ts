/** What a WebAssembly module takes for itself, beside the memory that it is given: read from its sections, before it runs. */

const tableSection = 4
const memorySection = 5

/** OPA's modules call functions through one table, with an element for each rule. */
const elementsMax = 1_000_000

/** A sentence on what is wrong; undefined where nothing is. The module is known to be valid. */
export function ownResources(wasm: Uint8Array): string | undefined {
  for (const { id, content } of sectionsOf(wasm)) {
    if (id === memorySection && leb(content, 0).value > 0) return 'it has a memory of its own'
    if (id === tableSection) {
      const { value: count, next } = leb(content, 0)
      // An element type, a byte that says whether there is a maximum, and the least number of elements.
      if (count > 1 || (count === 1 && leb(content, next + 2).value > elementsMax)) return 'its tables are too large'
    }
  }
  return undefined
}

function* sectionsOf(wasm: Uint8Array): Generator<{ readonly id: number; readonly content: Uint8Array }> {
  for (let at = 8; at < wasm.length; ) {
    const { value: size, next } = leb(wasm, at + 1)
    yield { id: wasm[at] as number, content: wasm.subarray(next, next + size) }
    at = next + size
  }
}

/** An unsigned number in LEB128. */
function leb(bytes: Uint8Array, start: number): { readonly value: number; readonly next: number } {
  let value = 0
  let at = start
  for (let shift = 1; ; shift *= 128) {
    const byte = bytes[at++] ?? 0
    value += (byte & 0x7f) * shift
    if (byte < 0x80) return { value, next: at }
  }
}

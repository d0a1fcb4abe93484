/** Small WebAssembly modules by hand: what imports what it should not, wants too much, or never ends. */

const leb = (value: number): readonly number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)]
const text = (value: string): readonly number[] => [...leb(value.length), ...Buffer.from(value)]
const section = (id: number, ...content: readonly (readonly number[])[]): readonly number[] => [
  id,
  ...leb(content.flat().length),
  ...content.flat(),
]

const types = section(1, [1, 0x60, 0, 0])
const importedMemory = (pages: number) => section(2, [1], text('env'), text('memory'), [2, 0, ...leb(pages)])
/** What the engine looks for: two numbers, and a function that it never reaches. */
const abi = (version: number) => [
  types,
  section(3, [1, 0]),
  section(6, [2], ...[version, 3].map((number) => [0x7f, 0, 0x41, number, 0x0b])),
  section(
    7,
    [3],
    ...['opa_wasm_abi_version', 'opa_wasm_abi_minor_version'].map((name, index) => [...text(name), 3, index]),
    [...text('opa_eval'), 0, 0],
  ),
]
/** Its body is `loop br 0 end`. */
const endless = section(10, [1, 7, 0, 0x03, 0x40, 0x0c, 0, 0x0b, 0x0b])
const start = section(8, [0])
const empty = section(10, [1, 2, 0, 0x0b])

/** Sections stand in the order of their numbers, but for those of the custom kind. */
function module(...sections: readonly (readonly number[])[]): Uint8Array {
  const inOrder = sections.toSorted(([one = 0], [other = 0]) => one - other)
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...inOrder.flat()])
}

/** With what the error says of each. */
export const oddModules: Readonly<Record<string, readonly [Uint8Array, RegExp]>> = {
  'imports what it should not': [
    module(...abi(1), section(2, [1], text('env'), text('fetch'), [0, 0]), empty),
    /unknown import `env.fetch`/,
  ],
  'wants 4 GB': [module(...abi(1), importedMemory(65_536), empty), /memory import/],
  'has 4 GB of its own': [module(...abi(1), section(5, [1, 0, ...leb(65_536)]), empty), /a memory of its own/],
  'has a table of ten million': [
    module(...abi(1), importedMemory(2), section(4, [1, 0x70, 0, ...leb(10_000_000)]), empty),
    /tables are too large/,
  ],
  'has another ABI': [module(...abi(2), importedMemory(2), empty), /ABI version/],
  'has no ABI at all': [module(importedMemory(2)), /no module of OPA/],
  'never ends': [module(...abi(1), importedMemory(2), start, endless), /does not come to an end/],
  'is no module': [Buffer.from('hello'), /cannot be loaded/],
}

/** Says something as it starts, which the library hands to `console.log`. */
export const talking: Uint8Array = module(
  section(1, [2], [0x60, 1, 0x7f, 0], [0x60, 0, 0]),
  section(2, [2], text('env'), text('memory'), [2, 0, 2], text('env'), text('opa_println'), [0, 0]),
  section(3, [1, 1]),
  section(6, [2], ...[1, 3].map((number) => [0x7f, 0, 0x41, number, 0x0b])),
  section(
    7,
    [3],
    ...['opa_wasm_abi_version', 'opa_wasm_abi_minor_version'].map((name, index) => [...text(name), 3, index]),
    [...text('opa_eval'), 0, 1],
  ),
  section(8, [1]),
  section(10, [1, 6, 0, 0x41, 0, 0x10, 0, 0x0b]),
)

/** The part of the WebAssembly JavaScript API that the engine uses; Node's types leave it to the DOM library. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: ArrayBufferView | ArrayBuffer)
    static imports(module: Module): { module: string; name: string; kind: string }[]
    static exports(module: Module): { name: string; kind: string }[]
  }
  class Memory {
    readonly buffer: ArrayBuffer
    grow(pages: number): number
  }
  interface Instance {
    readonly exports: Record<string, unknown>
  }
  interface WebAssemblyInstantiatedSource {
    readonly instance: Instance
    readonly module: Module
  }
}

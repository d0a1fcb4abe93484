/** How far long work is: on a terminal, and only for work that takes long enough to be told. */

export interface Progress {
  show(done: number, of: number | undefined): void
  clear(): void
}

const stepMs = 250

export function progressOn(stream: NodeJS.WriteStream, what: string): Progress {
  let shownAt = performance.now()
  let shown = false
  return {
    show(done, of) {
      if (stream.isTTY !== true || performance.now() - shownAt < stepMs) return
      shownAt = performance.now()
      shown = true
      stream.write(`\r${done}${of === undefined ? '' : ` of ${of}`} ${what}`)
    },
    clear() {
      if (shown) stream.write('\r\u001b[K')
    },
  }
}

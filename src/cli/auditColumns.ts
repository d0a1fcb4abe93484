/** Text in columns: how many cells of a terminal it takes, and how it is cut and padded. */

const segmenter = new Intl.Segmenter()

// Scripts and blocks that are two cells wide (Unicode UAX #11, East Asian Wide and Fullwidth), and emoji.
const wide =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Yi}\p{Emoji_Presentation}\u3000-\u303E\uFF01-\uFF60\uFFE0-\uFFE6]|\uFE0F/u
const halfwidth = /^[\uFF61-\uFFDC]/
const zero = /^\p{M}*$/u
const narrow = /^[\x20-\x7e]*$/

/** Cells of a text without control characters: what a reader takes for one character counts once. */
export function widthOf(text: string): number {
  if (narrow.test(text)) return text.length
  let width = 0
  for (const { segment } of segmenter.segment(text)) width += cellsOf(segment)
  return width
}

function cellsOf(segment: string): number {
  if (zero.test(segment)) return 0
  return wide.test(segment) && !halfwidth.test(segment) ? 2 : 1
}

/** Exactly `width` cells: cut with an ellipsis, or padded. */
export function fitted(text: string, width: number): string {
  const taken = widthOf(text)
  if (taken <= width) return text + ' '.repeat(width - taken)
  let [kept, used] = ['', 0]
  for (const { segment } of segmenter.segment(text)) {
    const cells = cellsOf(segment)
    if (used + cells > width - 1) break
    kept += segment
    used += cells
  }
  return `${kept}…${' '.repeat(Math.max(0, width - 1 - used))}`
}

export interface ColumnSize {
  /** What its widest cell takes. */
  readonly natural: number
  /** Below this it tells nothing. */
  readonly least: number
  /** Columns with the highest number are left out first; those with none stay. */
  readonly leaveOut?: number
}

/** A width for each column so that all of them, `gap` apart, fit into `total`; 0 for one that is left out. */
export function columnWidths(sizes: readonly ColumnSize[], total: number, gap: number): readonly number[] {
  const least = (size: ColumnSize) => Math.min(size.natural, size.least)
  const shown = new Set(sizes)
  const taken = (of: (size: ColumnSize) => number) => [...shown].reduce((sum, size) => sum + of(size) + gap, -gap)
  for (const size of byLeaveOut(sizes)) if (taken(least) > total) shown.delete(size)
  const widths = new Map([...shown].map((size) => [size, size.natural]))
  for (let over = taken(({ natural }) => natural) - total; over > 0; over--) {
    const widest = [...shown].filter((size) => (widths.get(size) as number) > least(size))
    const [next] = widest.sort((a, b) => (widths.get(b) as number) - (widths.get(a) as number))
    if (!next) break
    widths.set(next, (widths.get(next) as number) - 1)
  }
  return sizes.map((size) => widths.get(size) ?? 0)
}

function byLeaveOut(sizes: readonly ColumnSize[]): readonly ColumnSize[] {
  return sizes
    .filter(({ leaveOut }) => leaveOut !== undefined)
    .sort((a, b) => (b.leaveOut as number) - (a.leaveOut as number))
}
